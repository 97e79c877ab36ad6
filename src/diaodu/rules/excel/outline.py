"""Everything of a model that is no table, as lines with levels: read and written by the fields of its classes.

A line says which part of the one above it is, its kind, name, type and text; further properties are lines below.
A decision table is a line with the name of its table. Ids are kept of elements only, because references name them.
"""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from diaodu.dmn import model
from diaodu.rules.excel.problems import Misread

KINDS: dict[type, str] = {
    model.Definitions: "模型 model",
    model.Import: "引入 import",
    model.ItemDefinition: "类型 type",
    model.InputData: "输入 input data",
    model.Decision: "决策 decision",
    model.BusinessKnowledgeModel: "函数 function",
    model.DecisionService: "服务 service",
    model.InformationItem: "变量 variable",
    model.LiteralExpression: "表达式 expression",
    model.Context: "上下文 context",
    model.ContextEntry: "条目 entry",
    model.List: "列表 list",
    model.Relation: "关系 relation",
    model.Invocation: "调用 call",
    model.Binding: "参数 binding",
    model.FunctionDefinition: "函数定义 function definition",
    model.Conditional: "条件 conditional",
    model.Filter: "筛选 filter",
    model.Iterate: "循环 loop",
    model.DecisionTable: "决策表 decision table",
}
PARTS = {
    "model": "模型",
    "imports": "引入",
    "item_definitions": "类型",
    "input_data": "输入",
    "decisions": "决策",
    "knowledge_models": "函数",
    "services": "服务",
    "variable": "变量",
    "expression": "表达式",
    "logic": "逻辑",
    "required_inputs": "所需输入",
    "required_decisions": "所需决策",
    "required_knowledge": "所需函数",
    "output_decisions": "输出决策",
    "encapsulated_decisions": "内部决策",
    "input_decisions": "输入决策",
    "question": "问题",
    "allowed_answers": "答案",
    "description": "说明",
    "entries": "条目",
    "items": "项",
    "columns": "列",
    "rows": "行",
    "value": "值",
    "function": "函数",
    "bindings": "参数",
    "parameter": "参数",
    "parameters": "参数",
    "body": "主体",
    "kind": "种类",
    "condition": "条件",
    "then": "则",
    "otherwise": "否则",
    "source": "来源",
    "match": "筛选",
    "allowed_values": "取值",
    "type_constraint": "约束",
    "components": "组成",
    "result": "结果",
    "language": "语言",
    "expression_language": "表达式语言",
    "type_language": "类型语言",
    "location": "位置",
    "import_type": "引入类型",
    "is_collection": "为列表",
    "is_function": "为函数",
}
TEXT, ROW, NOTHING = "文字 text", "行 row", "空 nothing"
_KIND_BY_WORD = {word: kind for kind, word in KINDS.items()}
_ELEMENTS = (model.InputData, model.Decision, model.BusinessKnowledgeModel, model.DecisionService)
# The field that stands in the column of texts.
_TEXT_FIELDS: dict[type, str] = {
    model.Definitions: "namespace",
    model.Import: "namespace",
    model.LiteralExpression: "text",
}


HEADINGS = ("层级 Level", "部分 Part", "种类 Kind", "名称 Name", "类型 Type", "内容 Text", "编号 Id")


@dataclass
class Line:
    """A line with those below it; ``row`` is where it was read."""

    part: str
    kind: str
    name: str = ""
    type: str = ""
    text: str = ""
    id: str = ""
    below: "list[Line]" = field(default_factory=list)
    row: int = 0


# The table that a line names, or None when there is none and that has been told.
Tables: TypeAlias = Callable[[Line], model.DecisionTable | None]
# Hears of a line that cannot be read, for which None stands.
Wrong: TypeAlias = Callable[[Line, Misread], None]


