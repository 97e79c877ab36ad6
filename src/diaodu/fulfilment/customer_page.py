"""What the customer is told of an order: one page of plain words, no names of systems, people or codes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diaodu.catalog import queries as catalog
from diaodu.fulfilment.story import Entry
from diaodu.fulfilment.trace import history_of, past
from diaodu.kernel.db import Tx
from diaodu.ordering import queries as ordering

Words = tuple[str, str]  # zh, en

_STATES: Mapping[str, Words] = {
    "acknowledged": ("已受理，正在审核", "received, being checked"),
    "inProgress": ("正在办理", "being worked on"),
    "held": ("正在等待我方处理", "waiting for us"),
    "pending": ("等待您的回复", "waiting for you"),
    "assessingCancellation": ("撤单待您确认", "your cancellation waits for your confirmation"),
    "pendingCancellation": ("正在撤单", "being cancelled"),
    "completed": ("已完成", "completed"),
    "cancelled": ("已撤单", "cancelled"),
    "failed": ("未能完成", "could not be completed"),
    "rejected": ("未予受理", "was not accepted"),
    "partial": ("部分完成", "partly completed"),
}
_HOLDS: Mapping[str, Words] = {
    "customer": ("按您的要求暂缓办理", "put off at your wish"),
    "no-resource": ("当地资源暂缺，有资源后自动继续", "no free line at your address yet; it goes on by itself"),
    "fallout": ("遇到问题，正在处理", "a difficulty, being mended"),
    "suspended": ("我方暂停办理", "suspended by us"),
    "returned": ("需要您补充或修改资料", "some of your data must be completed"),
    "pre": ("资源已为您保留，待您确认", "reserved for you until you confirm"),
}
_EVENTS: Mapping[str, Words] = {
    "order.captured": ("订单已受理", "order received"),
    "revision.accepted": ("资源已落实，开始施工", "resources found, work begins"),
    "order.completed": ("全部完成", "all done"),
}


@dataclass(frozen=True)
class Page:
    """Lines to be read from above, in both languages."""

    zh: tuple[str, ...]
    en: tuple[str, ...]


def customer_page(tx: Tx, order_id: int) -> Page:
    """How the order stands and what has happened so far; NotFound."""
    lines = list(_lines(tx, order_id))
    return Page(tuple(zh for zh, _ in lines), tuple(en for _, en in lines))


def _lines(tx: Tx, order_id: int) -> Iterator[Words]:
    rows = history_of(tx, order_id)
    now = past(tx, order_id, tx.now)
    revision = ordering.to_be(tx, [order_id])[order_id]
    release = catalog.get_release(tx, revision.release_id)
    names = [release.offerings[line.offering].name for line in revision.lines if line.parent is None]
    yield (
        f"订单 {order_id}：{'、'.join(n['zh'] for n in names)}",
        f"Order {order_id}: {', '.join(n['en'] for n in names)}",
    )
    state = _STATES[now.state or "acknowledged"]
    yield f"当前：{state[0]}", f"Now: {state[1]}"
    for cause in sorted({h["cause"] for h in now.holds if h.get("state") == "open"}):
        yield _HOLDS.get(cause, (cause, cause))
    for row in rows:
        for entry in row["entries"]:
            if (told := _told(entry)) is not None:
                at = _day(row["at"])
                yield f"{at} {told[0]}", f"{at} {told[1]}"


def _told(entry: Entry) -> Words | None:
    if entry["t"] == "item.state" and entry["to"] in ("cancelled", "completed") and "." not in str(entry["key"]):
        return _STATES[entry["to"]]
    found = _EVENTS.get(entry["t"])
    return found if entry["t"] != "revision.accepted" or entry["n"] == 1 else ("变更已接受", "your change was accepted")


def _day(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def as_json(page: Page) -> dict[str, Any]:
    """For the API."""
    return {"zh": list(page.zh), "en": list(page.en)}
