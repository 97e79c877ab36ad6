"""The ledger against the simulated network: nothing there without an intent here, nothing here that is not there."""

import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from diaodu.kernel.db import Database
from diaodu.provisioning import queries as provisioning
from diaodu.provisioning.adapters import record_kind, subject
from diaodu.provisioning.model import Sending

TIMEOUT_S = 10.0
PAGE = 5_000
Identity = tuple[str, str, str]  # element, kind, subject
# The undone fact's own way into the ledger decides what an undo restores.
_SENT = """
select e.id, e.order_id, e.op, e.kind, e.element, e.thing_id, e.params, u.op, e.state,
       e.state = 'confirmed' and e.ended_at < %s or e.state = 'undone', e.result ->> 'by_hand' is not null
  from planning.effect e left join planning.effect u
         on u.part = e.part and u.order_id = e.order_id and u.id = e.of_id and e.op = 'undo'
 where e.element is not null and split_part(e.element, ':', 1) = any(%s) and e.op <> 'inherited'
   and e.state <> 'withdrawn'
 order by e.sent_at nulls last, e.id
"""
# What the inventory was loaded with has no intent of ours: its product, and an order that claims it, keep its key.
_LOADED = """
select (f->>'key')::int8, p.id, 'do', f->>'kind', f->>'element', (f->>'thing')::int8, f->'params', null,
       'confirmed', true, false
  from inventory.product p, jsonb_array_elements(p.realisations) f
 where split_part(f->>'element', ':', 1) = any(%s)
   and not exists (select from planning.effect e where e.part = (f->>'key')::int8 & 255 and e.id = (f->>'key')::int8)
   and (not exists (select from ordering.product_order o where o.part = p.order_id & 255 and o.id = p.order_id)
        or exists (select from planning.effect e where e.part = p.order_id & 255 and e.order_id = p.order_id
                      and e.op = 'inherited' and e.params->>'key' = f->>'key'))
"""
_OPEN = ("intent", "sent", "unknown", "failed")


@dataclass
class Audit:
    """What does not agree; ``note`` says why nothing could be compared."""

    violations: list[str] = field(default_factory=list)
    note: str = ""


@dataclass
class _Ledger:
    """What should be there by what has been confirmed, and what may be there because it is under way."""

    there: dict[Identity, int] = field(default_factory=dict)
    orders: dict[int, int] = field(default_factory=dict)  # effect -> its order, or the product that was loaded
    moving: set[Identity] = field(default_factory=set)
    by_hand: set[Identity] = field(default_factory=set)  # there, under whatever key


def audit_network(db: Database) -> Audit:
    """Compare every record of the systems that can be dumped (the simulators) with the ledger."""
    with db.transaction(actor="doctor") as tx:
        addresses = provisioning.addresses(tx)
        begun = tx.now
    found: dict[Identity, str] = {}
    try:
        for address in sorted({(a.host, a.port) for a in addresses.values()}):
            for record in _dump(address):
                found[record["element"], record["kind"], record["subject"]] = str(record["key"])
    except (OSError, ValueError) as error:
        return Audit(note=f"systems cannot be read: {error}")
    if not addresses:
        return Audit(note="no systems are known yet")
    with db.transaction(actor="doctor") as tx:
        systems = sorted(addresses)
        ledger = _fold([*tx.rows(_LOADED, (systems,)), *tx.rows(_SENT, (begun, systems))])
    return Audit(list(_compare(ledger, found)))


def _fold(rows: Iterable[tuple[Any, ...]]) -> _Ledger:
    ledger = _Ledger()
    for effect, order, op, kind, element, thing, params, undoes, state, settled, by_hand in rows:
        sending = Sending(effect, op, kind, element, thing, params, undoes)
        key: Identity = (element, record_kind(sending), subject(sending))
        ledger.orders[effect] = order
        if state in _OPEN or not settled:
            ledger.moving.add(key)
            continue
        ledger.by_hand.discard(key)
        if op == "undo":
            ledger.there.pop(key, None)
        else:
            ledger.there[key] = effect
            ledger.by_hand |= {key} if by_hand else set()
    return ledger


def _compare(ledger: _Ledger, found: Mapping[Identity, str]) -> Iterator[str]:
    for key, by in found.items():
        name = " ".join(key)
        if key in ledger.by_hand:
            continue
        if not by.isdigit() or int(by) not in ledger.orders:
            yield f"{name}: written by {by}, of which there is no intent"
        elif key not in ledger.there and key not in ledger.moving:
            yield f"{name}: is there although effect {by} of {ledger.orders[int(by)]} was undone"
    for key, effect in ledger.there.items():
        if key in ledger.moving or found.get(key) == str(effect) or (key in ledger.by_hand and key in found):
            continue
        what = f"was written by {found[key]}" if key in found else "is not there"
        yield f"{' '.join(key)}: effect {effect} of {ledger.orders[effect]} is confirmed, but it {what}"


def _dump(address: tuple[str, int]) -> Iterator[Mapping[str, Any]]:
    """All records of a simulator, page by page; OSError, ValueError when it is none."""
    with socket.create_connection(address, timeout=TIMEOUT_S) as line, line.makefile("rwb") as wire:
        after = None
        while True:
            params = {"limit": PAGE, "after": after}
            command = {"key": "audit", "element": "*", "verb": "dump", "kind": "", "subject": "", "params": params}
            wire.write(orjson.dumps(command, option=orjson.OPT_APPEND_NEWLINE))
            wire.flush()
            reply = orjson.loads(wire.readline())
            if reply["status"] != "ok":
                raise ValueError(reply["code"])
            yield from reply["result"]["records"]
            after = reply["result"]["next"]
            if after is None:
                return
