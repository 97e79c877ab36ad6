"""The words of the form, Chinese before English: what is written, and what is understood when it is read.

Each may be shortened to one of its languages, in any case, with or without a colon.
"""

import re
from enum import StrEnum
from typing import NamedTuple, TypeVar

from diaodu.dmn.model import Aggregation, HitPolicy

TESTS = "测试用例"
GUIDE = "说明"
MODEL = "模型"
# Sheets of people's own begin with this and are not read.
NOTES = "备注"
OWN_SHEETS = {TESTS: "Test cases", GUIDE: "Guide", MODEL: "Model"}


class Field(StrEnum):
    """What stands above a table, its value to the right."""

    TABLE = "决策表 Decision table"
    HIT_POLICY = "命中策略 Hit policy"
    RESULT_LABEL = "结果名称 Result label"
    RESULT_TYPE = "结果类型 Result type"
    DESCRIPTION = "说明 Description"


class Heading(StrEnum):
    """What a row of headings says about the columns; the rules, or the cases, stand below the last."""

    COLUMN = "列 Column"
    LABEL = "名称 Label"
    EXPRESSION = "表达式 Expression"
    TYPE = "类型 Type"
    VALUES = "取值 Values"
    DEFAULT = "默认 Default"
    NUMBER = "序号 No."
    CASE = "用例 Case"


class Column(StrEnum):
    """What a column is for."""

    INPUT = "条件 Input"
    OUTPUT = "结果 Output"
    REMARK = "备注 Remark"
    NOTE = "行说明 Note"


class Policy(NamedTuple):
    """A hit policy as it is written: its letter, and which of the rules that match count."""

    policy: HitPolicy
    aggregation: Aggregation | None
    letter: str
    zh: str
    en: str

    @property
    def words(self) -> str:
        """What the cell says."""
        return f"{self.letter} {self.zh} / {self.en}"


POLICIES = (
    Policy(HitPolicy.UNIQUE, None, "U", "唯一：至多一行符合", "Unique: at most one row matches"),
    Policy(HitPolicy.FIRST, None, "F", "首行：取最上面的符合行", "First: the topmost row that matches"),
    Policy(HitPolicy.PRIORITY, None, "P", "优先：按结果取值的次序", "Priority: by the order of the result's values"),
    Policy(HitPolicy.ANY, None, "A", "任意：符合的各行结果相同", "Any: all rows that match say the same"),
    Policy(
        HitPolicy.RULE_ORDER, None, "R", "逐行：全部结果，按行的次序", "Rule order: all results, in the order of rows"
    ),
    Policy(HitPolicy.OUTPUT_ORDER, None, "O", "排序：全部结果，按取值的次序", "Output order: all results, by priority"),
    Policy(HitPolicy.COLLECT, None, "C", "汇集：全部结果", "Collect: all results"),
    Policy(HitPolicy.COLLECT, Aggregation.SUM, "C+", "求和", "Collect: the sum"),
    Policy(HitPolicy.COLLECT, Aggregation.COUNT, "C#", "计数", "Collect: the number"),
    Policy(HitPolicy.COLLECT, Aggregation.MIN, "C<", "最小", "Collect: the least"),
    Policy(HitPolicy.COLLECT, Aggregation.MAX, "C>", "最大", "Collect: the greatest"),
)

TYPES = {
    "string": "文本 string",
    "number": "数字 number",
    "boolean": "是否 boolean",
    "date": "日期 date",
    "time": "时间 time",
    "date and time": "日期时间 date and time",
    "days and time duration": "时长 days and time duration",
    "years and months duration": "年月时长 years and months duration",
    "Any": "任意 Any",
}
_TYPE_BY_WORD = {
    word.casefold(): name for name, label in TYPES.items() for word in (name, label, label.split(" ", 1)[0])
}
_POLICY_BY_WORD = {
    word.casefold(): policy
    for policy in POLICIES
    for word in (policy.letter, *((policy.policy.value,) if policy.aggregation is None else ()))
}

Words = TypeVar("Words", bound=StrEnum)


def word_of(words: type[Words], text: object) -> Words | None:
    """The member that the cell names, if it is one."""
    given = _fold(text)
    for word in words:
        zh, en = word.split(" ", 1)
        if given in (_fold(word), zh, _fold(en)):
            return word
    return None


def is_sheet(title: str, own: str) -> bool:
    """Whether the sheet of that title is the one of ours."""
    return _fold(title) in (own, OWN_SHEETS[own].casefold(), _fold(f"{own} {OWN_SHEETS[own]}"))


def policy_words(policy: HitPolicy, aggregation: Aggregation | None) -> str:
    """What the cell of the hit policy says."""
    wanted = aggregation if policy is HitPolicy.COLLECT else None
    return next(p.words for p in POLICIES if p.policy is policy and p.aggregation is wanted)


def policy_of(text: object) -> Policy | None:
    """The hit policy that the cell names by its letter, its words or its English name."""
    given = _fold(text)
    first = re.split(r"[\s/:：]", given, maxsplit=1)[0]
    by_words = (p for p in POLICIES if given in (p.words.casefold(), p.zh.casefold(), p.zh.split("：")[0]))
    return _POLICY_BY_WORD.get(given) or _POLICY_BY_WORD.get(first) or next(by_words, None)


def type_words(name: str) -> str:
    """How a type is written."""
    return TYPES.get(name, name)


def type_of(text: str, own: frozenset[str]) -> str:
    """The type that the cell names; ``own`` are the names of the model's types, which come first."""
    return text if text in own else _TYPE_BY_WORD.get(text.casefold(), text)


def _fold(text: object) -> str:
    return " ".join(str(text).split()).rstrip(":：").casefold()
