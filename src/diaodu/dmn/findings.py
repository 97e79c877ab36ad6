"""What a check finds, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error makes the table wrong; a warning may be meant."""

    ERROR = "error"
    WARNING = "warning"


ERROR, WARNING = Severity.ERROR, Severity.WARNING

FINDINGS: dict[str, tuple[Severity, str, str]] = {
    "text": (ERROR, "{en}", "{zh}"),
    "model": (ERROR, "{en}", "{zh}"),
    "unknown-name": (ERROR, "{name} is not known here.", "此处没有名称 {name}。"),
    "cell-kind": (ERROR, "{value} is no {kind}.", "{value} 不是 {kind}。"),
    "not-allowed": (ERROR, "{value} is not among the allowed values {allowed}.", "{value} 不在允许值 {allowed} 之内。"),
    "never": (ERROR, "No value passes the cell {cell}.", "没有任何值能满足单元格 {cell}。"),
    "output-kind": (ERROR, "{value} is no {kind}.", "{value} 不是 {kind}。"),
    "no-names": (ERROR, "Several outputs need a name each.", "多个输出列须各有名称。"),
    "same-names": (ERROR, "Two outputs are named {name}.", "两个输出列同名：{name}。"),
    "no-ranks": (ERROR, "{policy} needs the output values in order.", "命中策略 {policy} 需要按顺序列出输出允许值。"),
    "many-outputs": (ERROR, "{aggregation} is of one output only.", "{aggregation} 汇总只能有一个输出列。"),
    "duplicate": (WARNING, "Rules {rules} are the same.", "规则 {rules} 完全相同。"),
    "overlap": (ERROR, "Rules {rules} both match {region}.", "规则 {rules} 同时匹配：{region}。"),
    "differs": (
        ERROR,
        "Rules {rules} both match {region} with different results.",
        "规则 {rules} 同时匹配 {region}，结果不同。",
    ),
    "may-differ": (
        WARNING,
        "Rules {rules} both match {region}; their results may differ.",
        "规则 {rules} 同时匹配 {region}，结果可能不同。",
    ),
    "shadowed": (
        WARNING,
        "The rule never gives the result: others always come first.",
        "该规则永远不会生效：总有其他规则在先。",
    ),
    "gap": (WARNING, "No rule matches {region}.", "没有规则匹配：{region}。"),
    "more-gaps": (WARNING, "There are further gaps; {most} are told.", "还有其他遗漏的组合；此处只列出 {most} 个。"),
    "more-overlaps": (WARNING, "There are further overlaps; {most} are told.", "还有其他重叠；此处只列出 {most} 个。"),
    "unchecked-cell": (
        WARNING,
        "Gaps and overlaps at {cell} cannot be checked: it is known only when the table is evaluated.",
        "{cell} 处的遗漏和重叠无法检查：其含义在计算时才能确定。",
    ),
    "unchecked-column": (
        WARNING,
        "Gaps and overlaps cannot be checked: the values of the column have parts.",
        "该列的值是列表或结构，无法检查遗漏和重叠。",
    ),
    "too-large": (
        WARNING,
        "The table is too large for this check ({what}); it was stopped after {steps} steps.",
        "决策表过大，{what_zh}检查在 {steps} 步后中止。",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong or doubtful in a table; `rule` and `column` count from 1, outputs after inputs.

    `rules` are all rules it is about; `cells` the region of a gap or an overlap, as a rule would say it.
    """

    code: str
    severity: Severity
    element: str
    rule: int | None
    column: int | None
    en: str
    zh: str
    rules: tuple[int, ...] = ()
    cells: tuple[str, ...] = ()


def finding(
    code: str,
    element: str,
    rule: int | None = None,
    column: int | None = None,
    *,
    rules: tuple[int, ...] = (),
    cells: tuple[str, ...] = (),
    **values: object,
) -> Finding:
    """One finding; `values` fill its messages."""
    severity, en, zh = FINDINGS[code]
    numbers = ", ".join(map(str, rules))
    en, zh = en.format(rules=numbers, **values), zh.format(rules=numbers, **values)
    return Finding(code, severity, element, rule, column, en, zh, rules, cells)
