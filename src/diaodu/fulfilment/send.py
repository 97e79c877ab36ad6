"""下发: intents go to other systems, and what those answer comes back as reports.

The intent is the queue. One sender per system (lease) reads ready intents without locks, commits ``sent``, and only
then speaks, outside of any transaction. Whatever happens next, nothing is sent blind: an effect whose answer is
missing is asked about by its key, and sent again, under the same key, only when the system has never seen it. So a
process may be killed anywhere: at least once on the wire is once at the system.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import groupby
from typing import Any

import psycopg
import structlog

from diaodu import provisioning
from diaodu.engine import commands as engine
from diaodu.fulfilment.flight import Flight, backoff_s
from diaodu.kernel import leases
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import Rejected
from diaodu.kernel.ids import part_of
from diaodu.provisioning import Break, Wire, queries
from diaodu.provisioning.model import Address, Command, Reply, Sending, Verdict

log = structlog.get_logger(__name__)

IN_FLIGHT = 500
PER_ELEMENT = 128  # of one round, so that a busy element does not keep the others waiting
ANSWER_S = 5.0
FIRST_REPLY_S = 0.05
WINDOW_S = 0.02  # after the first reply: what comes later is for the next round
PACE_S = 0.025  # between two looks at a queue that was not full: fewer and fuller transactions
ASK_EVERY_S = 0.2
LEASES_EVERY_S = leases.LEASE_TIME.total_seconds() / 3
IDLE_S = (0.002, 0.05)
# A report that has not landed by then is asked for again; normally it lands within a second.
PATIENCE = timedelta(seconds=60)
REST_MAX_S = 5.0
LATE_KEPT = 2_000  # of what no answer came to in time: it may come yet

_QUEUE = "state = 'intent' and ready and element is not null"
_OPEN = "state in ('sent', 'unknown') and element is not null"
# The elements are found by hopping through the index, one step each, so that neither the queues of areas nor the
# sorting order of the database's language are in the way.
_READ = """
with recursive hop(element) as (
  (select min(element) from planning.effect where {which})
  union all
  select (select min(element) from planning.effect where {which} and element > h.element)
    from hop h where h.element is not null
)
select e.id, e.op, e.kind, e.element, e.thing_id, e.params,
       case when u.result ->> 'by_hand' is null then u.op else 'by-hand' end, e.order_id, e.attempts, e.state
  from hop h
 cross join lateral (
   select * from planning.effect where {which} and element = h.element and {due} order by {order} limit %(each)s
 ) e
  left join planning.effect u on u.part = e.part and u.order_id = e.order_id and u.id = e.of_id and e.op = 'undo'
 where split_part(h.element, ':', 1) = any(%(systems)s)
 order by e.priority, e.id limit %(limit)s
"""
_READY = _READ.format(which=_QUEUE, due="(due_at is null or due_at <= %(now)s)", order="priority, id")
_DUE = _READ.format(which=_OPEN, due="due_at <= %(now)s", order="due_at, id")
_LEFT_SENT = _READ.format(which=_OPEN, due="state = 'sent'", order="due_at, id")
# The only write of an effect outside the lock of its order. It is the fence against a withdrawal: whoever changes the
# row first wins, and neither waits for the other.
_MARK = """
with free as (
  select e.order_id, e.id from unnest(%(orders)s::int8[], %(ids)s::int8[]) as u(order_id, id)
    join planning.effect e on e.part = %(part)s and e.order_id = u.order_id and e.id = u.id
   where e.state = 'intent' and e.ready order by e.id for update of e skip locked
)
update planning.effect e set state = 'sent', sent_at = %(now)s, due_at = %(due)s, attempts = e.attempts + 1
  from free f where e.part = %(part)s and e.order_id = f.order_id and e.id = f.id returning e.id, e.attempts
