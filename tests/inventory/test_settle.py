"""What is written down and given back: archive, release, free, claims, quarantine."""

from datetime import timedelta
from typing import Any

import pytest

from diaodu.inventory import commands, queries
from diaodu.inventory.model import ProductState, ResourceState, ServiceState
from diaodu.kernel.errors import NotFound

AREA, CUSTOMER = 7, 4711
ROOM_A, ROOM_C = 601, 603
BROADBAND, VOICE, ONU = 900, 901, 10


def product(product_id: int, **more: Any) -> dict[str, Any]:
    return {
        "id": product_id,
        "customer_id": CUSTOMER,
        "offering": "FTTH-200",
        "name": "宽带 200M",
        "state": int(ProductState.ACTIVE),
        "characteristics": {"down_mbps": 200},
        "place_id": ROOM_A,
        "realisations": [{"kind": "olt.port", "thing": ONU}],
        "release_id": 1,
        **more,
    }


def service(service_id: int, product_id: int) -> dict[str, Any]:
    return {"id": service_id, "product_id": product_id, "spec": "internet", "role": "cfs", "state": 4}


def install(orders: Any) -> None:
    """Order 1 reserves a line and a number and archives two products that share the line's thing."""
    orders.ask(1, "reserve", {"thing": ONU, "want": "access", "address": ROOM_A}, {"thing": 11, "want": "number"})
    orders.run()
    orders.ask(
        1,
        "archive",
        {
            "products": [product(BROADBAND), product(VOICE, offering="VOICE", name="固话")],
            "services": [service(950, BROADBAND), service(951, VOICE)],
            "use": [ONU, 11],
            "usage": [[ONU, BROADBAND], [ONU, VOICE], [11, VOICE]],
        },
    )
    orders.run()
    orders.told.clear()


def test_an_archive_makes_products_services_and_resources_in_use(orders: Any) -> None:
    install(orders)
    with orders.db.transaction() as tx:
        found = queries.products_of(tx, CUSTOMER)
        assert [(p.id, p.state, p.order_id, p.claimed_by) for p in found] == [
            (BROADBAND, ProductState.ACTIVE, 1, None),
            (VOICE, ProductState.ACTIVE, 1, None),
        ]
        assert found[0] == queries.get_product(tx, BROADBAND)
        assert found[0].realisations == [{"kind": "olt.port", "thing": ONU}]
        assert queries.get_service(tx, 950).state is ServiceState.ACTIVE
        assert [s.id for s in queries.services_of(tx, AREA, VOICE)] == [951]
        assert [(r.id, r.state, r.order_id) for r in queries.resources_of(tx, AREA, [ONU, 11])] == [
            (41, ResourceState.IN_USE, None),
            (1001, ResourceState.IN_USE, None),
            (1051, ResourceState.IN_USE, None),
        ]


def test_release_answers_the_last_user_only_for_the_last(orders: Any) -> None:
    install(orders)
    orders.ask(2, "release", {"thing": ONU, "products": [BROADBAND]}, {"thing": ONU, "products": [VOICE]})
    orders.run()
    assert [a.body for a in orders.told] == [
        {"status": "served", "last_user": False},
        {"status": "served", "last_user": True},
    ]
    assert orders.rows("select thing_id, product_id from inventory.usage") == [(11, VOICE)]


def test_a_freed_number_rests_for_90_days_and_a_port_is_free_at_once(orders: Any) -> None:
    install(orders)
    orders.ask(2, "free", {"thing": ONU}, {"thing": 11})
    orders.run()
    with orders.db.transaction() as tx:
        number, port = queries.get_resource(tx, 41), queries.get_resource(tx, 1001)
        assert (number.state, number.holder) == (ResourceState.QUARANTINED, None)
        assert (port.state, port.holder) == (ResourceState.FREE, None)
        assert number.until is not None
    with orders.db.transaction(now=number.until - timedelta(seconds=1)) as tx:
        assert commands.end_quarantines(tx, AREA) == 0
    with orders.db.transaction(now=number.until) as tx:
        assert commands.end_quarantines(tx, AREA) == 1
        assert queries.get_resource(tx, 41).state is ResourceState.FREE


def test_only_the_named_resources_of_a_thing_are_freed(orders: Any) -> None:
    install(orders)
    orders.ask(2, "free", {"thing": ONU, "resources": [1001]})
    orders.run()
    assert orders.rows("select id, state from inventory.resource where id in (1001, 1051) order by id") == [
        (1001, 0),
        (1051, 2),
    ]


def test_a_claim_answers_what_is_installed_and_keeps_others_out(orders: Any) -> None:
    install(orders)
    orders.ask(2, "reserve", {"thing": 0, "want": "claim", "claims": [BROADBAND]})
    orders.ask(3, "reserve", {"thing": 0, "want": "claim", "claims": [BROADBAND]})
    orders.ask(4, "reserve", {"thing": 0, "want": "claim", "claims": [999]})
    orders.run()
    first, second, third = orders.told
    assert first.body["lines"] == {str(first.request_id): {}}
    claim = first.body["claims"][str(BROADBAND)]
    assert (claim["offering"], claim["characteristics"]) == ("FTTH-200", {"down_mbps": 200})
    assert claim["realisations"] == [{"kind": "olt.port", "thing": ONU}]
    assert claim["users"] == {str(ONU): [BROADBAND, VOICE]}
    assert (second.body["code"], second.body["en"]) == (
        "inventory.product-claimed",
        "Product 900 is being changed by order 2. Wait until that order ends, or cancel it.",
    )
    assert third.body["code"] == "inventory.product-unknown"
    assert orders.rows("select id, claimed_by from inventory.product order by id") == [(BROADBAND, 2), (VOICE, None)]


def test_an_ended_product_gives_up_its_claim_and_cannot_be_claimed_again(orders: Any) -> None:
    install(orders)
    orders.ask(2, "reserve", {"thing": 0, "want": "claim", "claims": [BROADBAND, VOICE]})
    orders.run()
    orders.ask(2, "archive", {"end": [BROADBAND], "unclaim": [VOICE]})
    orders.run()
    assert orders.rows("select id, state, claimed_by from inventory.product order by id") == [
        (BROADBAND, 5, None),
        (VOICE, 2, None),
    ]
    assert orders.rows("select id, state from inventory.service order by id") == [(950, 5), (951, 4)]
    orders.ask(3, "reserve", {"thing": 0, "want": "claim", "claims": [BROADBAND]})
    orders.run()
    assert orders.told[-1].body["code"] == "inventory.product-terminated"


def test_withdrawing_a_claim_lets_the_next_order_in(orders: Any) -> None:
    install(orders)
    request = orders.ask(2, "reserve", {"thing": 0, "want": "claim", "claims": [BROADBAND]})
    orders.run()
    orders.ask(2, "withdraw", {"request": request})
    orders.ask(3, "reserve", {"thing": 0, "want": "claim", "claims": [BROADBAND]})
    orders.run()
    assert orders.rows("select claimed_by from inventory.product where id = 900") == [(3,)]


def test_withdrawing_leaves_alone_what_is_in_use(orders: Any) -> None:
    install(orders)
    orders.ask(1, "withdraw", {"request": 1000})
    orders.run()
    assert orders.rows("select count(*) from inventory.resource where state = 2") == [(3,)]


def test_a_resource_that_does_not_exist_is_not_found(orders: Any) -> None:
    with pytest.raises(NotFound), orders.db.transaction() as tx:
        queries.get_resource(tx, 999)
