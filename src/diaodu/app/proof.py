"""Proof under fire: orders run while processes are killed at random; at the end nothing is lost and all is whole.

A round is one server on a throw-away database. Everything in it that is random follows from its seed, but the
moments at which the machine runs each process do not: a round is evidence, not a replay.
"""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from diaodu.app.installation import opened
from diaodu.app.invariants import check_all
from diaodu.app.processes import DIAODU
from diaodu.app.proof_changes import agree_to_fees, change_one
from diaodu.app.proof_record import KILLS as KILLED
from diaodu.app.proof_record import add_row
from diaodu.app.technicians import work_once
from diaodu.kernel.clock import wall_clock
from diaodu.kernel.db import Database
from diaodu.ordering.tmf import BASE

ORDERS, KILLS = 20, 5  # of a round
REMOVED_SHARE = 4  # every fourth order takes a service down
WORKERS = 2
STEP_S = 0.2
PAUSE_S = (0.2, 1.5)  # between two kills
PATIENCE_S = 180.0  # after the last kill: leases run out after seconds, back-off ends after minutes at most
# One home a box, so that none of them waits for a port; the seed chooses.
_HOMES = """
select full_name, code from (
  select distinct on (a.box_id) a.id, a.full_name, c.code
    from inventory.address a join party.customer c on c.address_id = a.id
   where exists (select from inventory.resource r where r.area = a.area and r.up_id = a.box_id
                    and r.spec = 'box_port' and r.state = 0)
   order by a.box_id, a.id) h
 order by md5(h.id::text || %s) limit %s
"""
_INSTALLED = """
select p.id, c.code from inventory.product p join party.customer c on c.id = p.customer_id
 where p.parent_id is null and p.offering in ('P1', 'P2') and p.state = 2 and p.claimed_by is null
 order by md5(p.id::text || %s) limit %s
"""


@dataclass
class Round:
    """What came of one round; ``orders`` are those completed."""

    seed: int
    orders: int = 0
    kills: int = 0
    unfinished: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Every order completed, every invariant holds."""
        return not (self.unfinished or self.violations)


def prove(minutes: float, seed: int, record: Path, console: Console) -> bool:
    """Run rounds with seeds from ``seed`` on until the time is over; adds a line to ``record``."""
    end = time.monotonic() + minutes * 60
    rounds: list[Round] = []
    while not rounds or time.monotonic() < end:
        rounds.append(found := run_round(seed + len(rounds)))
        console.print(f"seed {found.seed}: {found.orders} orders, {found.kills} kills, {_verdict(found)}")
        for line in [*found.unfinished, *found.violations]:
            console.print(f"  {line}", highlight=False)
    _write(record, rounds)
    return all(r.whole for r in rounds)


def run_round(seed: int, *, orders: int = ORDERS, kills: int = KILLS, changes: int = 0) -> Round:
    """Submit ``orders`` while processes are killed ``kills`` times, wait for all of them, check the invariants.

    ``changes`` of them are amended or cancelled on their way.
    """
    rng = random.Random(seed)
    found = Round(seed)
    with server() as (told, process), opened(told["database_url"]) as db:
        fire = _Fire(process.pid, rng, kills)
        keys = [f"proof-{seed}-{n}" for n in range(orders)]
        waiting = dict(zip(keys, _documents(db, keys, rng), strict=True))
        deadline = time.monotonic() + PATIENCE_S + kills * PAUSE_S[1]
        while time.monotonic() < deadline:
            _submit(told, waiting)
            changes -= change_one(told, db, rng) if changes else 0
            agree_to_fees(db)
            work_once(db)
            fire.perhaps()
            if not waiting and not fire.left and not changes and not _open_orders(db):
                break
            time.sleep(STEP_S)
        found.orders, found.kills = _completed(db), fire.done
        found.unfinished = [*(f"{key}: never taken" for key in waiting), *_open_orders(db)]
        found.violations = [f"{c.name}: {v}" for c in check_all(db) for v in c.violations]
    return found


@contextmanager
def server() -> Iterator[tuple[Mapping[str, Any], subprocess.Popen[bytes]]]:
    """A scratch server of its own process: what it told when it was ready, and the process."""
    command = [*DIAODU, "serve", "--scratch", "--workers", str(WORKERS), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    with process, process.stdout as lines:
        try:
            yield json.loads(lines.readline() or b"{}"), process
        finally:
            process.send_signal(signal.SIGTERM)


class _Fire:
    """Kills a child of the server at random moments: workers with their senders, the web process, the simulators."""

    def __init__(self, parent: int, rng: random.Random, kills: int) -> None:
        self._parent, self._rng, self.left, self.done = parent, rng, kills, 0
        self._next = time.monotonic() + rng.uniform(*PAUSE_S)

    def perhaps(self) -> None:
        if not self.left or time.monotonic() < self._next:
            return
        children = children_of(self._parent)
        if children:
            signal_child(self._rng.choice(children))
            self.left, self.done = self.left - 1, self.done + 1
        self._next = time.monotonic() + self._rng.uniform(*PAUSE_S)


def children_of(parent: int) -> list[int]:
    """The processes that a server looks after: its Python children; the database is not among them."""
    found = []
    for task in Path(f"/proc/{parent}/task").iterdir():
        for child in (task / "children").read_text().split():
            try:
                command = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            except FileNotFoundError:
                continue
            if b"-m" in command:
                found.append(int(child))
    return sorted(found)


def signal_child(pid: int) -> None:
    """Kill a process without a warning; one that has just ended is as good."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _documents(db: Database, keys: Sequence[str], rng: random.Random) -> list[dict[str, Any]]:
    """New bundles and broadband lines at homes where a port is free, and removals of installed ones, mixed."""
    removed = len(keys) // REMOVED_SHARE
    with db.transaction(actor="proof") as tx:
        homes = tx.rows(_HOMES, (str(rng.random()), len(keys) - removed))
        products = tx.rows(_INSTALLED, (str(rng.random()), removed))
    items = [(code, _installation(rng.choice(["P1", "P1", "P2"]), name)) for name, code in homes]
    items += [(code, {"action": "delete", "product": {"id": str(product)}}) for product, code in products]
    rng.shuffle(items)
    return [
        {
            "@type": "ProductOrder",
            "externalId": key,
            "relatedParty": [{"id": customer, "role": "customer", "@referredType": "Customer"}],
            "productOrderItem": [{"id": "1", **item}],
        }
        for key, (customer, item) in zip(keys, items, strict=True)
    ]


