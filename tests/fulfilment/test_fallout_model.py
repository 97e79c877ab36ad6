"""What becomes of a failure, without a database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.catalog.example import release

from diaodu.catalog.model import CauseClass, Handling
from diaodu.fulfilment.fallout_model import FALLOUT_TABLE, Evidence, Happening, Standing, Treatment, cause_of, pause
from diaodu.kernel.states import NotPossible
from diaodu.planning.model import Effect, Op, State

_S, _H = Standing, Happening
NEXT = {
    _S.OPEN: (_S.OPEN, _S.WAITING, _S.CLAIMED, None, _S.CLOSED),
    _S.CLAIMED: (_S.CLAIMED, _S.WAITING, None, _S.OPEN, _S.CLOSED),
    _S.WAITING: (_S.OPEN, _S.WAITING, None, None, _S.CLOSED),
    _S.CLOSED: (_S.OPEN, None, None, None, _S.CLOSED),
}


@pytest.mark.parametrize("state", list(Standing))
@pytest.mark.parametrize("what", list(Happening))
def test_every_pair_is_answered(state: Standing, what: Happening) -> None:
    wanted = NEXT[state][list(Happening).index(what)]
    assert FALLOUT_TABLE.next(state, what) is wanted
    if wanted is None:
        with pytest.raises(NotPossible):
            FALLOUT_TABLE.take(state, what, entity="fallout", key=1)


def failed(cause: Any) -> Effect:
    return Effect(
        id=1, order_id=2, revision=1, thing_id=3, kind="olt.port", item_key="1", op=Op.DO, of_id=None,
        state=State.FAILED, ready=True, needs=(), work="W1", element="olt:1", priority=3, reads_hash=None, params={},
        undo=None, result={"cause": cause},
    )  # fmt: skip


def test_a_cause_is_of_the_class_that_the_catalogue_says() -> None:
    told = {"code": "port-taken", "zh": "端口已占用", "en": "port taken"}
    cause = cause_of(failed(told), release())
    assert (cause.code, cause.cause_class, cause.told) == (
        "port-taken", CauseClass.RESOURCE, {"zh": "端口已占用", "en": "port taken"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cause", "code", "cause_class", "zh"),
    [
        ({"code": "odd"}, "odd", CauseClass.BUSINESS, "odd"),
        ("光缆中断", "work.failed", CauseClass.TECHNICAL, "光缆中断"),
        (None, "work.failed", CauseClass.TECHNICAL, "现场施工失败"),
    ],
)
def test_an_unknown_cause_has_a_class_and_words_all_the_same(
    cause: Any, code: str, cause_class: CauseClass, zh: str
) -> None:
    found = cause_of(failed(cause), release())
    assert (found.code, found.cause_class, found.told["zh"]) == (code, cause_class, zh)


def test_each_retry_waits_twice_as_long_and_chance_spreads_them() -> None:
    minute, day = timedelta(minutes=1), timedelta(days=1)
    retry = Treatment(Handling.RETRY, minute, "noc", day)
    assert [pause(retry, n, 1.0) for n in (1, 2, 3)] == [minute, 2 * minute, 4 * minute]
    assert [pause(retry, n, 0.0) for n in (1, 2)] == [minute / 2, minute]
    assert pause(retry, 500, 1.0) == timedelta(hours=6)
    assert pause(replace(retry, action=Handling.WAIT), 3, 0.0) == minute


@pytest.mark.parametrize(
    ("evidence", "shows"),
    [(Evidence(), False), (Evidence(" "), False), (Evidence("x"), True), (Evidence("", ("a",)), True)],
)
def test_evidence_is_text_or_an_attachment(evidence: Evidence, *, shows: bool) -> None:
    assert bool(evidence) is shows
