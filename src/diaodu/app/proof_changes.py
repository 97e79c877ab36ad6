"""What customers change while processes are killed: orders are amended and cancelled over HTTP, fees agreed to."""

import random
from collections.abc import Mapping
from typing import Any

import httpx

from diaodu.fulfilment import cancel
from diaodu.kernel.db import Database
from diaodu.ordering.tmf import BASE

_RUNNING = "select id from ordering.v_product_order where state in ('acknowledged', 'inProgress', 'held') order by id"
_ASKED = "select id from ordering.cancel_task where state = 'acknowledged' and fee is not null order by id"


def change_one(told: Mapping[str, Any], db: Database, rng: random.Random) -> int:
    """Cancel a running order, or drop a part of it; 1 when the server has answered, whatever it said."""
    with db.transaction(actor="proof") as tx:
        running = [r[0] for r in tx.rows(_RUNNING)]
    if not running or rng.random() < 0.5:
        return 0
    order, dropping = str(rng.choice(running)), rng.random() < 0.5
    headers = {"Authorization": f"Bearer {told['token']}"}
    try:
        with httpx.Client(base_url=f"{told['url']}{BASE}", headers=headers, timeout=5, trust_env=False) as http:
            reply = _drop(http, order, rng) if dropping else _cancel(http, order)
    except httpx.TransportError:
        return 0
    return int(reply.status_code < 500)


def _cancel(http: httpx.Client, order: str) -> httpx.Response:
    return http.post("/cancelProductOrder", json={"productOrder": {"id": order}})


def _drop(http: httpx.Client, order: str, rng: random.Random) -> httpx.Response:
    found = http.get(f"/productOrder/{order}")
    if found.status_code >= 400:
        return found
    items = found.json()["productOrderItem"]
    parts = items[0].get("productOrderItem")
    if not parts:
        return _cancel(http, order)
    parts.remove(rng.choice(parts))
    media = {"Content-Type": "application/merge-patch+json"}
    return http.request("PATCH", f"/productOrder/{order}", json={"productOrderItem": items}, headers=media)


def agree_to_fees(db: Database) -> None:
    """Customers who are asked for a fee say yes."""
    with db.transaction(actor="proof") as tx:
        asked = [r[0] for r in tx.rows(_ASKED)]
    for task in asked:
        with db.transaction(actor="customer") as tx:
            cancel.answer(tx, task, agreed=True, by="customer")
