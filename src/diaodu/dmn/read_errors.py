"""Why a file cannot be read as DMN: every problem with its place, in both languages."""

from collections.abc import Iterable
from dataclasses import dataclass

MESSAGES = {
    "xml": ("It is not well-formed XML: {what}", "不是格式正确的 XML：{what}"),
    "too-large": ("It is larger than {what} bytes.", "超过 {what} 字节。"),
    "too-deep": ("Elements are nested more than {what} deep.", "元素嵌套超过 {what} 层。"),
    "doctype": ("Document types and entities are not accepted.", "不接受文档类型或实体声明。"),
    "not-dmn": ("{what} is no DMN model of version 1.1 to 1.5.", "{what} 不是 DMN 1.1 至 1.5 的模型。"),
    "missing": ("<{what}> is missing.", "缺少 <{what}>。"),
    "missing-attribute": ("The attribute {what} is missing.", "缺少属性 {what}。"),
    "double-id": ("The id {what} is used twice.", "id {what} 重复。"),
    "bad-value": ("{what} is not allowed here.", "此处不能使用 {what}。"),
}


@dataclass(frozen=True, slots=True)
class ReadProblem:
    """One thing that is wrong; `element` is an id, a name or a tag, `line` counts from 1, 0 where there is none."""

    code: str
    message_en: str
    message_zh: str
    element: str
    line: int


def problem(code: str, element: str, line: int, what: object = "") -> ReadProblem:
    """A problem with its messages filled in."""
    en, zh = MESSAGES[code]
    return ReadProblem(code, en.format(what=what), zh.format(what=what), element, line)


class DmnReadError(Exception):
    """XML that cannot be read as a DMN model; `problems` are all that were found, `code` is the first one's."""

    def __init__(self, problems: Iterable[ReadProblem]) -> None:
        self.problems = tuple(problems)
        self.code = self.problems[0].code
        self.message_en = "\n".join(f"line {p.line}, {p.element}: {p.message_en}" for p in self.problems)
        self.message_zh = "\n".join(f"第 {p.line} 行，{p.element}：{p.message_zh}" for p in self.problems)
        super().__init__(self.message_en)
