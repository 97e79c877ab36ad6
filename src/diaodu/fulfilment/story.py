"""What a history says: the states of everything that belongs to an order, folded from its entries; pure.

An entry about a thing carries its identity (``id``, or under its own noun) and where it was led (``to``, or ``state``
when it was new); a few verbs alone say what it came to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from diaodu.ordering.model import FINAL

Entry = Mapping[str, Any]
NOUNS = ("item", "effect", "task", "hold", "cancel", "appointment", "recall", "fallout")
# What the verb alone says.
_VERBS = {"hold.opened": "open", "hold.ended": "ended", "cancel.asked": "acknowledged"}


@dataclass
class Story:
    """The states at the end of what was folded, by noun and id, and what it tells after an item had ended."""

    things: dict[str, dict[int, dict[str, Any]]] = field(default_factory=lambda: {noun: {} for noun in NOUNS})
    revisions: dict[int, str] = field(default_factory=dict)
    after_end: list[str] = field(default_factory=list)

    def states(self, noun: str) -> dict[int, str]:
        """The state of each thing of a kind."""
        return {i: thing["state"] for i, thing in self.things[noun].items()}


def fold(entries: Iterable[Entry]) -> Story:
    """Replay entries in their order."""
    story = Story()
    for e in entries:
        noun, _, verb = e["t"].partition(".")
        if e["t"] == "order.captured":
            story.revisions[1] = "intake"
        elif noun == "revision":
            story.revisions[e["n"]] = "intake" if verb == "entered" else verb
        # The engine tells of a cancellation of its own, which is none of these.
        elif noun in story.things and {"id", noun} & e.keys() and (state := _state(e)):
            _move(story, noun, e, state)
    return story


def _state(e: Entry) -> str | None:
    return e.get("to") or e.get("state") or _VERBS.get(e["t"])


def _move(story: Story, noun: str, e: Entry, state: str) -> None:
    known = story.things[noun].setdefault(e["id"] if "id" in e else e[noun], {})
    # A point of no return is no state.
    if e["t"] == "item.ponr":
        known["ponr"] = state
        return
    if noun == "item" and known.get("state") in FINAL:
        story.after_end.append(f"item {e['key']} went from {e['from']} to {e['to']} after its end")
    known.update({k: v for k, v in e.items() if k not in ("t", "id", "from", "to")}, state=state)
    if "reason" not in e:
        known.pop("reason", None)
