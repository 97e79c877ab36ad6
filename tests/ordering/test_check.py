"""From drafts to lines: what the catalogue and the address fill in, and every refusal."""

from itertools import count
from typing import Any

import pytest
from tests.catalog.example import document, release

from diaodu.catalog.errors import UnknownOffering
from diaodu.catalog.model import Release
from diaodu.catalog.parse import parse_release
from diaodu.kernel.errors import Rejected
from diaodu.ordering import errors
from diaodu.ordering.check import check_lines
from diaodu.ordering.model import Action, ItemDraft, Line, OrderDraft

ADDRESS = {"id": 601, "name": "601室", "area": 7, "unit": 7, "rural": False}
PLACE = {"id": "601"}


def installed(offering: str, parent: int | None = None, **characteristics: Any) -> dict[str, Any]:
    facts = {"offering": offering, "parent": parent, "characteristics": characteristics, "address": ADDRESS}
    return facts | {"things": {"resource/access": 5}, "held": {"olt.port": "h"}}


LIVING = {
    50: installed("P1"),
    51: installed("P1-BB", 50, 速率=200, 公网IP=False, WiFi组网=False),
    52: installed("P1-TV", 50, 超清4K=False),
    60: installed("LL", 速率=10, 终端型号="AR18-20"),
}


def lines(*items: ItemDraft, under: Release | None = None) -> tuple[Line, ...]:
    numbers = count(900)
    return check_lines(
        OrderDraft(None, "t", "C1", items),
        under or release(),
        address_of=lambda i: ADDRESS if i.place else None,
        installed=LIVING,
        new_id=lambda: next(numbers),
    )


def new(offering: str | None, key: str = "1", **values: Any) -> ItemDraft:
    return ItemDraft(key, "add", offering, **{"place": PLACE} | values)


def brief(found: tuple[Line, ...]) -> list[tuple[Any, ...]]:
    return [(i.key, i.parent, i.group, i.action, i.offering, i.spec, i.product_id) for i in found]


def test_a_bundle_without_children_stands_for_all_its_members() -> None:
    found = lines(new("P1"))
    assert brief(found) == [
        ("1", None, "1", Action.ADD, "P1", None, 900),
        ("1.1", "1", "1", Action.ADD, "P1-BB", "product/broadband", 901),
        ("1.2", "1", "1", Action.ADD, "P1-TV", "product/iptv", 902),
        ("1.3", "1", "1", Action.ADD, "P1-TEL", "product/voice", 903),
    ]
    assert all(i.address == ADDRESS for i in found)
    assert [dict(i.characteristics) for i in found[1:]] == [
        {"速率": 200, "公网IP": False, "WiFi组网": False}, {"超清4K": False}, {"来电显示": True},
    ]  # fmt: skip


def test_children_keep_their_keys_and_their_choices() -> None:
    parts = (
        ItemDraft("tel", "add", "P1-TEL"), ItemDraft("bb", "add", "P1-BB", characteristics={"速率": "500"}),
        ItemDraft("tv", "add", "P1-TV"),
    )  # fmt: skip
    found = lines(new("P1", children=parts))
    assert [(i.key, i.parent, i.offering) for i in found] == [
        ("1", None, "P1"), ("tel", "1", "P1-TEL"), ("bb", "1", "P1-BB"), ("tv", "1", "P1-TV"),
    ]  # fmt: skip
    assert found[2].characteristics["速率"] == 500


def test_a_modified_product_keeps_what_is_not_named() -> None:
    found = lines(ItemDraft("1", "modify", "P7", "60", characteristics={"速率": 20}))
    assert brief(found) == [("1", None, "1", Action.MODIFY, "P7", "product/leased-line", 60)]
    line = found[0]
    assert line.characteristics == {"速率": 20, "终端型号": "AR18-20"}
    assert line.installed == {"速率": 10, "终端型号": "AR18-20"}
    assert (line.address, line.things, line.held) == (ADDRESS, {"resource/access": 5}, {"olt.port": "h"})


def test_the_removal_of_a_bundle_stands_for_all_that_is_installed_of_it() -> None:
    assert brief(lines(ItemDraft("1", "delete", None, "50"))) == [
        ("1", None, "1", Action.DELETE, "P1", None, 50),
        ("1.1", "1", "1", Action.DELETE, "P1-BB", "product/broadband", 51),
        ("1.2", "1", "1", Action.DELETE, "P1-TV", "product/iptv", 52),
    ]


