"""An effect between its sending and its verdict: what is said to its system, and what the answers come to."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from diaodu import provisioning
from diaodu.provisioning.errors import OutcomeUnknown, Unreachable
from diaodu.provisioning.model import Address, Command, Reply, Sending, Verdict

ATTEMPTS = 12  # after so many without an answer, and each time after so many more, it has failed
BACKOFF_S, BACKOFF_MAX_S = 0.5, 300.0
NOWHERE = Address("", 0)


@dataclass(slots=True)
class Flight:
    """``asked``: its key was asked about, not sent; ``found_open``: it was sent before this sender knew of it."""

    sending: Sending
    order_id: int
    attempts: int
    state: str
    address: Address = NOWHERE
    asked: bool = True
    found_open: bool = True
    deadline: float = 0.0
    answer: Reply | None = None
    read: Reply | None = None
    verdict: Verdict | None = None

    @property
    def system(self) -> str:
        """What its element begins with."""
        return self.sending.element.partition(":")[0]

    @property
    def turn(self) -> int:
        """Which read-back belongs to it now."""
        return 2 * self.attempts + self.asked

    @property
    def blind(self) -> bool:
        """It was sent, its system can tell nothing about it and might carry it out twice: a person decides."""
        return self.asked and not self.address.queryable and not self.address.idempotent

    def commands(self) -> list[Command]:
        """What to say now; one who cannot be asked, and does nothing twice, is told again under the same key."""
        first = provisioning.command(self.sending)
        if not self.address.queryable:
            return [first]
        if self.asked:
            first = provisioning.question(self.sending)
        return [first, provisioning.reading(self.sending, self.turn)]

    def take(self, reply: Reply) -> None:
        """Keep a reply to one of the commands; a read-back of an earlier turn is too old to tell anything."""
        if "/" not in reply.key:
            self.answer = reply
        elif reply.key == provisioning.reading(self.sending, self.turn).key:
            self.read = reply
        if self.answer:
            self.verdict = provisioning.judge(self.sending, self.answer, self.read, queryable=self.address.queryable)

    def unanswered(self) -> Verdict:
        """What is known when no answer came: nothing, and whether somebody has to look."""
        return self._unknown() if self.blind else Verdict("unknown")

    def outcome(self, now: datetime) -> Mapping[str, Any]:
        """The outcome as ``effect.report`` takes it; a technical fault becomes a failure when it lasts too long."""
        verdict = self.verdict
        assert verdict is not None
        # A question that found no answer counts like a sending.
        attempts = self.attempts + (self.found_open and verdict.state == "unknown")
        found = {"effect": self.sending.id, "state": verdict.state, "attempts": attempts, "at": now.isoformat()}
        if verdict.state in ("intent", "unknown"):
            # Attempts are never counted down: they tell one report from the next, whoever had it done again.
            if attempts % ATTEMPTS:
                return found | {"due": (now + timedelta(seconds=backoff_s(attempts % ATTEMPTS))).isoformat()}
            verdict = self._unreachable(attempts)
        return found | {"state": verdict.state, "result": verdict.result, "cause": verdict.cause}

    def _unreachable(self, attempts: int) -> Verdict:
        # What may have been done must not be sent again by itself to one who would do it twice.
        if self.verdict == Verdict("unknown") and not self.address.idempotent:
            return self._unknown()
        unreachable = Unreachable(element=self.sending.element, attempts=attempts)
        return Verdict("failed", cause=provisioning.cause(unreachable))

    def _unknown(self) -> Verdict:
        s = self.sending
        unknown = OutcomeUnknown(element=s.element, subject=provisioning.subject(s))
        return Verdict("failed", cause=provisioning.cause(unknown))


def backoff_s(attempts: int) -> float:
    """Twice as long each time, and never the same for two."""
    longest: float = min(BACKOFF_MAX_S, BACKOFF_S * 2 ** max(0, attempts - 1))
    return longest * random.uniform(0.5, 1.0)
