"""The breakdown of products into services and resources, with the reason of every line."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from tests.catalog.example import document, release

from diaodu.catalog.model import Node, Tree
from diaodu.catalog.parse import parse_release
from diaodu.decomposition.decompose import decompose
from diaodu.decomposition.model import OrderedProduct

VALUES: dict[str, dict[str, Any]] = {
    "broadband": {"速率": 200, "公网IP": False, "WiFi组网": False},
    "iptv": {"超清4K": False},
    "voice": {"来电显示": True},
    "leased-line": {"速率": 20, "终端型号": "AR28-31"},
}


def product(
    n: int, spec: str, group: str = "1", things: Mapping[str, int] | None = None, **values: Any
) -> OrderedProduct:
    chosen = VALUES[spec] | values
    return OrderedProduct(
        item_key=f"{group}.{n}", group=group, product_id=100 + n, spec=f"product/{spec}", characteristics=chosen,
        things=things or {}, names={"订单项": chosen},
    )  # fmt: skip


def broken_down(*products: OrderedProduct) -> Tree:
    numbers = count(1)
    return decompose(products, release(), lambda: next(numbers))


def brief(node: Node) -> tuple[Any, ...]:
    return node.thing_id, node.spec, node.item_key, node.parent, node.role, dict(node.characteristics), node.rule


BUNDLE = (product(1, "broadband"), product(2, "iptv"), product(3, "voice"))


def test_the_tree_of_a_bundle() -> None:
    tree = broken_down(*BUNDLE)
    assert [brief(n) for n in tree] == [
        (101, "product/broadband", "1.1", None, "main", VALUES["broadband"], None),
        (1, "service/internet", "1.1", 101, "main", {"速率": 200}, "bb.internet"),
        (2, "resource/access", "1.1", 1, "carries", {"速率": 200}, "internet.access"),
        (102, "product/iptv", "1.2", None, "main", VALUES["iptv"], None),
        (3, "service/iptv", "1.2", 102, "main", {}, "tv.iptv"),
        (4, "resource/stb", "1.2", 3, "carries", {}, "iptv.stb"),
        (103, "product/voice", "1.3", None, "main", VALUES["voice"], None),
        (5, "service/voice", "1.3", 103, "main", {}, "tel.voice"),
        (6, "resource/number", "1.3", 5, "carries", {}, "voice.number"),
        (7, "service/caller-id", "1.3", 103, "additional", {}, "tel.caller-id"),
    ]


def test_every_line_says_why_in_both_languages() -> None:
    assert [(n.spec, n.reason["zh"], n.reason["en"]) for n in broken_down(*BUNDLE)][:3] == [
        ("product/broadband", "订单项 1.1 订购", "ordered by item 1.1"),
        ("service/internet", "宽带的主体服务是上网", "the main service of broadband is internet access"),
        ("resource/access", "上网由光接入承载", "internet access is carried by the fibre access"),
    ]
    assert all(set(n.reason) == {"zh", "en"} for n in broken_down(*BUNDLE))


def test_the_access_is_one_thing_with_three_users() -> None:
    users = {n.spec: n.users for n in broken_down(*BUNDLE) if n.users}
    assert users == {"resource/access": (101, 102, 103)}


def test_groups_share_nothing() -> None:
    tree = broken_down(product(1, "broadband"), product(2, "broadband", group="2"))
    assert [n.users for n in tree if n.spec == "resource/access"] == [(101,), (102,)]


def test_what_is_not_shared_is_made_anew_beside_what_is() -> None:
    data = document()
    own = {"of": "service/wifi", "yields": "resource/access", "reason": {"zh": "自有", "en": "its own"}}
    data["decomposition"].append({"id": "wifi.access", **own})
    numbers = count(1)
    home = product(1, "broadband", WiFi组网=True)
    tree = decompose([home], parse_release(data, release_id=1, name="own"), lambda: next(numbers))
    assert [(n.rule, n.users) for n in tree if n.spec == "resource/access"] == [
        ("internet.access", (101,)), ("wifi.access", ()),
    ]  # fmt: skip


def test_chosen_extras_add_their_services_and_resources() -> None:
    plain = {n.spec for n in broken_down(product(1, "broadband"))}
    chosen = {n.spec for n in broken_down(product(1, "broadband", 公网IP=True, WiFi组网=True))}
    assert chosen - plain == {"service/public-ip", "resource/ip", "service/wifi"}


def test_what_is_installed_keeps_its_identity() -> None:
    things = {"service/leased-line": 71, "resource/access": 72, "resource/ip": 73, "resource/router": 74}
    tree = broken_down(product(1, "leased-line", things=things))
    assert {n.spec: n.thing_id for n in tree} == things | {"product/leased-line": 101}
    assert {n.spec: dict(n.characteristics) for n in tree}["resource/router"] == {"型号": "AR28-31"}


def test_the_same_products_give_the_same_tree_and_it_survives_its_storage() -> None:
    tree = broken_down(*BUNDLE)
    assert broken_down(*BUNDLE) == tree
    assert Tree.parse(tree.document()) == tree


def test_what_an_earlier_revision_made_keeps_its_identity_and_two_of_a_kind_stay_two() -> None:
    data = document()
    own = {
        "of": "service/wifi",
        "yields": "resource/access",
        "role": "carries",
        "reason": {"zh": "自有", "en": "its own"},
    }
    data["decomposition"].append({"id": "wifi.access", **own})
    numbers = count(1)
    home = replace(product(1, "broadband", WiFi组网=True), before={("resource/access", "carries"): 72})
    tree = decompose([home], parse_release(data, release_id=1, name="own"), lambda: next(numbers))
    things = {n.rule: n.thing_id for n in tree}
    assert things["internet.access"] == 72
    assert things["wifi.access"] not in (72, things["internet.access"])
    assert len(set(things.values())) == len(tree.nodes)