REFUSALS: list[tuple[type[Rejected], tuple[ItemDraft, ...], dict[str, Any]]] = [
    (errors.OrderEmpty, (), {}),
    (errors.ItemKeyRepeated, (new("P2"), new("P2")), {"item": "1"}),
    (errors.ItemKeyRepeated, (new("P1"), new("P2", key="1.2")), {"item": "1.2"}),
    (UnknownOffering, (new("P99"),), {"offering": "P99", "offered": "LL, P1, P1-BB, P1-TEL, P1-TV, P2, P7"}),
    (UnknownOffering, (new(None),), {"offering": "", "offered": "LL, P1, P1-BB, P1-TEL, P1-TV, P2, P7"}),
    (
        errors.ActionNotOffered, (new("P7"),),
        {"item": "1", "action": "add", "offering": "P7", "possible": "modify, delete"},
    ),
    (
        errors.ActionNotOffered, (ItemDraft("1", "modify", None, "50"),),
        {"item": "1", "action": "modify", "offering": "P1", "possible": "add, delete"},
    ),
    (
        errors.BundleMismatch, (new("P1", children=(ItemDraft("a", "add", "P1-BB"), ItemDraft("b", "add", "P1-BB"))),),
        {"item": "1", "offering": "P1", "members": "P1-BB, P1-TV, P1-TEL", "given": "P1-BB, P1-BB"},
    ),
    (
        errors.CharacteristicUnknown, (new("P2", characteristics={"颜色": "红"}),),
        {"item": "1", "offering": "P2", "name": "颜色", "known": "速率, 公网IP, WiFi组网"},
    ),
    *(
        (
            errors.CharacteristicImpossible, (new("P2", characteristics={"速率": value}),),
            {
                "item": "1", "name": "速率", "value": value,
                "possible": "100 Mbps, 200 Mbps, 300 Mbps, 500 Mbps, 1000 Mbps",
            },
        )
        for value in (250, "fast", True, -200, [200])
    ),
    (
        errors.CharacteristicImpossible, (new("P2", characteristics={"公网IP": "yes"}),),
        {"item": "1", "name": "公网IP", "value": "yes", "possible": "boolean"},
    ),
    (
        errors.CharacteristicImpossible, (new("LL", characteristics={"终端型号": "AR99"}),),
        {"item": "1", "name": "终端型号", "value": "AR99", "possible": "AR18-20, AR28-31, AR46-20"},
    ),
    (errors.AddressMissing, (new("P2", place=None),), {"item": "1"}),
    (errors.ProductMissing, (ItemDraft("1", "delete", None),), {"item": "1", "action": "delete"}),
    (errors.ProductMissing, (ItemDraft("1", "modify", "P7", "61"),), {"item": "1", "action": "modify"}),
    (errors.ProductMissing, (ItemDraft("1", "modify", "P7", "six"),), {"item": "1", "action": "modify"}),
    (errors.QuantityNotPossible, (new("P2", quantity=2),), {"item": "1", "quantity": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("refusal", "items", "params"), REFUSALS)
def test_what_cannot_be_is_refused_by_name(
    refusal: type[Rejected], items: tuple[ItemDraft, ...], params: dict[str, Any]
) -> None:
    with pytest.raises(refusal) as refused:
        lines(*items)
    assert refused.value.params == params
    assert refused.value.status == 400
    for value in params.values():
        assert str(value) in refused.value.message("zh")
        assert str(value) in refused.value.message("en")


def test_a_required_value_without_a_default_is_asked_for() -> None:
    data = document()
    specification = next(s for s in data["specifications"] if s["id"] == "product/broadband")
    del specification["characteristics"][0]["default"]
    strict = parse_release(data, release_id=1, name="strict")
    with pytest.raises(errors.CharacteristicMissing) as refused:
        lines(new("P2"), under=strict)
    possible = "100 Mbps, 200 Mbps, 300 Mbps, 500 Mbps, 1000 Mbps"
    assert refused.value.params == {"item": "1", "name": "速率", "possible": possible}
    assert lines(new("P2", characteristics={"速率": 100}), under=strict)[0].characteristics["速率"] == 100
