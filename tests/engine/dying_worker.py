"""A worker for a test: it dies inside a service when it meets a number, or after a number of calls.

python dying_worker.py DSN SHIFT_SECONDS POISON DIE_AFTER
"""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from diaodu.engine.ports import Call, Decision, Done, Handlers
from diaodu.engine.worker import Worker
from diaodu.kernel.db import Database, Tx


class Deadly:
    """Writes one row per call in the batch's transaction, and dies on purpose."""

    def __init__(self, poison: int, die_after: int) -> None:
        self.poison, self.left = poison, die_after

    def load(self, _tx: Tx, _calls: Sequence[Call]) -> Any:
        return None

    def decide(self, _call: Call, _facts: Any) -> Decision:
        return Decision(Done())

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], _facts: Any) -> None:
        for call, _ in decided:
            tx.run("insert into did (n, node) values (%s, %s)", (call.vars["n"], call.node))
            self.left -= 1
            if call.vars["n"] == self.poison or self.left == 0:
                os._exit(9)


def handlers(poison: int = -1, die_after: int = -1) -> Handlers:
    """Handlers with the deadly service."""
    return Handlers({"deadly": Deadly(poison, die_after)}, {})


if __name__ == "__main__":
    dsn, shift, poison, die_after = sys.argv[1], *map(int, sys.argv[2:])
    database = Database(dsn, clock=lambda: datetime.now(UTC) + timedelta(seconds=shift))
    Worker(database, handlers(poison, die_after), f"dying-{shift}").run_until_idle()
