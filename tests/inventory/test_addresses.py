"""Finding addresses and their coverage."""

from typing import Any

import pytest

from diaodu.inventory import queries
from diaodu.inventory.errors import AddressNotCovered, AddressUnknown

NAME = "浙江省杭州市西湖区桂花城1幢1单元{}室"


def test_an_address_is_found_by_its_full_name_and_by_its_id(orders: Any) -> None:
    with orders.db.transaction() as tx:
        by_name = queries.find_covered_address(tx, f" {NAME.format(601)} ")
        assert (by_name.id, by_name.area, by_name.box_id, by_name.level) == (601, 7, 10, 9)
        assert queries.find_address(tx, "601") == by_name


@pytest.mark.parametrize("text", ["", "西湖区", "9" * 30, "99", "1.5", "²"])
def test_an_unknown_address_says_what_to_send(orders: Any, text: str) -> None:
    with pytest.raises(AddressUnknown) as refusal, orders.db.transaction() as tx:
        queries.find_address(tx, text)
    assert refusal.value.message("zh") == f"标准地址库中没有“{text}”。请填写到室的完整标准地址,或其地址编号。"


def test_an_uncovered_address_is_refused(orders: Any) -> None:
    with pytest.raises(AddressNotCovered) as refusal, orders.db.transaction() as tx:
        queries.find_covered_address(tx, NAME.format(605))
    assert refusal.value.message("en") == (
        f"The address '{NAME.format(605)}' has no fibre coverage."
        " Choose a covered address, or ask for construction there."
    )
