"""What can go wrong: text that is no FEEL, a spent budget, and the reason of a null."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

SYNTAX = {
    "unexpected": ("Unexpected {found}; expected {expected}.", "此处不应是 {found}，应为 {expected}。"),
    "unexpected-character": ("Character {found} is not allowed here.", "此处不能使用字符 {found}。"),
    "full-width": (
        "Character {found} is a full-width sign; write the half-width (ASCII) one.",
        "{found} 是全角符号，请改用半角符号。",
    ),
    "open-comment": ("The comment is not closed by */.", "注释缺少结尾的 */。"),
    "number-range": ("The number {found} is out of range.", "数值 {found} 超出范围。"),
    "open-text": ("The text is not closed by a quotation mark.", "文本缺少右引号。"),
    "bad-escape": ("{found} is no valid escape.", "{found} 不是有效的转义。"),
    "bad-literal": ("{found} is no date, time or duration.", "{found} 不是日期、时间或时长。"),
    "too-deep": ("The expression is nested too deeply.", "表达式嵌套过深。"),
    "too-long": ("The expression is too long.", "表达式过长。"),
    "too-complex": ("The expression is too complex to read.", "表达式过于复杂，无法解析。"),
}

NULLS = {
    "unknown-name": ("{name} is not known.", "未找到名称 {name}。"),
    "unknown-entry": ("There is no entry {name}.", "没有名为 {name} 的条目。"),
    "no-property": ("A {type} has no property {name}.", "{type} 没有属性 {name}。"),
    "null-property": ("Null has no property {name}.", "空值没有属性 {name}。"),
    "operands": ("{left} {operator} {right} is not defined.", "{left} {operator} {right} 没有定义。"),
    "not-boolean": ("{type} is not a boolean.", "{type} 不是布尔值。"),
    "not-comparable": ("{left} and {right} cannot be compared.", "{left} 与 {right} 不能比较。"),
    "not-a-list": ("{type} cannot be iterated over.", "{type} 不能逐项遍历。"),
    "not-a-function": ("{name} is not a function.", "{name} 不是函数。"),
    "arguments": ("{name} cannot be called with ({types}).", "{name} 不能以（{types}）为参数调用。"),
    "not-of-type": ("{value} is not of type {type}.", "{value} 不属于类型 {type}。"),
    "unknown-type": ("Type {name} is not known.", "未找到类型 {name}。"),
    "result-type": ("The result is no {type}.", "结果不是 {type}。"),
    "division-by-zero": ("Division by zero.", "除数为零。"),
    "number-range": ("The number is out of range.", "数值超出范围。"),
    "index": ("Item {index} does not exist; the list has {count}.", "第 {index} 项不存在，列表共 {count} 项。"),
    "range-ends": ("The ends of a range must be ordered and of one type.", "区间两端须类型相同且由小到大。"),
    "duplicate-entry": ("Entry {name} is given twice.", "条目 {name} 重复。"),
    "invalid-value": ("{value} is not valid for {name}.", "{value} 对 {name} 无效。"),
    "external": ("External functions are not supported.", "不支持外部函数。"),
    "no-rule": ("No rule of the table matches.", "决策表中没有匹配的规则。"),
    "several-rules": ("Rules {rules} match, but only one may.", "规则 {rules} 同时匹配，但只允许一条。"),
    "any-differs": ("Rules {rules} match with different results.", "规则 {rules} 同时匹配，但结果不同。"),
    "input-value": ("{value} is not an allowed value of input {column}.", "{value} 不是输入 {column} 允许的值。"),
    "output-value": ("{value} is not an allowed value of output {column}.", "{value} 不是输出 {column} 允许的值。"),
    "aggregation": ("{operation} of these results is not defined.", "这些结果不能做 {operation} 汇总。"),
    "missing-input": ("No value was given for {name}.", "没有给出 {name} 的值。"),
    "no-logic": ("There is no logic here.", "此处没有决策逻辑。"),
    "bad-text": ("The text is no FEEL: {en}", "文本不是 FEEL：{zh}"),
    "language": ("Expressions in {en} are not executed.", "不能执行 {zh} 表达式。"),
    "no-clock": ("No current time was passed in.", "没有传入当前时间。"),
}

BUDGETS = {
    "depth": ("The expression calls itself too deeply.", "表达式递归过深。"),
    "steps": ("The expression takes too many steps.", "表达式计算步数过多。"),
    "memory": ("The expression takes too much memory.", "表达式占用内存过多。"),
    "items": ("A list or text of the expression is too large.", "表达式中的列表或文本过大。"),
    "time": ("The expression takes too long.", "表达式计算超时。"),
}


class FeelError(Exception):
    """An expression that cannot be read or must not go on."""

    def __init__(self, code: str, message_en: str, message_zh: str) -> None:
        super().__init__(message_en)
        self.code = code
        self.message_en = message_en
        self.message_zh = message_zh


class FeelSyntaxError(FeelError):
    """Text that is no FEEL; `line` and `column` count from 1."""

    def __init__(self, code: str, message_en: str, message_zh: str, line: int, column: int) -> None:
        super().__init__(code, message_en, message_zh)
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message_en}"


class FeelBudgetExceeded(FeelError):
    """An evaluation that used up its budget; `code` is depth, steps, items, memory or time."""

    def __init__(self, code: str) -> None:
        super().__init__(code, *BUDGETS[code])


class Refused(Exception):
    """Raised by an operation whose result is null, with the reason; never leaves the room."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Why a null came out; `line` and `column` count from 1 in `text`, which is one of those of `element`."""

    code: str
    message_en: str
    message_zh: str
    line: int
    column: int
    element: str = ""
    text: str = ""


class Source(NamedTuple):
    """A text, and of what it is the text where an evaluation reads several."""

    text: str
    element: str = ""


class Place(NamedTuple):
    """A character position in a text."""

    source: Source
    position: int


def place(text: str, position: int) -> tuple[int, int]:
    """Line and column, from 1, of a character position."""
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


def syntax_error(code: str, text: str, position: int, **values: object) -> FeelSyntaxError:
    en, zh = SYNTAX[code]
    return FeelSyntaxError(code, en.format(**values), zh.format(**values), *place(text, position))


def diagnostic(code: str, at: Place, values: dict[str, object]) -> Diagnostic:
    en, zh = NULLS[code]
    position = place(at.source.text, at.position)
    return Diagnostic(code, en.format(**values), zh.format(**values), *position, at.source.element, at.source.text)
