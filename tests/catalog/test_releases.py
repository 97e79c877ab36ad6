"""A change of the catalogue or of a decision makes a release; what was made under another one stays as it was."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from tests.catalog.example import document, load_rules

from diaodu.catalog import commands, queries
from diaodu.catalog.errors import BadCatalogue, EffectiveInThePast, EntryUnknown, NoRelease, SectionUnknown
from diaodu.kernel.db import Database, Tx
from diaodu.rules import commands as rules
from diaodu.rules import queries as versions
from diaodu.rules.document import to_table, with_table

DAY = timedelta(days=1)


@pytest.fixture
def first(tx: Tx) -> int:
    """The release of the demonstration operator."""
    load_rules(tx)
    return commands.publish(tx, name="zhejiang", document=document())


def draft(tx: Tx, key: str, row: int, output: str) -> None:
    """A draft in which one rule gives something else."""
    version = versions.find_newest(tx, key)
    assert version is not None
    table: Any = to_table(version.definitions, key)
    table["rules"][row]["then"] = [output]
    found = versions.find_draft(tx, key)
    rules.save_draft(
        tx, key, with_table(version.definitions, key, table), tests=(), expected_digest=found.digest if found else None
    )


def limit(tx: Tx, release: int) -> object:
    """The hours for a bundle in a town."""
    model = queries.get_release(tx, release).decisions["订单时限"].model
    return model.decide("订单时限", {"销售品": "P1", "级别": "三星", "农村": False}).value


def releases(tx: Tx) -> list[tuple[Any, ...]]:
    return tx.rows("select id, effective_at, document -> 'decisions' ->> '订单时限' from catalog.release order by id")


def test_the_same_content_is_the_same_release(tx: Tx, first: int) -> None:
    assert commands.publish(tx, name="again", document=document()) == first
    changed = document()
    changed["policies"]["work_priority"] = "7"
    second = commands.publish(tx, name="two", document=changed)
    assert second > first
    assert queries.current_release(tx).id == second
    # What was in effect before may come back, by hand but not by loading the files once more.
    assert commands.publish_once(tx, name="loaded", document=document()) == second
    assert commands.publish(tx, name="back", document=document()) > second


def test_a_bad_catalogue_leaves_nothing_behind(tx: Tx) -> None:
    data = document()
    data["offerings"][0]["members"].append("P9")
    with pytest.raises(BadCatalogue):
        commands.publish(tx, name="bad", document=data)
    assert tx.rows("select * from catalog.release") == []
    with pytest.raises(NoRelease):
        queries.current_release(tx)


def test_a_name_that_nobody_gives_is_told_when_it_is_published(tx: Tx, first: int) -> None:
    data = document()
    data["audit"][0]["holds"] = '客戸.状态 != "blacklisted"'
    data["policies"]["tariff"] = "资費(1)"
    with pytest.raises(BadCatalogue) as refused:
        commands.publish(tx, name="bad", document=data)
    assert refused.value.params["problems"] == (
        "audit rule customer.blacklist: unknown name '客戸'; policies.tariff: unknown name '资費'"
    )
    assert [r[0] for r in releases(tx)] == [first]


def test_an_entry_is_changed_added_and_removed(tx: Tx, first: int) -> None:
    rule = deepcopy(queries.section(tx, "audit", tx.now)["rural.speed"])
    rule["holds"] = "true"
    second = commands.put_entry(tx, "audit", "rural.speed", rule)
    third = commands.put_entry(tx, "audit", "rural.other", {**rule, "id": "rural.other"})
    fourth = commands.remove_entry(tx, "audit", "rural.speed")
    ids = [[a.id for a in queries.get_release(tx, r).audit] for r in (first, second, third, fourth)]
    known = ["customer.blacklist", "rural.speed", "speed-up.faster", "speed-up.wan-port"]
    assert ids == [known, known, [*known, "rural.other"], [known[0], *known[2:], "rural.other"]]
    assert queries.get_release(tx, second).audit[1].holds.text == "true"
    assert queries.get_release(tx, first).audit[1].holds.text != "true"
    assert commands.put_entry(tx, "policies", "work_priority", "3") > fourth


def test_what_does_not_fit_changes_nothing(tx: Tx, first: int) -> None:
    with pytest.raises(SectionUnknown):
        commands.put_entry(tx, "tariffs", "x", {})
    with pytest.raises(EntryUnknown):
        commands.remove_entry(tx, "audit", "nothing")
    with pytest.raises(BadCatalogue):
        commands.put_entry(tx, "policies", "work_priority", "1 +")
    with pytest.raises(BadCatalogue):
        commands.put_entry(tx, "policies", "colour", "1")
    with pytest.raises(BadCatalogue):
        commands.remove_entry(tx, "work", "W4")
    with pytest.raises(EffectiveInThePast):
        commands.put_entry(tx, "policies", "work_priority", "1", effective_at=tx.now - DAY)
    assert [r[0] for r in releases(tx)] == [first]


def test_a_published_decision_is_pinned_by_a_new_release(tx: Tx, first: int) -> None:
    draft(tx, "订单时限", 0, "24")
    assert commands.publish_decision(tx, "订单时限") == 2
    second = queries.current_release(tx).id
    assert second > first
    assert (limit(tx, first), limit(tx, second)) == (48, 24)


def test_a_later_release_keeps_what_is_changed_before_it(tx: Tx, first: int) -> None:
    draft(tx, "订单时限", 0, "24")
    commands.publish_decision(tx, "订单时限", effective_at=tx.now + DAY)
    later = queries.in_effect(tx, tx.now + DAY)
    assert queries.current_release(tx).id == first
    assert later is not None
    assert (limit(tx, first), limit(tx, later)) == (48, 24)

    draft(tx, "订单时限", 0, "12")
    commands.publish_decision(tx, "订单时限")
    commands.put_entry(tx, "policies", "work_priority", "3")

    # Version 3 is in force today; tomorrow version 2, which takes effect later.
    today, tomorrow = queries.in_effect(tx, tx.now), queries.in_effect(tx, tx.now + DAY)
    assert today is not None
    assert tomorrow is not None
    assert (limit(tx, today), limit(tx, tomorrow)) == (12, 24)
    priorities = [queries.get_release(tx, r).policies for r in (today, tomorrow)]
    assert [p["work_priority"].text for p in priorities] == ["3", "3"]  # type: ignore[index]  # a StrEnum is its text

    commands.withdraw_decision(tx, "订单时限", 2)
    tomorrow = queries.in_effect(tx, tx.now + DAY)
    assert tomorrow is not None
    assert limit(tx, tomorrow) == 12


def published_and_lost(db: Database) -> None:
    with db.transaction() as tx:
        draft(tx, "订单时限", 0, "24")
        commands.publish_decision(tx, "订单时限")
        assert limit(tx, queries.current_release(tx).id) == 24
        raise NoRelease


def test_what_was_rolled_back_leaves_no_trace(db: Database) -> None:
    with db.transaction() as tx:
        load_rules(tx)
        commands.publish(tx, name="zhejiang", document=document())
    with pytest.raises(NoRelease):
        published_and_lost(db)
    with db.transaction() as tx:
        draft(tx, "订单时限", 0, "12")
        assert commands.publish_decision(tx, "订单时限") == 2
        assert limit(tx, queries.current_release(tx).id) == 12


def test_a_decision_is_asked_with_what_it_takes(tx: Tx, first: int) -> None:
    for text, ok in (
        ("订单时限(农村: true, 级别: 客户.级别, 销售品: 销售品.编号)", True),
        ("订单时限(销售品.编号)", False),
    ):
        if ok:
            assert commands.put_entry(tx, "policies", "order_limit_hours", text) > first
            continue
        with pytest.raises(BadCatalogue) as refused:
            commands.put_entry(tx, "policies", "order_limit_hours", text)
        assert refused.value.message("zh") == (
            "目录无法发布：policies.order_limit_hours：订单时限 的参数应为（销售品, 级别, 农村）"
        )


def test_decisions_that_were_loaded_are_pinned_though_the_catalogue_is_the_same(tx: Tx, first: int) -> None:
    changed = versions.version_at(tx, "订单时限", tx.now)
    table: Any = to_table(changed.definitions, "订单时限")
    table["rules"][0]["then"] = ["24"]
    rules.load(tx, "订单时限", with_table(changed.definitions, "订单时限", table))
    second = commands.publish_once(tx, name="zhejiang", document=document())
    assert second > first
    assert (limit(tx, first), limit(tx, second)) == (48, 24)


@pytest.mark.parametrize(
    ("section", "entry"),
    [
        ("audit", {"id": "x", "offerings": 5, "holds": "true", "field": "f"}),
        ("audit", {"id": "x", "offerings": ["P1"], "holds": "true", "field": "f", "message": "no", "mend": {}}),
        ("offerings", {"id": "P9", "name": "nine"}),
        ("offerings", {"id": "P9", "name": {"zh": "九", "en": "nine"}, "limit_hours": {"urban": "soon"}}),
        ("offerings", {"id": "P9", "name": {"zh": "九", "en": "nine"}, "limit_hours": 48}),
        ("specifications", {"id": "product/x", "name": {"zh": "x", "en": "x"}, "characteristics": [1]}),
        ("effects", {"id": "olt.port", "of": "resource/access", "work": "W1", "params": 5}),
        ("work", {"id": "W9", "name": {"zh": "九"}, "performer": "people", "forms": []}),
        ("decomposition", {"id": "x", "of": "product/iptv", "yields": "service/iptv", "reason": None}),
    ],
)
def test_an_entry_without_the_form_of_its_section_is_refused(
    tx: Tx, first: int, section: str, entry: dict[str, Any]
) -> None:
    with pytest.raises(BadCatalogue):
        commands.put_entry(tx, section, entry["id"], entry)
    assert [r[0] for r in releases(tx)] == [first]


def test_a_catalogue_names_both_of_its_processes(tx: Tx, first: int) -> None:
    with pytest.raises(BadCatalogue) as refused:
        commands.remove_entry(tx, "processes", "intake")
    assert refused.value.params["problems"] == "processes: intake is missing"
    assert [r[0] for r in releases(tx)] == [first]
