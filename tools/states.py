"""Write docs/states.md anew: every state machine of the product, printed from its table.

python tools/states.py
"""

from enum import StrEnum
from pathlib import Path
from typing import Any

from diaodu.engine.tasks import TASK_TABLE
from diaodu.fulfilment.fallout_model import FALLOUT_TABLE
from diaodu.fulfilment.standing import WAITS
from diaodu.inventory.model import REQUEST_TABLE
from diaodu.kernel.states import StateTable
from diaodu.ordering.cancel import CANCEL_TABLE
from diaodu.ordering.model import ITEM_TABLE, REVISION_TABLE
from diaodu.planning.model import EFFECT_TABLE
from diaodu.workforce.model import APPOINTMENT_TABLE, RECALL_TABLE

PAGE = Path(__file__).parents[1] / "docs" / "states.md"
HEAD = """# 状态表 States

<!-- Made by `python tools/states.py`; a test compares it with the code. -->

每张表是完整的：每个状态与每个事件的组合都有答案——下一状态、忽略（·，迟到或重复的事件，不是错误）或拒绝（空格，
`state.not-possible`）。表就是代码使用的数据。

Every table is total: for each pair of state and event it says the next state, that the event changes nothing (·, it
came late or twice and is no error), or, where the cell is empty, that it is refused (`state.not-possible`). What is
printed here is the data that the code runs on. Final states are in *italics*.

The state of an order is derived from its items: what was cancelled does not count as long as something else is there;
items in one state give it to the order; completed and failed ones make it `partial`; it is `held` when all items that
are left wait, else `inProgress`. Outside, `closing` shows as `inProgress`; all other names are TM Forum's.
"""
TABLES: tuple[tuple[StateTable[Any, Any], str], ...] = (
    (ITEM_TABLE, "订单项 order item: what the customer was promised (`ordering.order_item`)"),
    (REVISION_TABLE, "版本 revision: one submission of an order (`ordering.revision`)"),
    (CANCEL_TABLE, "撤单请求 cancel task (`ordering.cancel_task`)"),
    (EFFECT_TABLE, "效果 effect: a fact about the outside world (`planning.effect`)"),
    (TASK_TABLE, "人工任务 human task: who works on it (`engine.human_task`)"),
    (RECALL_TABLE, "待撤回 recall of claimed work (`workforce.recall`)"),
    (APPOINTMENT_TABLE, "预约 appointment (`workforce.appointment`)"),
    (REQUEST_TABLE, "预占请求 reservation request (`inventory.request`)"),
    (FALLOUT_TABLE, "异常 record of a failure (`fulfilment.fallout`)"),
)


def page() -> str:
    """The whole document."""
    return "\n".join([HEAD, _waits(), *(_section(table, title) for table, title in TABLES)])


def _waits() -> str:
    rows = [f"| `{cause}` | `{state}` |" for cause, state in WAITS.items()]
    head = "## 等待 Why an item waits\n\nThe first cause that holds, from above, gives the state and its reason.\n"
    return "\n".join([head, "| cause | item state |", "|---|---|", *rows, ""])


def _section(table: StateTable[Any, Any], title: str) -> str:
    events: list[StrEnum] = [e for e in table.events if any(table.next(s, e) is not None for s in table.states)]
    lines = [f"## {title}", "", f"| state | {' | '.join(str(e) for e in events)} |", f"|---|{'---|' * len(events)}"]
    for state in table.states:
        name = f"*{state}*" if state in table.final else str(state)
        lines.append(f"| {name} | {' | '.join(_cell(table, state, e) for e in events)} |")
    return "\n".join([*lines, ""])


def _cell(table: StateTable[Any, Any], state: StrEnum, event: StrEnum) -> str:
    if event in table.moves[state]:
        return str(table.moves[state][event])
    return "·" if (state, event) in table.ignored else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
