"""Every state machine answers every event in every state, and its document says the same."""

from enum import StrEnum
from typing import Any

import pytest
from tools import states

from diaodu.kernel.states import NotPossible, StateTable

PAIRS = [(t, s, e) for t, _ in states.TABLES for s in t.states for e in t.events]
_ids = [f"{t.name}-{s}-{e}" for t, s, e in PAIRS]


@pytest.mark.parametrize(("table", "state", "event"), PAIRS, ids=_ids)
def test_every_pair_is_answered(table: StateTable[Any, Any], state: StrEnum, event: StrEnum) -> None:
    moved, ignored = table.moves[state].get(event), (state, event) in table.ignored
    if moved is None and not ignored:
        with pytest.raises(NotPossible) as refusal:
            table.take(state, event, entity=table.name, key=7)
        assert (refusal.value.params["state"], refusal.value.params["event"]) == (state, event)
        assert all(e in refusal.value.params["possible"] for e in table.moves[state])
    else:
        assert table.take(state, event, entity=table.name, key=7) is (state if ignored else moved)
        assert state not in table.final or ignored


@pytest.mark.parametrize("table", [t for t, _ in states.TABLES], ids=lambda t: t.name)
def test_every_event_means_something_somewhere(table: StateTable[Any, Any]) -> None:
    used = {e for moves in table.moves.values() for e in moves} | {e for _, e in table.ignored}
    assert used == set(table.events.__members__.values())


def test_the_document_of_states_is_up_to_date() -> None:
    assert states.PAGE.read_text(encoding="utf-8") == states.page(), "run: python tools/states.py"
