"""A key always means the same entity."""

from diaodu.kernel import keys
from diaodu.kernel.db import Tx
from diaodu.kernel.ids import part_for, part_of


def test_a_key_fixes_one_id_per_kind_and_source(tx: Tx) -> None:
    first = keys.id_for(tx, "instance", source="crm", key="k")
    assert keys.id_for(tx, "instance", source="crm", key="k") == first
    others = [("order", "crm", "k"), ("instance", "shop", "k"), ("instance", "crm", "l")]
    made = {keys.id_for(tx, kind, source=source, key=key) for kind, source, key in others}
    assert len(made | {first}) == 4
    assert part_of(first) == part_for("k", tx.parts)


def test_content_is_the_same_in_whatever_order_its_names_come() -> None:
    assert keys.content_hash({"a": 1, "b": [2]}) == keys.content_hash({"b": [2], "a": 1})
    assert keys.content_hash({"a": 1, "b": [2]}) != keys.content_hash({"a": 1, "b": [3]})
