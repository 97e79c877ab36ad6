"""What a history says: the states of everything that belongs to an order, folded from its entries; pure.

An entry ``noun.added`` or ``noun.state`` carries the identity of the thing (``id``) and its state (``state``, ``to``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from diaodu.ordering.model import FINAL

Entry = Mapping[str, Any]
# Of people's work each entry tells what was done by its verb; where it led stands in ``to``.
_TOLD_BY_VERB = ("task", "recall", "appointment")
_KNOWN = ("item", "effect", "task", "hold", "cancellation", "appointment", "recall", "fallout", "instance")


@dataclass
class Story:
    """The states at the end of what was folded, by noun and id, and what it tells after an item had ended."""

    things: dict[str, dict[int, dict[str, Any]]] = field(default_factory=lambda: {noun: {} for noun in _KNOWN})
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
        if noun == "revision":
            story.revisions[e["n"]] = _REVISIONS.get(verb, verb)
        elif noun in story.things and verb == "added":
            story.things[noun][e["id"]] = {k: v for k, v in e.items() if k not in ("t", "id")}
        elif (noun in story.things and verb == "state") or (noun in _TOLD_BY_VERB and "to" in e):
            _move(story, noun, e)
    return story


_REVISIONS = {"entered": "intake"}


def _move(story: Story, noun: str, e: Entry) -> None:
    known = story.things[noun].setdefault(e["id"] if "id" in e else e[noun], {})
    if noun == "item" and known.get("state") in FINAL:
        story.after_end.append(f"item {e['key']} went from {e['from']} to {e['to']} after its end")
    known.update({k: v for k, v in e.items() if k not in ("t", "id", "from", "to")}, state=e["to"])
    if "reason" not in e:
        known.pop("reason", None)
