"""A catalogue document is compiled whole, or every problem in it is named."""

from typing import Any

import pytest
from tests.catalog.example import document, release

from diaodu.catalog.errors import BadCatalogue
from diaodu.catalog.model import CauseClass, OnChange, Performer, Policy
from diaodu.catalog.parse import parse_release
from diaodu.catalog.policies import decide
from diaodu.fulfilment.names import offering_names, work_names


def entry(data: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(e for e in data[section] if e["id"] == name)
    return found


def problems(data: dict[str, Any]) -> list[str]:
    with pytest.raises(BadCatalogue) as refused:
        parse_release(data, release_id=1, name="bad")
    assert (refused.value.code, refused.value.status) == ("catalog.not-publishable", 400)
    return str(refused.value.params["problems"]).split("; ")


def test_the_example_is_compiled() -> None:
    made = release()
    assert made.offerings["P1"].members == ("P1-BB", "P1-TV", "P1-TEL")
    assert made.offerings["P1"].actions == ("add", "delete")
    assert made.tree_kinds() == frozenset({"W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8"})
    assert [r.id for r in made.rules["product/broadband"]] == ["bb.internet", "bb.public-ip", "bb.wifi"]
    assert [e.id for e in made.effects_of["resource/router"]] == ["reserve.router", "install.router"]
    assert made.effects["reserve.access"].on_change is OnChange.MAKE_BEFORE_BREAK
    assert (made.work["W3"].performer, made.work["W3"].role) == (Performer.PEOPLE, "line")
    assert sorted(made.closing) == [
        "archive.billing", "archive.resource", "archive.sla", "fee.cancellation", "notice.cancelled",
        "notice.completed",
    ]  # fmt: skip
    assert made.specifications["product/voice"].level == "product"


def test_where_the_document_says_nothing_the_values_of_offerings_and_work_hold() -> None:
    # As releases were written before there were policies.
    data = document()
    del data["policies"]
    entry(data, "offerings", "P2").update(
        tariff={"monthly": 9900, "once": 10000}, limit_hours={"urban": 48, "rural": 72}
    )
    made = parse_release(data, release_id=1, name="old")
    offering = offering_names(made.offerings["P2"])
    names = {"销售品": offering, "地址": {"农村": True}, "工作": work_names(made.work["W3"])}
    assert decide(made, Policy.TARIFF, names) == ({"monthly": 9900, "once": 10000}, True)
    assert decide(made, Policy.DISCOUNT, names) == (None, True)
    assert decide(made, Policy.ORDER_LIMIT_HOURS, names) == (72, True)
    assert decide(made, Policy.WORK_LIMIT_MINUTES, names) == (1440, True)
    assert decide(made, Policy.WORK_ROLE, names) == ("line", True)
    assert decide(made, Policy.WORK_PRIORITY, names) == (5, True)


@pytest.mark.parametrize("text", ["null", '"soon"', "-1", "true", "时限(1)", "sum(for i in 1..100000000 return i)"])
def test_a_policy_that_says_nothing_fitting_gives_way_to_the_value_of_the_work(text: str) -> None:
    data = document()
    data["policies"]["work_limit_minutes"] = text
    made = parse_release(data, release_id=1, name="slip", decisions=release().decisions)
    assert decide(made, Policy.WORK_LIMIT_MINUTES, {"工作": work_names(made.work["W3"])}) == (1440, False)


def test_every_problem_is_named_at_once() -> None:
    data = document()
    entry(data, "offerings", "P1")["members"].append("P9")
    entry(data, "offerings", "P2")["product"] = "product/telex"
    entry(data, "decomposition", "bb.internet")["yields"] = "service/telex"
    entry(data, "effects", "olt.port")["after"] = ["reserve.nothing"]
    entry(data, "effects", "aaa.account")["undo"]["work"] = "W99"
    entry(data, "closing", "archive.sla")["work"] = "W98"
    entry(data, "audit", "rural.speed")["offerings"] = ["P8"]
    assert problems(data) == [
        "offering P1: unknown name 'P9'",
        "offering P2: unknown name 'product/telex'",
        "decomposition bb.internet: unknown name 'service/telex'",
        "effect olt.port: unknown name 'reserve.nothing'",
        "effect aaa.account: unknown name 'W99'",
        "effect archive.sla: unknown name 'W98'",
        "audit rule rural.speed: unknown name 'P8'",
    ]


@pytest.mark.parametrize(
    ("section", "name", "field", "place"),
    [
        ("decomposition", "bb.wifi", "when", "decomposition bb.wifi"),
        ("effects", "olt.port", "element", "effect olt.port"),
        ("audit", "rural.speed", "holds", "audit rule rural.speed"),
        ("audit", "rural.speed", "value", "audit rule rural.speed"),
    ],
)
def test_a_bad_expression_is_told_with_its_place(section: str, name: str, field: str, place: str) -> None:
    data = document()
    entry(data, section, name)[field] = "1 + "
    assert problems(data) == [f"{place}: 1:5: Unexpected end", "expected expression."]


def test_expressions_inside_forms_and_parameters_are_told_with_their_field() -> None:
    data = document()
    entry(data, "effects", "olt.port")["params"]["pon"] = "1 +"
    entry(data, "work", "W3")["forms"]["line.splice"][0]["valid"] = "1 +"
    places = [p.split(": ")[0] for p in problems(data) if ": " in p]
    assert places == ["effect olt.port.pon", "work W3.损耗"]


def test_what_is_missing_stands_twice_or_is_no_such_value_is_told() -> None:
    data = document()
    del entry(data, "offerings", "P2")["name"]
    entry(data, "work", "W8")["performer"] = "robots"
    data["audit"].append(data["audit"][0])
    assert problems(data) == [
        "offerings P2: 'name' is missing",
        "work W8: 'robots' is not a valid Performer",
        "audit customer.blacklist: stands twice",
        "effect itms.config: unknown name 'W8'",
        "effect itms.config: unknown name 'W8'",
        "audit rule customer.blacklist: unknown name 'P2'",
        "audit rule rural.speed: unknown name 'P2'",
    ]


def test_a_breakdown_that_never_ends_is_told_with_its_way() -> None:
    data = document()
    loop = {"id": "loop", "of": "resource/access", "yields": "service/internet", "reason": {"zh": "环", "en": "loop"}}
    data["decomposition"].append(loop)
    (found,) = problems(data)
    assert found.startswith("decomposition: never ends, ")
    way = found.removeprefix("decomposition: never ends, ").split(" -> ")
    assert set(way) == {"resource/access", "service/internet"}


@pytest.mark.parametrize(
    ("text", "action", "fits"),
    [
        ('{动作: "wait", 延迟: 30, 角色: "noc", 时限: 60}', "wait", True),
        ('{动作: "shrug", 延迟: 30, 角色: "noc", 时限: 60}', "retry", False),
        ('{动作: "wait", 延迟: -1, 角色: "noc", 时限: 60}', "retry", False),
        ('{动作: "wait", 延迟: 30, 角色: null, 时限: 60}', "retry", False),
        ("null", "retry", False),
    ],
)
def test_what_becomes_of_a_failure_is_whole_or_it_is_the_default(text: str, action: str, *, fits: bool) -> None:
    release = parse_release({"policies": {"fallout": text}}, release_id=1, name="t")
    names = {"异常": {"类别": "technical", "次数": 3}, "工作": {"角色": None}}
    value, fitted = decide(release, Policy.FALLOUT, names)
    assert (value["动作"], fitted) == (action, fits)


def test_a_cause_is_of_a_class_that_there_is() -> None:
    entry = {"id": "port-taken", "class": "resource", "name": {"zh": "端口已占用", "en": "port taken"}}
    release = parse_release({"causes": [entry]}, release_id=1, name="t")
    assert release.causes["port-taken"].cause_class is CauseClass.RESOURCE
    with pytest.raises(BadCatalogue, match="causes port-taken"):
        parse_release({"causes": [entry | {"class": "weather"}]}, release_id=1, name="t")
