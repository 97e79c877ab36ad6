"""What the oracle's states are made of."""

from typing import Any, NamedTuple

from tests.engine.proof.diagram import Vars

Pairs = tuple[tuple[str, Any], ...]


class Thing(NamedTuple):
    """``at``: a sequence flow, a node, ``@node`` on the way into it, ``turn:node`` or ``throw:node``."""

    at: str
    scope: int  # the thing around it, 0 for none
    timers: frozenset[str] = frozenset()
    open: bool = True  # of a scope: its event subprocesses may start
    loop: tuple[int, int, int, tuple[Any, ...]] | None = None  # total, begun, done, items to come
    vars: Pairs | None = None
    left: tuple[str, ...] = ()  # of an ad-hoc subprocess: what is still to be enabled


PLAIN = Thing("", 0)[2:]


class Observed(NamedTuple):
    """What an outsider sees of a root at rest."""

    ended: bool
    waits: tuple[tuple[str, str], ...]
    vars: Pairs


def pairs(found: Vars) -> Pairs:
    """Variables in a form that can be compared."""
    return tuple(sorted((n, tuple(v) if isinstance(v, list) else v) for n, v in found.items()))