def line_of(part: str, value: Any, table_name: Callable[[model.DecisionTable], str]) -> Line:
    """The line of a part of a model; ``table_name`` says how the sheets call a table."""
    if value is None:
        return Line(part, NOTHING)
    if isinstance(value, tuple):
        return Line(part, ROW, below=[line_of("items", item, table_name) for item in value])
    if not hasattr(value, "__dataclass_fields__"):
        return Line(part, TEXT, text="yes" if value is True else str(getattr(value, "value", value)))
    line = Line(part, KINDS[type(value)], type=getattr(value, "type_ref", None) or "")
    if isinstance(value, model.DecisionTable):
        line.text = table_name(value)
        return line
    line.name = getattr(value, "name", "")
    line.text = getattr(value, _TEXT_FIELDS.get(type(value), ""), "")
    line.id = value.id if isinstance(value, _ELEMENTS) else ""
    for name, inner in _further(value):
        many = inner if isinstance(inner, tuple) else (inner,)
        line.below += [line_of(name, item, table_name) for item in many]
    return line


def _further(value: Any) -> Iterator[tuple[str, Any]]:
    """The fields that need a line of their own."""
    in_columns = {"id", "name", "type_ref", "source" if isinstance(value, model.Definitions) else ""}
    in_columns.add(_TEXT_FIELDS.get(type(value), ""))
    for its in fields(value):
        inner = getattr(value, its.name)
        if its.name not in in_columns and inner not in (its.default, None, ()):
            yield its.name, inner


def value_of(line: Line, tables: Tables, wrong: Wrong) -> Any:
    """What a line of one of the kinds says, with all below it; None where a part that must be there is missing."""
    kind = _KIND_BY_WORD[line.kind]
    if kind is model.DecisionTable:
        return tables(line)
    hints = _hints(kind)
    values: dict[str, Any] = {}
    for name, hint in hints.items():
        own = [below for below in line.below if below.part == name]
        if own or get_origin(hint) is tuple:
            read = [_below(below, hint, tables, wrong) for below in own]
            values[name] = tuple(read) if get_origin(hint) is tuple else read[0]
    for below in line.below:
        if below.part not in hints:
            wrong(below, Misread("unknown-kind", below.part))
    _columns(line, kind, values)
    for its in fields(kind):
        if its.name not in values and its.default is MISSING:
            if NoneType not in get_args(hints[its.name]):
                wrong(line, Misread("part-missing", its.name))
                return None
            values[its.name] = None
    return kind(**values)


def _columns(line: Line, kind: type, values: dict[str, Any]) -> None:
    """What stands in the columns of the line itself."""
    names = {its.name for its in fields(kind)}
    text = _TEXT_FIELDS.get(kind)
    if text:
        values[text] = line.text
    if "name" in names:
        values["name"] = line.name
    if line.type and "type_ref" in names:
        values["type_ref"] = line.type
    if kind in _ELEMENTS:
        values["id"] = line.id or line.name


def _below(line: Line, hint: Any, tables: Tables, wrong: Wrong) -> Any:
    allowed = _classes(hint)
    if line.kind == NOTHING:
        return None
    if line.kind == ROW and tuple in allowed:
        return tuple(_below(below, hint, tables, wrong) for below in line.below)
    kind = _KIND_BY_WORD.get(line.kind)
    if kind in allowed and kind is not None:
        return value_of(line, tables, wrong)
    if line.kind == TEXT and kind is None:
        for plain in allowed:
            if plain is bool:
                return line.text == "yes"
            if plain is str or issubclass(plain, Enum):
                try:
                    return plain(line.text)
                except ValueError:
                    break
    wrong(line, Misread("unknown-kind", line.text if line.kind == TEXT else line.kind))
    return None


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _classes(hint: Any) -> set[type]:
    """The classes that may stand in a field; ``tuple`` among them where a row of them may."""
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        nested = {tuple} if get_origin(inner) is tuple else set()
        return nested | _classes(inner)
    if get_origin(hint) in (UnionType, Union):
        return {found for each in get_args(hint) for found in _classes(each)} - {NoneType}
    return {hint}