def _installation(offering: str, address: str) -> dict[str, Any]:
    place = [{"role": "installation", "name": address}]
    return {"action": "add", "productOffering": {"id": offering}, "product": {"place": place}}


def _submit(told: Mapping[str, Any], waiting: dict[str, dict[str, Any]]) -> None:
    """Send one order; one that got no answer waits and is sent again, as any client would, under the same key."""
    if not waiting:
        return
    key = next(iter(waiting))
    headers = {"Authorization": f"Bearer {told['token']}", "Idempotency-Key": key}
    try:
        reply = httpx.post(
            f"{told['url']}{BASE}/productOrder", json=waiting[key], headers=headers, timeout=5, trust_env=False
        )
    except httpx.TransportError:
        return
    if reply.status_code < 500:  # the server's own trouble is worth another try
        reply.raise_for_status()
        del waiting[key]


def _open_orders(db: Database) -> list[str]:
    """What has not come to its end: orders, and what they still have to tell (the notice follows completion)."""
    with db.transaction(actor="proof") as tx:
        orders = tx.rows(
            "select external_id, id, state, items from ordering.v_product_order"
            " where state not in ('completed', 'cancelled') order by id"
        )
        effects = tx.rows(
            "select order_id, kind, state from planning.effect"
            " where state in ('intent', 'sent', 'unknown', 'failed') order by id"
        )
    return [f"{key} (order {order}): {state} {items}" for key, order, state, items in orders] + [
        f"order {order}: {kind} is {state}" for order, kind, state in effects
    ]


def _completed(db: Database) -> int:
    with db.transaction(actor="proof") as tx:
        row = tx.row("select count(*) from ordering.v_product_order where state = 'completed'")
    assert row is not None
    return int(row[0])


def _verdict(found: Round) -> str:
    if found.whole:
        return "whole"
    return f"{len(found.unfinished)} not completed, {len(found.violations)} violations"


def _write(record: Path, rounds: Sequence[Round]) -> None:
    """Add the totals of a run."""
    totals = (
        f"{wall_clock():%Y-%m-%d %H:%M}",
        f"{rounds[0].seed}..{rounds[-1].seed}",
        sum(r.orders for r in rounds),
        sum(r.kills for r in rounds),
        sum(len(r.unfinished) for r in rounds),
        sum(len(r.violations) for r in rounds),
    )
    add_row(record, KILLED, totals)
