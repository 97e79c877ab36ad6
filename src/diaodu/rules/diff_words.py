"""The differences of two versions in words."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from diaodu.rules.diff import Diff, Difference, PartChange, RuleChange, TableDiff

_ZH = {
    "added": "新增",
    "removed": "删除",
    "changed": "修改",
    "moved": "移动",
    "model": "模型",
    "import": "引入",
    "type": "类型",
    "input data": "输入",
    "decision": "决策",
    "function": "函数",
    "service": "服务",
    "test": "测试用例",
    "input": "条件列",
    "output": "结果列",
    "remark": "备注列",
    "note": "行说明",
    "hit policy": "命中策略",
    "result label": "结果名称",
    "label": "名称",
    "name": "名称",
    "values": "取值",
    "default": "默认",
    "expected": "期望结果",
    "text": "内容",
    "table": "决策表",
    "rule": "规则",
    "nothing": "无",
    "same": "两个版本没有差别",
}
_EN = {
    "input": "input column",
    "output": "result column",
    "remark": "remark column",
    "test": "test case",
    "nothing": "nothing",
    "same": "The two versions do not differ.",
}
# Cells without a name of their own; the names of columns are people's words and stay.
_CELLS = {"output": {"zh": "结果", "en": "result"}, "note": {"zh": "行说明", "en": "note"}}


def render(diff: Diff, language: str) -> str:
    """The differences in ``zh`` or ``en``, a line each, what belongs together indented."""
    words = _Words(language)
    lines = [line for table in diff.tables for line in words.table(table)]
    lines += [line for part in (*diff.parts, *diff.tests) for line in words.part(part)]
    return "\n".join(lines) or words.word("same")


class _Words:
    def __init__(self, language: str) -> None:
        self.language = language
        self.colon = "：" if language == "zh" else ": "

    def word(self, word: str) -> str:
        return _ZH.get(word, word) if self.language == "zh" else _EN.get(word, word)

    def table(self, table: TableDiff) -> Iterator[str]:
        yield f"{self.word('table')} {table.name}"
        yield from self.differences(table.properties, "  ")
        for column in table.columns:
            yield from self.part(column, "  ")
        for rule in table.rules:
            yield from self.rule(rule)

    def part(self, part: PartChange, indent: str = "") -> Iterator[str]:
        yield " ".join(filter(None, (indent + self.word(part.change), self.word(part.kind), part.name)))
        yield from self.differences(part.differences, indent + "  ")

    def rule(self, rule: RuleChange) -> Iterator[str]:
        numbers = " → ".join(str(n) for n in dict.fromkeys((rule.old, rule.new)) if n is not None)
        yield f"  {self.word(rule.change)} {self.word('rule')} {numbers}"
        for cell in rule.cells:
            name = _CELLS.get(cell.what, {}).get(self.language, cell.what)
            yield f"    {name}{self.colon}{self.change(cell)}"

    def differences(self, found: Iterable[Difference], indent: str) -> Iterator[str]:
        for each in found:
            yield f"{indent}{self.word(each.what)}{self.colon}{self.change(each)}"

    def change(self, found: Difference) -> str:
        return f"{self.value(found.old)} → {self.value(found.new)}"

    def value(self, value: Any) -> str:
        if value is None:
            return self.word("nothing")
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
