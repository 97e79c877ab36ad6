"""Checks a report against the form of its kind of work; pure."""

from collections.abc import Mapping
from typing import Any

from diaodu.catalog.model import FormField, WorkKind
from diaodu.workforce import errors
from diaodu.workforce.model import EffectOutcome, WorkLine, WorkOrder

_TYPES: Mapping[str, tuple[type, ...]] = {"number": (int, float), "string": (str,), "boolean": (bool,)}


def check_report(order: WorkOrder, kind: WorkKind, outcomes: tuple[EffectOutcome, ...]) -> None:
    """Pass when every effect that the work order still carries is reported once and each form is valid.

    What was dropped from it may be reported too: a phone that was offline knew no better, and what it did is true.
    """
    lines = {line.effect: line for line in order.lines}
    given = [o.effect_id for o in outcomes]
    carried = {line.effect for line in order.carried}
    if not given or len(set(given)) != len(given) or not carried <= set(given) <= lines.keys():
        raise errors.ReportIncomplete(id=order.id, expected=sorted(carried or lines), given=sorted(given))
    for o in outcomes:
        if o.ok:
            check_form(lines[o.effect_id], kind, o.data)


def check_form(line: WorkLine, kind: WorkKind, data: Mapping[str, Any]) -> None:
    """Pass when what is reported of one effect fits its form; FormInvalid."""
    for field in kind.forms.get(line.kind, ()):
        _check_field(line, field, data.get(field.name))


def _check_field(line: WorkLine, field: FormField, value: Any) -> None:
    if value is None and not field.required:
        return
    fits = isinstance(value, _TYPES.get(field.type, (object,))) and (
        field.type == "boolean" or not isinstance(value, bool)
    )
    if value is None or not fits:
        raise errors.FormInvalid(
            effect=line.effect,
            field=field.name,
            message_en=f"a value of type {field.type} is required",
            message_zh=f"必须填写,类型为 {field.type}",
        )
    if field.valid is not None and field.valid.evaluate({"值": value, "参数": line.params}) is not True:
        raise errors.FormInvalid(
            effect=line.effect, field=field.name, message_en=field.message["en"], message_zh=field.message["zh"]
        )
