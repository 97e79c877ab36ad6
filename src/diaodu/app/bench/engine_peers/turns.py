# ruff: noqa: INP001 - no package of ours: it runs where only the peer is installed
"""What the peers share; it runs in their throw-away environment and knows nothing of this program."""

import json
import sys
from collections.abc import Callable

# The variables of the work item.
VARS = {
    "amount": 250,
    "customer": "C-4711",
    "externalId": "ORD-2026-000123",
    "items": [
        {
            "id": n,
            "action": "add",
            "state": "acknowledged",
            "product": {"id": f"P{n}", "name": "Fibre 1000"},
            "characteristic": {"speed": 1000, "sla": "gold", "address": f"Hangzhou, Wensan Road 38, room {n}"},
        }
        for n in range(3)
    ],
}


def arguments() -> tuple[str, int]:
    """The DSN of an empty database, and the number of instances."""
    return sys.argv[1], int(sys.argv[2])


def take_turns(work: Callable[[], None]) -> None:
    """Say that all is ready, work when told to, say that it is done, and end when told to."""
    for told in ("ready", "done"):
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        sys.stdin.readline()
        if told == "ready":
            work()
