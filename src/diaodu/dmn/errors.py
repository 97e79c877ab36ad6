"""What is wrong with a model: faults that refuse it, and faults of single texts that make nulls."""

from collections.abc import Iterable
from dataclasses import dataclass

from diaodu.feel.errors import FeelSyntaxError

MESSAGES = {
    "unknown-import": ("The model {what} is not at hand.", "缺少被导入的模型 {what}。"),
    "unknown-reference": ("There is no element {what}.", "没有元素 {what}。"),
    "not-imported": ("{what} is of a model that is not imported.", "{what} 属于未导入的模型。"),
    "wrong-kind": ("{what} cannot be required here.", "此处不能依赖 {what}。"),
    "cycle": ("It requires itself: {what}.", "循环依赖：{what}。"),
    "unknown-type": ("Type {what} is not known.", "未找到类型 {what}。"),
    "type-cycle": ("Type {what} is defined by itself.", "类型 {what} 由自身定义。"),
    "bad-text": ("{what} is no FEEL: {en}", "{what} 不是 FEEL：{zh}"),
    "language": ("Expressions in {what} are not executed.", "不能执行 {what} 表达式。"),
    "rule-width": ("Rule {what} has not one cell per column.", "规则 {what} 的单元格数与列数不符。"),
    "unknown-name": ("There is no {what} in the model.", "模型中没有 {what}。"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; `element` is the id of what it is wrong with."""

    code: str
    element: str
    message_en: str
    message_zh: str


def problem(code: str, element: str, what: object, **values: object) -> Problem:
    en, zh = MESSAGES[code]
    return Problem(code, element, en.format(what=what, **values), zh.format(what=what, **values))


def text_problem(element: str, text: str, error: FeelSyntaxError) -> Problem:
    """A text that is no FEEL, with the line and column in it."""
    place = f"{error.line}:{error.column}: "
    return problem("bad-text", element, text, en=place + error.message_en, zh=place + error.message_zh)


class DmnError(Exception):
    """A model that cannot be evaluated; `problems` are all that were found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        self.code = self.problems[0].code
        self.message_en = "\n".join(f"{each.element}: {each.message_en}" for each in self.problems)
        self.message_zh = "\n".join(f"{each.element}：{each.message_zh}" for each in self.problems)
        super().__init__(self.message_en)
