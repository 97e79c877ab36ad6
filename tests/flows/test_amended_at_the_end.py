"""An amendment that is still in intake keeps the order open, although nothing of the old one is left to do."""

from dataclasses import replace

from tests.flows.operator import RURAL_AREA, House, add, ports

from diaodu.inventory import commands as inventory
from diaodu.kernel import journal
from diaodu.ordering.revise import revise


def test_the_last_report_of_the_old_does_not_close_an_order_whose_amendment_waits(house: House) -> None:
    house.install(801, "P2")  # the only port of that box
    first, more = add("P2", 601), replace(add("P2", 802), key="2")
    order_id = house.order("C601", first)
    house.run(technicians=False)
    with house.db.transaction(actor="clerk") as tx:
        journal.lock(tx, [order_id])
        revise(tx, order_id, (first, more), made_by="clerk")
    house.run()
    assert house.items(order_id) == {"1": ("inProgress", None), "2": ("held", "no-resource")}

    with house.db.transaction() as tx:
        inventory.add_resources(tx, RURAL_AREA, ports(80, 2))
    house.run()

    assert house.items(order_id) == {"1": ("completed", None), "2": ("completed", None)}
