"""Orders whose effects are ready to be sent, a house that lands the reports, and what the systems then hold."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.simulators.wire import Client, command

from diaodu.kernel import journal
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.ids import part_of
from diaodu.planning import commands as ledger
from diaodu.planning import queries as effects
from diaodu.planning.model import Effect, Op, State
from diaodu.provisioning import commands as provisioning
from diaodu.provisioning.model import Address

SYSTEMS = ("olt", "aaa", "ims", "iptv", "itms", "billing", "sla", "sms")
OLT = "olt:ZJHZ-01"


def wire_up(db: Database, port: int) -> None:
    """All systems listen on one port."""
    with db.transaction() as tx:
        provisioning.set_addresses(tx, {s: Address("127.0.0.1", port) for s in SYSTEMS})


def order(tx: Tx, part: int = 0) -> int:
    order_id = tx.new_id(part)
    journal.create(tx, [order_id], "order")
    return order_id


def effect(tx: Tx, order_id: int, kind: str, element: str, /, **values: Any) -> Effect:
    """A ready intent, unless told otherwise; not written yet."""
    part = part_of(order_id)
    given: dict[str, Any] = {
        "id": tx.new_id(part), "order_id": order_id, "revision": 1, "thing_id": tx.new_id(part), "kind": kind,
        "item_key": "1", "op": Op.DO, "of_id": None, "state": State.INTENT, "ready": True, "needs": (), "work": "W1",
        "element": element, "priority": 3, "reads_hash": None, "params": {}, "undo": None,
    }  # fmt: skip
    return Effect(**given | values)


def broadband(tx: Tx, n: int, part: int = 0) -> list[Effect]:
    """The eight sendings of one order of a whole bundle, the ``n``-th."""
    o = order(tx, part)
    loid = f"LOID{n}"
    access = {"subject": f"1/1/{n}", "pon": f"1/{n}", "loid": loid, "svlan": 100, "cvlan": 200, "speed": 300}
    bill = {"offering": "P1", "account": f"A{n}", "effective_date": "2026-03-02", "tariff": {"month": 199}}
    sent = [
        ("olt.port", OLT, access),
        ("aaa.account", "aaa:zj", {"subject": f"zj{loid}", "loid": loid, "speed": 300, "ip": None}),
        ("iptv.account", "iptv:zj", {"subject": f"tv{loid}", "stb": f"S{n}", "package_4k": True}),
        ("ims.user", "ims:zj", {"subject": f"0571{n}", "number": f"0571{n}", "loid": loid, "caller_id": True}),
        ("itms.config", "itms:zj", {"subject": loid, "loid": loid}),
        ("archive.billing", "billing:zj", bill),
        ("archive.sla", "sla:zj", {"due": "2026-03-09T10:00:00+00:00"}),
        ("notice.completed", "sms:zj", {"number": f"139{n:08d}", "text": "已竣工"}),
    ]
    made = [effect(tx, o, kind, element, params=params) for kind, element, params in sent]
    ledger.add(tx, made)
    return made


def port_intent(db: Database, subject: str = "1/1/1:7", part: int = 0, **params: Any) -> int:
    """One order with one ready intent on the OLT; its id."""
    with db.transaction() as tx:
        wanted = {"subject": subject, "loid": f"L{subject}", "speed": 200} | params
        made = effect(tx, order(tx, part), "olt.port", OLT, params=wanted)
        ledger.add(tx, [made])
    return made.id


def outcomes(db: Database) -> dict[int, list[dict[str, Any]]]:
    """What was reported on each effect, landed or not, in order."""
    told: dict[int, list[dict[str, Any]]] = {}
    with db.transaction() as tx:
        for (body,) in tx.rows("select body from engine.job where name = 'effect.report' order by id"):
            for outcome in body["outcomes"]:
                told.setdefault(outcome["effect"], []).append(outcome)
    return told


def land(db: Database) -> None:
    """Land all reports, as the engine does in its batches."""
    with db.transaction() as tx:
        jobs = tx.rows("select part, id, root_id, body from engine.job where state = 0 order by id")
    for part in sorted({j[0] for j in jobs}):
        mine = [j for j in jobs if j[0] == part]
        with db.transaction() as tx:
            roots = journal.lock(tx, {j[2] for j in mine})
            for job in mine:
                known = {e.id: e for es in effects.ledger(tx, roots).values() for e in es}
                ledger.land(tx, [_landing(known[o["effect"]], o) for o in job[3]["outcomes"]])
            tx.run("update engine.job set state = 1 where part = %s and id = any(%s)", (part, [j[1] for j in mine]))


def _landing(known: Effect, told: Mapping[str, Any]) -> ledger.Landing:
    result = told.get("result") or ({"cause": told["cause"]} if told.get("cause") else None)
    due = datetime.fromisoformat(told["due"]) if told.get("due") else None
    return ledger.Landing(known, State(told["state"]), result, due, told["attempts"])


def states(db: Database, ids: Sequence[int]) -> list[str]:
    """The states of effects in the ledger."""
    with db.transaction() as tx:
        found = dict(tx.rows("select id, state from planning.effect where id = any(%s)", (list(ids),)))
    return [found[i] for i in ids]


def make_due(db: Database) -> None:
    """Let all back-off be over."""
    with db.transaction() as tx:
        tx.run("update planning.effect set due_at = now() - interval '1 second' where due_at is not null")


def times(client: Client, effect_id: int, element: str = OLT) -> int:
    """How often the system carried out the effect."""
    found = client.ask(command("query", str(effect_id), element))
    return int(found["result"]["times"]) if found["status"] == "ok" else 0
