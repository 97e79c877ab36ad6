"""The demonstration operator: what is loaded, that it fits together, that a seed repeats."""

import random
from pathlib import Path

import pytest

from diaodu.app.demo import customers, network, people, places
from diaodu.app.demo.load import OperatorLoaded, load_operator
from diaodu.app.demo.parameters import read
from diaodu.inventory import queries
from diaodu.inventory.ports import Design
from diaodu.kernel.db import Database, Tx
from diaodu.party.queries import customers_in
from diaodu.provisioning.design import NearestBox

EXAMPLE = Path(__file__).parents[2] / "examples" / "zhejiang"


def count(tx: Tx, query: str) -> int:
    row = tx.row(query)
    assert row is not None
    return int(row[0])


def test_the_operator_is_loaded_once_and_fits_together(db: Database) -> None:
    told: list[tuple[str, int]] = []
    rows = load_operator(db, EXAMPLE, progress=lambda table, n: told.append((table, n)))
    assert rows["inventory.resource"] >= 200_000
    assert rows["inventory.address"] >= 50_000
    assert rows["party.customer"] == rows["party.account"] == 6200
    assert sum(n for _, n in told) == sum(rows.values())
    with db.transaction() as tx:
        assert count(tx, "select count(*) from organization.unit where kind = 'city'") == 11
        check_places(tx)
        for area in queries.area_ids(tx):
            check_network(tx, area)

    assert load_operator(db, EXAMPLE) == {}
    with pytest.raises(OperatorLoaded):
        load_operator(db, EXAMPLE, seed=1)
    with db.transaction() as tx:
        assert count(tx, "select count(*) from party.customer") == 6200


def check_places(tx: Tx) -> None:
    covered = "level = 9 and box_id is not null"
    assert count(tx, f"select count(*) from inventory.address where {covered}") > 50_000
    assert count(tx, "select count(*) from inventory.address where level = 9 and box_id is null") > 1_000
    assert not tx.rows(
        "select 1 from inventory.address a join inventory.address p on p.id = a.parent_id"
        " where a.full_name <> p.full_name || a.name or a.level <= p.level limit 1"
    )
    assert not tx.rows("select full_name from inventory.address group by 1 having count(*) > 1 limit 1")
    assert tx.rows("select distinct level from inventory.address order by 1") == [(n,) for n in range(1, 10)]


def check_network(tx: Tx, area: int) -> None:
    """Every path ends at an OLT, every customer can be served where he lives, and some boxes are full."""
    net = queries.load_connectivity(tx, area)
    boxes = [n.id for n in net.nodes.values() if n.spec == "box"]
    assert {net.path(b)[-1].spec for b in boxes} == {"olt"}
    assert max(net.ports_below(net.pon(b).id) for b in boxes) == 64
    free, designer = queries.free_ports(tx, area, boxes), NearestBox()
    assert any(b not in free for b in boxes)
    homes = queries.addresses(tx, [c.address_id for c in customers_in(tx, area, 10_000) if c.address_id])
    assert len(homes) == count(tx, f"select count(*) from party.customer where area = {area}")
    for home in homes.values():
        assert home.box_id is not None
        assert isinstance(designer.choose(net, home.box_id, {home.box_id: free[home.box_id]}), Design)


def test_the_same_seed_makes_the_same_operator() -> None:
    operator = read(EXAMPLE)
    area = operator.areas[1].model_copy(update={"rooms": 600, "customers": 20})

    def made(seed: int) -> tuple[object, ...]:
        found = places.Gazetteer(operator).make(area, random.Random(seed))
        net = network.make(area, found, random.Random(seed))
        staff = people.make(operator, random.Random(seed))
        return found.rows, net.rows, net.coverage, customers.make(area, net, random.Random(seed)), staff

    assert made(1) == made(1)
    assert made(1) != made(2)


def test_an_identity_number_has_a_right_check_character() -> None:
    number = customers.identity_number("330106", random.Random(3))
    weights = [2 ** (17 - i) % 11 for i in range(18)]
    digits = [10 if c == "X" else int(c) for c in number]
    assert len(number) == 18
    assert sum(w * d for w, d in zip(weights, digits, strict=True)) % 11 == 1