"""


class Sender:
    """Sends the intents of ``systems`` (what their elements begin with: ``olt``, ``billing``) while it holds them."""

    def __init__(self, db: Database, owner: str, systems: Iterable[str], *, answer_s: float = ANSWER_S) -> None:
        self._db, self._owner, self._systems, self._answer_s = db, owner, frozenset(systems), answer_s
        self._wire = Wire()
        self._held: set[str] = set()
        self._addresses: dict[str, Address] = {}
        self._flying: dict[int, Flight] = {}
        self._judged: dict[int, Flight] = {}
        self._late: OrderedDict[int, Flight] = OrderedDict()  # reported without an answer
        self._to_ask: deque[Flight] = deque()
        # Reported and perhaps not landed yet: as what, after how many attempts, and until when to believe that it will.
        self._told: dict[int, tuple[str, int, datetime]] = {}
        self._resting: dict[Address, tuple[int, float]] = {}
        self._next_leases = self._next_claim = self._next_ask = 0.0

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop; then settle what is in flight and let go of the leases."""
        pause = IDLE_S[0]
        while not stop.is_set():
            try:
                busy = self.round()
            except psycopg.OperationalError as error:
                log.warning("sender.database-lost", owner=self._owner, error=str(error))
                busy, pause = False, 1.0
            if busy:
                pause = IDLE_S[0]
            else:
                stop.wait(pause)
                pause = min(pause * 2, IDLE_S[1])
        self.close()

    def run_until_idle(self) -> int:
        """Send until nothing is ready and all is answered; what waits for its due instant stays. Returns rounds."""
        rounds, more = 0, True
        while more:
            self._next_claim = self._next_ask = 0.0
            more = self.round() or bool(self._flying or self._judged)
            rounds += 1
        return rounds

    def close(self) -> None:
        """Wait for the answers of what is in flight, and let go of what nothing is left half done of."""
        end = time.monotonic() + 2 * self._answer_s
        while (self._flying or self._judged) and time.monotonic() < end:
            self._listen()
            self._store()
        unclean = {f.system for f in (*self._flying.values(), *self._judged.values(), *self._to_ask)}
        leases.release(self._db, self._owner, [_lease(s) for s in self._held - unclean])
        self._held.clear()
        self._wire.close()

    def round(self) -> bool:
        """Begin what is ready, hear what has come, store what is known; whether there was anything to do."""
        now = time.monotonic()
        if now >= self._next_leases:
            self._next_leases = now + LEASES_EVERY_S
            self._keep_leases()
        begun = self._ask(now) + self._claim(now)
        self._listen()
        stored = self._store()
        return bool(begun or stored or self._flying)

    def _keep_leases(self) -> None:
        with self._db.transaction(actor=self._owner) as tx:
            self._addresses = queries.addresses(tx)
            self._told = {i: told for i, told in self._told.items() if told[2] > tx.now}
        lost = self._held - {n.partition(":")[2] for n in leases.renew(self._db, self._owner, _names(self._held))}
        self._held -= lost
        # Whoever holds them now asks about what flies.
        self._flying = {i: f for i, f in self._flying.items() if f.system not in lost}
        self._to_ask = deque(f for f in self._to_ask if f.system not in lost)
        if free := (self._systems & self._addresses.keys()) - self._held:
            taken = leases.take(self._db, self._owner, _names(free), len(free))
            systems = {t.name.partition(":")[2] for t in taken}
            self._held |= systems
            if systems:
                self._question(self._read(_LEFT_SENT, systems, each=None, limit=None))

    def _reachable(self, now: float) -> set[str]:
        """The systems that may be spoken to: held, and not at rest after a broken connection."""
        return {
            s for s in self._held if s in self._addresses and self._resting.get(self._addresses[s], (0, 0.0))[1] <= now
        }

    def _ask(self, now: float) -> int:
        """Ask about what was left behind and about what is unknown and due."""
        systems = self._reachable(now)
        if systems and now >= self._next_ask:
            self._next_ask = now + ASK_EVERY_S
            self._question(self._read(_DUE, systems, each=IN_FLIGHT, limit=IN_FLIGHT))
        begun: list[Flight] = []
        kept: deque[Flight] = deque()
        while self._to_ask and len(begun) + len(self._flying) < IN_FLIGHT:
            flight = self._to_ask.popleft()
            (begun if flight.system in systems else kept).append(flight)
        self._to_ask.extendleft(reversed(kept))
        self._launch(begun, now)
        return len(begun)

    def _question(self, found: Iterable[Flight]) -> None:
        """Put open effects in line to be asked about, unless their answer is on its way here or to their order."""
        known = {f.sending.id for f in self._to_ask} | self._flying.keys() | self._judged.keys()
        self._to_ask += [f for f in found if f.sending.id not in known and not self._is_told(f)]

    def _is_told(self, flight: Flight) -> bool:
        told = self._told.get(flight.sending.id)
        return told is not None and told[:2] != (flight.state, flight.attempts) and self._db.clock() < told[2]

    def _claim(self, now: float) -> int:
        """Take ready intents, mark them sent, send them."""
        room = IN_FLIGHT - len(self._flying)
        systems = self._reachable(now)
        if now < self._next_claim or room <= 0 or not systems:
            return 0
        found = {f.sending.id: f for f in self._read(_READY, systems, each=PER_ELEMENT, limit=room)}
        self._next_claim = now + (0 if len(found) >= min(room, PER_ELEMENT) else PACE_S)
        begun = []
        for part, of_part in groupby(sorted(found, key=part_of), key=part_of):
            ids = list(of_part)
            with self._db.transaction(actor=self._owner) as tx:
                orders = [found[i].order_id for i in ids]
                values = {"part": part, "orders": orders, "ids": ids, "now": tx.now, "due": tx.now + PATIENCE}
                marked = tx.rows(_MARK, values)
            for effect_id, attempts in marked:
                flight = found[effect_id]
                flight.attempts, flight.asked, flight.found_open = attempts, False, False
                begun.append(flight)
        self._launch(begun, time.monotonic())
        return len(begun)

    def _read(self, query: str, systems: set[str], *, each: int | None, limit: int | None) -> list[Flight]:
        with self._db.transaction(actor=self._owner) as tx:
            values = {"now": tx.now, "systems": sorted(systems), "each": each, "limit": limit}
            return [Flight(Sending(*row[:7]), *row[7:]) for row in tx.rows(query, values)]

    def _launch(self, flights: Iterable[Flight], now: float) -> None:
        posts: dict[Address, list[Command]] = {}
        for flight in flights:
            flight.deadline, flight.read = now + self._answer_s, None
            flight.address = self._addresses.get(flight.system, flight.address)
            self._flying[flight.sending.id] = flight
            if flight.blind:
                self._decide(flight, flight.unanswered())
                continue
            try:
                posts.setdefault(flight.address, []).extend(flight.commands())
            except Rejected as rejected:
                self._decide(flight, Verdict("failed", cause=provisioning.cause(rejected)))
        for address, commands in posts.items():
            self._wire.post(address, commands)

    def _listen(self) -> None:
        """Hear replies until all have come or a short window after the first one is over."""
        end = time.monotonic() + FIRST_REPLY_S if self._flying else 0.0
        heard = False
        while True:
            left = max(0.0, end - time.monotonic())
            arrived = self._wire.collect(left)
            for reply in arrived.replies:
                self._hear(reply)
            for broken in arrived.breaks:
                self._break(broken)
            if arrived and not heard:
                heard, end = True, min(end, time.monotonic() + WINDOW_S)
            if not self._flying or left <= 0:
                break
        self._chase()

    def _hear(self, reply: Reply) -> None:
        number = reply.key.partition("/")[0]
        if not number.isdecimal():
            return
        flight = self._flying.get(int(number))
        if flight is None:
            self._hear_late(self._late.get(int(number)), reply)
            return
        self._resting.pop(flight.address, None)
        flight.take(reply)
        if flight.verdict:
            self._decide(flight, flight.verdict)

    def _hear_late(self, flight: Flight | None, reply: Reply) -> None:
        """An answer after its time is as true as any; only that there was none yet, which it may say, is stale."""
        if flight is None:
            return
        flight.verdict = None
        flight.take(reply)
        found: Verdict | None = flight.verdict
        if found and found.state != "intent":
            self._judged[flight.sending.id] = self._late.pop(flight.sending.id)

    def _break(self, broken: Break) -> None:
        """What had not left goes back to the queue; what may have arrived is unknown and will be asked about."""
        failures = self._resting.get(broken.address, (0, 0.0))[0] + 1
        pause = min(REST_MAX_S, backoff_s(failures))
        self._resting[broken.address] = failures, time.monotonic() + pause
        for flight in [f for f in self._flying.values() if f.address == broken.address]:
            command = flight.commands()[0]
            unsent = not flight.asked and (command.key, command.verb) in broken.unsent
            self._decide(flight, Verdict("intent" if unsent else "unknown"))

    def _chase(self) -> None:
        """An answer that is overdue is asked for once; then it is unknown."""
        now = time.monotonic()
        late = [f for f in self._flying.values() if f.deadline <= now]
        for flight in [f for f in late if f.asked]:
            self._decide(flight, flight.unanswered())
        chased = [f for f in late if not f.asked]
        for flight in chased:
            flight.asked = True
        self._launch(chased, now)

    def _decide(self, flight: Flight, verdict: Verdict) -> None:
        flight.verdict = verdict
        self._judged[flight.sending.id] = flight
        self._late.pop(flight.sending.id, None)
        del self._flying[flight.sending.id]

    def _store(self) -> int:
        """Report what is known, in one transaction a partition, as one job an order."""
        now = self._db.clock()
        judged = sorted(self._judged.values(), key=lambda f: (part_of(f.order_id), f.order_id, f.sending.id))
        self._store_also([f for f in judged if f.verdict and f.verdict.state == "confirmed"])
        for _, same_part in groupby(judged, key=lambda f: part_of(f.order_id)):
            flights = list(same_part)
            outcomes = {f.sending.id: f.outcome(now) for f in flights}
            with self._db.transaction(actor=self._owner) as tx:
                _report(tx, flights, outcomes)
            for flight in flights:
                outcome = outcomes[flight.sending.id]
                self._told[flight.sending.id] = outcome["state"], outcome["attempts"], now + PATIENCE
                del self._judged[flight.sending.id]
                if flight.answer is None:
                    self._late[flight.sending.id] = flight
        while len(self._late) > LATE_KEPT:
            self._late.popitem(last=False)
        return len(judged)

    def _store_also(self, confirmed: Sequence[Flight]) -> None:
        """A notice that speaks for other orders too is reported to these first: a crash between leaves it unsettled."""
        told = [(int(order), int(effect), f) for f in confirmed for order, effect in f.sending.params.get("also", ())]
        for order_id, effect_id, f in told:
            outcome = {"effect": effect_id, "state": "confirmed", "result": {"told_by": str(f.order_id)}}
            body = {"source": "adapter", "outcomes": [outcome]}
            with self._db.transaction(actor=self._owner) as tx:
                engine.enqueue(
                    tx, [engine.Enqueue(order_id, "effect.report", body, f"also:{f.sending.id}:{effect_id}")]
                )


def _report(tx: Tx, flights: Sequence[Flight], outcomes: Mapping[int, Mapping[str, Any]]) -> None:
    rows = []
    for order_id, of_order in groupby(flights, key=lambda f: f.order_id):
        told = [outcomes[f.sending.id] for f in of_order]
        # The same outcomes have the same key: a repeat enters the order once.
        text = "|".join(f"{o['effect']}:{o['attempts']}:{o['state']}:{o.get('due')}" for o in told)
        key = "sent:" + blake2b(text.encode(), digest_size=16).hexdigest()
        rows.append(engine.Enqueue(order_id, "effect.report", {"source": "adapter", "outcomes": told}, key))
    engine.enqueue(tx, rows)


def _lease(system: str) -> str:
    return f"element:{system}"


def _names(systems: Iterable[str]) -> list[str]:
    return [_lease(s) for s in sorted(systems)]
