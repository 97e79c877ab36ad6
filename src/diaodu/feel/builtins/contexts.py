"""The context functions and `not`."""

from __future__ import annotations

from diaodu.feel.builtins.registry import builtin
from diaodu.feel.errors import Refused
from diaodu.feel.runtime import Run
from diaodu.feel.values import entry, in_steps, kind_of, lift


@builtin("not(negand: any)")
def negate(negand: object) -> bool:
    if not isinstance(negand, bool):
        raise Refused("not-boolean", type=kind_of(negand))
    return not negand


@builtin("get value(m: context, key: string)")
def get_value(m: dict[str, object], key: str) -> object:
    if key not in m:
        raise Refused("unknown-entry", name=key)
    return entry(m, key)


@builtin("get value(context: context, keys: list)")
def get_deep_value(context: dict[str, object], keys: list[object]) -> object:
    found: object = context
    if not keys:
        raise Refused("invalid-value", value="[]", name="keys")
    for key in keys:
        if not isinstance(found, dict) or not isinstance(key, str) or key not in found:
            raise Refused("unknown-entry", name=key)
        found = entry(found, key)
    return found


@builtin("get entries(m: context)")
def get_entries(run: Run, m: dict[str, object]) -> list[object]:
    return [{"key": key, "value": entry(m, key)} for key in in_steps(list(m), run.meter.step)]


@builtin("context(entries: list)")
def context(run: Run, entries: list[object]) -> dict[str, object]:
    result: dict[str, object] = {}
    for item in in_steps(entries, run.meter.step):
        if not isinstance(item, dict) or not {"key", "value"} <= item.keys():
            raise Refused("invalid-value", value=kind_of(item), name="entries")
        key = item["key"]
        if not isinstance(key, str):
            raise Refused("invalid-value", value=kind_of(key), name="key")
        if key in result:
            raise Refused("duplicate-entry", name=key)
        result[key] = lift(item["value"])
    return result


@builtin("context put(context: context, key: string, value: any)")
def context_put(run: Run, context: dict[str, object], key: str, value: object) -> dict[str, object]:
    run.meter.step(len(context) >> 4)
    return {**context, key: value}


@builtin("context put(context: context, keys: list, value: any)")
def context_put_deep(run: Run, context: dict[str, object], keys: list[object], value: object) -> dict[str, object]:
    """The nested calls of the standard: only the last key may be new."""
    if not keys:
        raise Refused("invalid-value", value="[]", name="keys")
    *path, last = keys
    way = [context]
    for key in path:
        inner = entry(way[-1], key) if isinstance(key, str) else None
        if not isinstance(inner, dict):
            raise Refused("invalid-value", value=kind_of(inner), name=key)
        way.append(inner)
    if not isinstance(last, str):
        raise Refused("invalid-value", value=kind_of(last), name="keys")
    result = context_put(run, way.pop(), last, value)
    while way:
        result = context_put(run, way.pop(), str(path.pop()), result)
    return result


@builtin("context merge(contexts: list)")
def context_merge(run: Run, contexts: list[object]) -> dict[str, object]:
    result: dict[str, object] = {}
    for item in in_steps(contexts, run.meter.step):
        if not isinstance(item, dict):
            raise Refused("invalid-value", value=kind_of(item), name="contexts")
        run.meter.step(len(item) >> 4)
        result.update(item)
    return result
