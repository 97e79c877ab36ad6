"""How fast the expression language and decision tables are, each beside the same written in Python."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from itertools import cycle, product
from typing import Any

from rich.table import Table

from diaodu.app.bench.report import machine, spread
from diaodu.dmn.compile import Model, compile_model
from diaodu.dmn.model import (
    Decision,
    DecisionTable,
    Definitions,
    InformationItem,
    Input,
    InputData,
    LiteralExpression,
    Output,
    Rule,
)
from diaodu.feel import compile_expression

EXPRESSIONS_LEAST, TABLES_LEAST, COMPILE_MOST = 100_000, 5_000, 1.0
CONTEXT: dict[str, Any] = {
    "客户": {"级别": "五星", "年龄": Decimal(41)},
    "订单": {"金额": Decimal(128), "区域": "杭州"},
    "费用": [Decimal(10), Decimal(20), Decimal(30)],
}
_RATE = Decimal("0.9")
# Each with the same in Python, as a careful programmer would write it.
EXPRESSIONS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "comparison 比较": (
        '客户.级别 = "五星" and 订单.金额 > 100',
        lambda c: c["客户"]["级别"] == "五星" and c["订单"]["金额"] > 100,
    ),
    "arithmetic 算术": ("订单.金额 * 0.9 + 5", lambda c: c["订单"]["金额"] * _RATE + 5),
    "choice 条件": ("if 客户.年龄 >= 60 then 0.8 else 1", lambda c: _RATE if c["客户"]["年龄"] >= 60 else 1),
    "membership 属于": (
        '订单.区域 in ("杭州", "宁波") and 客户.年龄 in [18..60]',
        lambda c: c["订单"]["区域"] in ("杭州", "宁波") and 18 <= c["客户"]["年龄"] <= 60,
    ),
    "function 函数": ("sum(费用) > 50", lambda c: sum(c["费用"]) > 50),
}
TABLE, LARGE = "50 rows, 5 inputs 决策表", "compile 1,000 rows 编译"
_LEVELS, _AREAS, _KINDS = ("三星", "四星", "五星"), ("杭州", "宁波", "温州", "嘉兴", "湖州"), ("新装", "移机")
_COLUMNS = ("级别", "区域", "类型", "速率", "融合")


@dataclass(frozen=True)
class Measured:
    """One thing that was measured: its value per repetition, a second or seconds; `python` is the same in Python."""

    name: str
    unit: str
    values: list[float]
    python: list[float]
    least: float | None = None
    most: float | None = None

    @property
    def median(self) -> float:
        """The value in the middle of all repetitions."""
        return statistics.median(self.values)

    @property
    def ratios(self) -> list[float]:
        """How many times faster Python is, by repetition."""
        return [python / own for own, python in zip(self.values, self.python, strict=False)]

    @property
    def is_met(self) -> bool | None:
        """Whether the goal was met; None where there is none."""
        if self.least is None and self.most is None:
            return None
        return (self.least is None or self.median >= self.least) and (self.most is None or self.median <= self.most)


def measure(reps: int, seconds: float) -> list[Measured]:
    """Measure everything `reps` times; each rate over `seconds`."""
    found = [_expression(name, text, python, reps, seconds) for name, (text, python) in EXPRESSIONS.items()]
    model, inputs = compile_model(model_of(rows(50))), cycle(asked())
    lookup = {tuple(row.inputs): row.outputs for row in rows(50)}
    own, python = (lambda: decide(model, next(inputs))), (lambda: _looked_up(lookup, next(inputs)))
    found.append(_rate(TABLE, [_pair(own, python, seconds) for _ in range(reps)], TABLES_LEAST))
    large = model_of(rows(1000))
    took = [_timed(lambda: compile_model(large)) for _ in range(reps)]
    return [*found, Measured(LARGE, "s", took, [], most=COMPILE_MOST)]


def _expression(name: str, text: str, python: Callable[[Any], object], reps: int, seconds: float) -> Measured:
    expression = compile_expression(text)
    assert expression.evaluate(CONTEXT) == python(CONTEXT)
    pairs = [_pair(lambda: expression.evaluate(CONTEXT), lambda: python(CONTEXT), seconds) for _ in range(reps)]
    return _rate(name, pairs, EXPRESSIONS_LEAST)


def decide(model: Model, inputs: Mapping[str, object]) -> object:
    """One evaluation as a caller makes it."""
    return model.decide("时限", inputs).value


def rows(count: int) -> tuple[Rule, ...]:
    """Rules of which any inputs match one at most, with equality in every column; the later ones with new speeds."""
    combinations = product(range(1000), _LEVELS, _AREAS, _KINDS, ("true", "false"))
    found = []
    for number, (speed, level, area, kind, bundled) in zip(range(count), combinations, strict=False):
        cells = (f'"{level}"', f'"{area}"', f'"{kind}"', str(speed * 100), bundled)
        found.append(Rule(inputs=cells, outputs=(str(number % 72),)))
    return tuple(found)


def model_of(rules: tuple[Rule, ...]) -> Definitions:
    """A model of one decision with one table, an input data per column."""
    types = ("string", "string", "string", "number", "boolean")
    data = tuple(
        InputData(id=f"i{n}", name=name, variable=InformationItem(name=name, type_ref=kind))
        for n, (name, kind) in enumerate(zip(_COLUMNS, types, strict=True))
    )
    inputs = tuple(
        Input(expression=LiteralExpression(text=each.name, type_ref=each.variable.type_ref)) for each in data
    )
    table = DecisionTable(inputs=inputs, outputs=(Output(type_ref="number"),), rules=rules)
    decision = Decision(
        id="d",
        name="时限",
        variable=InformationItem(name="时限", type_ref="number"),
        expression=table,
        required_inputs=tuple(f"#{each.id}" for each in data),
    )
    return Definitions(id="m", name="m", namespace="urn:bench", input_data=data, decisions=(decision,))


def asked() -> list[dict[str, object]]:
    """Inputs of which most match a rule of the table of 50."""
    combinations = product((0, 100), _LEVELS, _AREAS, _KINDS, (True, False))
    return [
        dict(zip(_COLUMNS, (level, area, kind, Decimal(speed), bundled), strict=True))
        for speed, level, area, kind, bundled in combinations
        if speed == 0 or area == "杭州"
    ]


def document(found: Sequence[Measured], at: datetime) -> dict[str, Any]:
    """All figures with every repetition, the machine and the date."""
    return {
        "at": at.isoformat(timespec="seconds"),
        "machine": {key: value for key, value in machine("").items() if key != "postgres"},
        "figures": [asdict(m) | {"median": m.median, "ratios": m.ratios, "met": m.is_met} for m in found],
    }


def table_of(found: Sequence[Measured]) -> Table:
    """The figures for people."""
    table = Table(title="FEEL and DMN on one core: median, least and most", title_justify="left", title_style="bold")
    for n, name in enumerate(("", "measured", "goal", "", "Python: times faster")):
        table.add_column(name, justify="left" if n == 0 else "right", no_wrap=True)
    for each in found:
        goal = f"{each.least:,.0f} /s" if each.least else f"{each.most:.0f} s" if each.most else ""
        met = {True: "met 达到", False: "MISSED 未达到", None: ""}[each.is_met]
        ratio = spread(each.ratios) if each.ratios else ""
        told = spread(each.values)
        if each.unit == "s":
            told = f"{each.median:.3f} [{min(each.values):.3f} .. {max(each.values):.3f}]"
        table.add_row(each.name, f"{told} {each.unit}", goal, met, ratio)
    return table


def _looked_up(lookup: Mapping[tuple[str, ...], Sequence[str]], inputs: Mapping[str, object]) -> object:
    return lookup.get(tuple(map(str, inputs.values())))


def _rate(name: str, pairs: Sequence[tuple[float, float]], least: float) -> Measured:
    return Measured(name, "/s", [own for own, _ in pairs], [python for _, python in pairs], least=least)


def _pair(own: Callable[[], object], python: Callable[[], object], seconds: float) -> tuple[float, float]:
    """The rate of one and directly after it that of the other: the machine is shared."""
    return _per_second(own, seconds), _per_second(python, seconds / 4)


def _per_second(call: Callable[[], object], seconds: float) -> float:
    count, begin = 0, time.perf_counter()
    while (spent := time.perf_counter() - begin) < seconds:
        for _ in range(200):
            call()
        count += 200
    return count / spent


def _timed(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
