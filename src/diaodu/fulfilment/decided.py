"""The decisions of a release as functions, and the record of what they were asked for one order.

What a table answered stands in the order's history: it explains the order, and a new version of the table is tried
on it before it is published.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson

from diaodu import feel
from diaodu.catalog.model import PinnedDecision, Release
from diaodu.dmn.compile import Outcome
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.rules.model import to_plain


class Decided:
    """The functions for the expressions of one order in one batch; each different question is recorded once."""

    def __init__(self, release: Release) -> None:
        self.functions: Mapping[str, feel.Function] = {
            key: d.model.function(d.name, partial(self._note, d)) for key, d in release.decisions.items()
        }
        self._made: dict[bytes, dict[str, Any]] = {}
        self._unfit: list[dict[str, Any]] = []

    def unfit(self, policy: str, item: str) -> None:
        """Note that a policy of the release gave nothing that fits, so that its own values hold."""
        self._unfit.append({"t": "policy.unfit", "policy": policy, "item": item})

    def ask(self, decision: PinnedDecision, names: Mapping[str, Any]) -> Any:
        """What a decision says when each of its inputs is the name of that name; FeelError when a budget is spent."""
        inputs = {item.name: names.get(item.name) for item in decision.model.inputs(decision.name)}
        outcome = decision.model.decide(decision.name, inputs)
        self._note(decision, inputs, outcome)
        return outcome.value

    def _note(self, decision: PinnedDecision, inputs: Mapping[str, Any], outcome: Outcome) -> None:
        asked = {"key": decision.key, "n": decision.n, "inputs": to_plain(inputs)}
        name = orjson.dumps(asked, default=str)
        if name not in self._made:
            rules = [n for table in outcome.tables for n in table.rules]
            self._made[name] = {**asked, "output": to_plain(outcome.value), "rules": rules}

    def record(self, tx: Tx, order_id: int) -> None:
        """Add what was decided since the last time to the order's history; nothing if nothing was."""
        if self._made:
            journal.record(tx, order_id, {"t": "decisions.made", "decisions": list(self._made.values())})
            self._made = {}
        for entry in self._unfit:
            journal.record(tx, order_id, entry)
        self._unfit = []
