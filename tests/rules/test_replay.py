"""Decisions of the past, asked again."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.rules.example import KEY, TABLE, limits

from diaodu.kernel import journal
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.ids import first_id_at
from diaodu.rules import queries
from diaodu.rules.commands import save_draft
from diaodu.rules.errors import ReplayTooWide, TooLarge
from diaodu.rules.model import Version
from diaodu.rules.replay import LIMIT_MAX, past_decisions, replay

DAY = timedelta(days=1)


def made(level: str | None, output: Any, *, rural: bool = False, key: str = KEY) -> dict[str, Any]:
    return {"key": key, "n": 1, "inputs": {"级别": level, "农村": rural}, "output": output, "rules": [1]}


def order(tx: Tx, at: datetime, *decisions: dict[str, Any], number: int = 0) -> int:
    """An order made at an instant, in whose history the decisions stand between other entries."""
    order_id = first_id_at(at) + (number << 8)
    journal.create(tx, [order_id], "order")
    journal.record(tx, order_id, {"t": "order.made"})
    journal.record(tx, order_id, {"t": "decisions.made", "decisions": list(decisions)})
    journal.write(tx)
    return order_id


def candidate(tx: Tx) -> Version:
    rules = [*TABLE["rules"][1:], {"when": ['"五星"', "false"], "then": ["12"]}]
    return save_draft(tx, KEY, limits(rules=rules), expected_digest=None).version


def test_the_same_the_different_and_the_nulls_are_counted(tx: Tx, now: datetime) -> None:
    first = order(tx, now - DAY, made("五星", 24), made("普通", 48), made("普通", 1, key="别的"))
    second = order(tx, now - 2 * DAY, made("六星", 99))
    found = replay(tx, candidate(tx), since=now - 7 * DAY, limit=100)
    assert (found.same, found.different, found.nulls) == (1, 2, 1)
    changes = sorted((past.order_id, past.n, past.inputs["级别"], past.output, new) for past, new in found.changes)
    assert changes == [(second, 1, "六星", 99, None), (first, 1, "五星", 24, 12)]
    assert found.to_json()["changes"][0].keys() == {"order", "at", "n", "inputs", "old", "new"}


def test_only_the_newest_of_the_window_are_asked(tx: Tx, now: datetime) -> None:
    ids = [order(tx, now - days * DAY, made("五星", 24)) for days in (80, 40, 3, 2, 1)]

    def found(since: timedelta, limit: int) -> list[int]:
        return [p.order_id for p in past_decisions(tx, KEY, since=now - since, limit=limit)]

    assert found(10 * DAY, 100) == [ids[4], ids[3], ids[2]]
    assert found(100 * DAY, 100) == ids[::-1]
    assert found(100 * DAY, 4) == [ids[4], ids[3], ids[2], ids[1]]


def test_a_decision_without_a_past_has_nothing_to_compare(tx: Tx, now: datetime) -> None:
    order(tx, now - DAY, made("五星", 24, key="别的"))
    assert replay(tx, candidate(tx), since=now - 7 * DAY, limit=10).to_json() == {
        "same": 0, "different": 0, "nulls": 0, "changes": [],
    }  # fmt: skip


@pytest.mark.parametrize("limit", [0, LIMIT_MAX + 1])
def test_the_number_of_questions_is_bounded(limit: int, tx: Tx, now: datetime) -> None:
    with pytest.raises(TooLarge):
        list(past_decisions(tx, KEY, since=now - DAY, limit=limit))


def test_a_search_that_takes_too_long_is_refused(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "diaodu.rules.replay._MADE", "select pg_sleep(20), %(key)s, %(first)s, %(end)s, %(path)s, %(limit)s"
    )
    monkeypatch.setattr("diaodu.rules.replay.SEARCH_S", 0.1)
    with pytest.raises(ReplayTooWide), db.transaction() as tx:
        list(past_decisions(tx, KEY, since=tx.now - DAY, limit=1))


def test_only_the_months_of_the_window_are_read(tx: Tx, now: datetime) -> None:
    from diaodu.rules.replay import _MADE, _path

    first, end = first_id_at(now), first_id_at(now + DAY)
    asked = {"first": first, "end": end, "path": _path(KEY), "key": KEY, "limit": 1}
    plan = "\n".join(str(r[0]) for r in tx.rows("explain " + _MADE, asked))
    assert plan.count("history_") == 1


def test_the_limit_of_a_search_ends_with_it(tx: Tx, now: datetime) -> None:
    list(past_decisions(tx, KEY, since=now - DAY, limit=1))
    assert tx.row("show statement_timeout") == ("0",)
    assert queries.decisions(tx) == []
