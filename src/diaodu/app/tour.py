"""The demonstration: example orders go through the whole flow before the eyes of the user."""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live
from rich.table import Table

from diaodu.app.technicians import work_once
from diaodu.fulfilment.timeline import timeline
from diaodu.inventory import queries as inventory
from diaodu.kernel.db import Database
from diaodu.party import queries as party

ORDERING = "/tmf-api/productOrderingManagement/v4/productOrder"
# An order that does not reach its expected end within this time has failed; all of them take a few seconds.
PATIENCE_S = 120.0
LOOK_S = 0.2
# Stands in an example for the id of the customer's active product of that offering.
_PRODUCT = "@product:"


@dataclass
class Example:
    """An example order: what it shows, how it must end, and how it stands."""

    name: str
    title: Mapping[str, str]
    expected: str
    order: dict[str, Any]
    id: str = ""
    state: str = ""
    taken_s: float = 0.0

    @property
    def arrived(self) -> bool:
        """Whether the order has reached its expected end."""
        return self.state == self.expected


def examples(directory: Path) -> list[Example]:
    """The example orders of an operator, in the order of their names."""
    found = sorted((directory / "orders").glob("*.json"))
    return [Example(p.stem, **json.loads(p.read_text(encoding="utf-8"))) for p in found]


class Tour:
    """Submits the examples over HTTP, plays the technicians, and shows how the orders stand."""

    def __init__(self, db: Database, url: str, token: str, directory: Path, console: Console) -> None:
        self._db, self._console = db, console
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}", "Accept-Language": "zh"}, trust_env=False
        )
        self._examples = examples(directory)
        self._done = threading.Event()

    def run(self) -> bool:
        """Take all examples to their ends and print their timelines; whether each ended as expected."""
        started = time.monotonic()
        for example in self._examples:
            self._submit(example)
        technicians = threading.Thread(target=self._play, daemon=True)
        technicians.start()
        with Live(self._table(), console=self._console, refresh_per_second=5) as live:
            while not all(e.arrived for e in self._examples) and time.monotonic() - started < PATIENCE_S:
                self._look(time.monotonic() - started)
                live.update(self._table())
                time.sleep(LOOK_S)
        self._done.set()
        technicians.join()
        for example in self._examples:
            self._tell(example)
        return all(e.arrived for e in self._examples)

    def _submit(self, example: Example) -> None:
        order = example.order
        for item in order["productOrderItem"]:
            named = item.get("product", {}).get("id", "")
            if named.startswith(_PRODUCT):
                item["product"]["id"] = self._product(order["relatedParty"][0]["id"], named.removeprefix(_PRODUCT))
        answer = self._http.post(ORDERING, json=order, headers={"Idempotency-Key": order["externalId"]})
        if answer.is_error:
            example.state = f"{answer.status_code} {answer.json().get('code', '')}"
            self._console.print(answer.json())
            return
        example.id = answer.json()["id"]

    def _product(self, customer: str, offering: str) -> str:
        with self._db.transaction(actor="tour") as tx:
            found = inventory.products_of(tx, party.get_customer(tx, customer).id)
        return str(next(p.id for p in found if p.offering == offering))

    def _play(self) -> None:
        while not self._done.is_set():
            if not work_once(self._db):
                self._done.wait(LOOK_S)

    def _look(self, now_s: float) -> None:
        for example in self._examples:
            if example.id and not example.arrived:
                order = self._http.get(f"{ORDERING}/{example.id}").raise_for_status().json()
                example.state, example.taken_s = order["state"], now_s

    def _table(self) -> Table:
        table = Table("示例 example", "订单 order", "状态 state", "预期 expected", "秒 s")
        for column in table.columns:
            column.no_wrap = True
        for e in self._examples:
            style = "green" if e.arrived else "yellow"
            table.add_row(e.name, e.id, f"[{style}]{e.state}[/{style}]", e.expected, f"{e.taken_s:.1f}")
        return table

    def _tell(self, example: Example) -> None:
        self._console.rule(f"{example.name}  {example.id}")
        self._console.print(f"[bold]{example.title['zh']}[/bold]  {example.title['en']}", soft_wrap=True)
        if not example.id:
            return
        with self._db.transaction(actor="tour") as tx:
            for moment in timeline(tx, int(example.id)):
                at = moment.at.astimezone().strftime("%H:%M:%S.%f")[:-3]
                line = f"[dim]{at}[/dim] {moment.zh}  [dim]{moment.en}[/dim]"
                self._console.print(line, highlight=False, soft_wrap=True)
