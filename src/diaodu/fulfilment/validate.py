"""审核: the audit rules of the release, evaluated for every line of the revision.

A rule that does not hold either refuses the line (rule, field, value, how to mend it) or sets what the line lacks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from diaodu.catalog.model import AuditRule, plain
from diaodu.engine.ports import Call, Decision, Done, Nudge
from diaodu.fulfilment.intake import refuse, replaced
from diaodu.fulfilment.orders import OrderFacts, line_names, load_intake, record_decisions
from diaodu.kernel import journal
from diaodu.kernel.db import Tx
from diaodu.ordering import commands as ordering
from diaodu.ordering.model import Line, Revision

Facts = Mapping[int, OrderFacts]


@dataclass(frozen=True)
class Audited:
    """The revision as the audit leaves it, and what it refuses or added."""

    revision: Revision
    problems: list[Mapping[str, Any]]
    added: list[Mapping[str, Any]]


class Audit:
    """The service ``fulfilment.audit``; its variable ``audit`` is ``passed`` or ``refused``."""

    def load(self, tx: Tx, calls: Sequence[Call]) -> Facts:
        """The revisions that the calls are about."""
        return load_intake(tx, calls)

    def decide(self, call: Call, facts: Facts) -> Decision:
        """Audit one revision."""
        order = facts[call.root_id]
        if waits := replaced(order):
            return waits
        audited = audit(order)
        if audited.problems:
            # Work that waited for this revision goes on.
            return Decision(Done({"audit": "refused"}), audited, [Nudge(order.id)])
        return Decision(Done({"audit": "passed"}), audited)

    def apply(self, tx: Tx, decided: Sequence[tuple[Call, Decision]], facts: Facts) -> None:
        """Write what the audit added to the revisions, and reject those that it refuses."""
        record_decisions(tx, facts.values())
        changed, refused = [], []
        for call, decision in decided:
            audited: Audited | None = decision.writes
            if audited is None:
                continue
            if audited.problems:
                refused.append(replace(audited.revision, problems=audited.problems))
                journal.record(tx, call.root_id, {"t": "audit.refused", "problems": audited.problems})
            else:
                journal.record(tx, call.root_id, {"t": "audit.passed", "added": audited.added})
                changed += [audited.revision] if audited.added else []
        ordering.save_revisions(tx, changed)
        refuse(tx, refused)


def audit(facts: OrderFacts) -> Audited:
    """Evaluate every rule that applies; pure."""
    problems: list[Mapping[str, Any]] = []
    added: list[Mapping[str, Any]] = []
    lines = []
    for line in facts.revision.lines:
        audited = line
        for rule in facts.release.audit if line.wanted else ():
            if line.offering not in rule.offerings or line.action not in rule.actions:
                continue
            names = line_names(facts, audited)
            if rule.holds.evaluate(names) is True:
                continue
            finding = _finding(rule, audited, names)
            if rule.sets:
                values = {name: plain(e.evaluate(names)) for name, e in rule.sets.items()}
                audited = replace(audited, characteristics={**audited.characteristics, **values})
                added.append({**finding, "set": values})
            else:
                problems.append(finding)
        lines.append(audited)
    return Audited(replace(facts.revision, lines=tuple(lines)), problems, added)


def _finding(rule: AuditRule, line: Line, names: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rule": rule.id,
        "item": line.key,
        "field": rule.field,
        "value": plain(rule.value.evaluate(names)),
        "message": dict(rule.message),
        "mend": dict(rule.mend),
    }
