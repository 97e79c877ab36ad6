"""Data mapping in and out of a node, and how often an activity is done, as a file says it."""

from collections.abc import Iterator

from diaodu.engine.drafts import Draft, Element, Notes
from diaodu.engine.elements import EXTENSION, EXTENSIONS, MODEL, local_name
from diaodu.engine.graph import ACTIVITIES, Kind, Loop, Mapped
from diaodu.feel import Expression

_IO_PARTS = frozenset({"documentation", "extensionElements", "dataInput", "dataOutput", "inputSet", "outputSet"})
_LOOP = {
    "multiInstanceLoopCharacteristics": {
        "documentation", "extensionElements", "loopCardinality", "loopDataInputRef", "loopDataOutputRef",
        "inputDataItem", "outputDataItem", "completionCondition",
    },
    "standardLoopCharacteristics": {"documentation", "extensionElements", "loopCondition"},
}  # fmt: skip
_THROWN = frozenset({Kind.SIGNAL, Kind.ESCALATION, Kind.SERVICE})
_CAUGHT = frozenset({Kind.CATCH, Kind.BOUNDARY, Kind.START, Kind.SERVICE})
_WITH_DATA = ACTIVITIES - {Kind.STAGE}


def children(element: Element) -> Iterator[Element]:
    """The child elements, without comments and the like."""
    yield from (c for c in element if isinstance(c.tag, str))


def name_data(notes: Notes) -> None:
    """Which variable each data object, data input and property of the file stands for."""
    for tag in ("dataObject", "dataObjectReference", "dataInput", "dataOutput", "property"):
        for element in notes.root.iter(MODEL + tag):
            if element.get("id"):
                notes.data[element.get("id")] = element.get("name") or element.get("id")


def read_mapping(notes: Notes, draft: Draft) -> None:
    """``diaodu:input`` and ``diaodu:output``, and the simple forms of the standard's data associations."""
    inputs, outputs = _extended(notes, draft)
    for part in draft.element.iterfind(f"{MODEL}ioSpecification/*"):
        if local_name(part) not in _IO_PARTS:
            notes.problem(part, "unsupported", local_name(part))
    for element in draft.element.iterfind(MODEL + "dataInputAssociation"):
        inputs += _association(notes, element)
    for element in draft.element.iterfind(MODEL + "dataOutputAssociation"):
        outputs += _association(notes, element)
    draft.fields["inputs"], draft.fields["outputs"] = tuple(inputs), tuple(outputs)
    # A none event has neither, though it is executed as a manual task is; a stage's data is its driver's.
    activity = draft.kind in _WITH_DATA and not local_name(draft.element).endswith("Event")
    for name, given, kinds in (("input", inputs, _THROWN), ("output", outputs, _CAUGHT)):
        if given and not activity and draft.kind not in kinds:
            notes.problem(draft.element, "unsupported", "diaodu:" + name)


def _extended(notes: Notes, draft: Draft) -> tuple[list[tuple[str, Expression]], list[tuple[str, Expression]]]:
    inputs: list[tuple[str, Expression]] = []
    outputs: list[tuple[str, Expression]] = []
    for element in draft.element.iterfind(f"{MODEL}extensionElements/*"):
        if not str(element.tag).startswith(EXTENSION):
            continue
        side = {"input": inputs, "output": outputs}.get(local_name(element))
        if side is None:
            notes.problem(element, "unsupported", "diaodu:" + local_name(element))
        elif (pair := _mapped(notes, element, element.get("name"), element.get("expression"))) is not None:
            side.append(pair)
    return inputs, outputs


def _mapped(notes: Notes, element: Element, name: str | None, text: str | None) -> tuple[str, Expression] | None:
    if not name or text is None:
        notes.problem(element, "missing", "name" if not name else "expression")
        return None
    expression = notes.feel(element, text)
    return None if expression is None else (name, expression)


def _association(notes: Notes, element: Element) -> Mapped:
    known = {"documentation", "extensionElements", "sourceRef", "targetRef", "assignment"}
    for part in children(element):
        if local_name(part) not in known:
            notes.problem(element, "unsupported", local_name(part))
    assignments = element.findall(MODEL + "assignment")
    sources, target = element.findall(MODEL + "sourceRef"), element.find(MODEL + "targetRef")
    found = []
    for assignment in assignments:
        origin, to = assignment.find(MODEL + "from"), assignment.find(MODEL + "to")
        name = "" if to is None else (to.text or "").strip()
        text = None if origin is None else origin.text
        if (pair := _mapped(notes, element, notes.data.get(name, name), text)) is not None:
            found.append(pair)
    if not assignments:
        names = [_data(notes, part) for part in (*sources, *([] if target is None else [target]))]
        if len(names) != 2:
            notes.problem(element, "missing", "sourceRef, targetRef")
        elif names[0] and names[1] and (expression := notes.variable(element, names[0])) is not None:
            found.append((names[1], expression))
    return tuple(found)


def _data(notes: Notes, reference: Element) -> str:
    name = notes.data.get((reference.text or "").strip(), "")
    if not name:
        notes.problem(reference, "bad-reference", (reference.text or "").strip())
    return name


# How often ----------------------------------------------------------------------------------------------------


def read_loop(notes: Notes, draft: Draft) -> Loop | None:
    """The loop characteristics of an activity."""
    given = [c for c in children(draft.element) if local_name(c) in _LOOP]
    if not given:
        return None
    element = given[0]
    notes.attributes(element)
    notes.extensions(element, EXTENSIONS.get(local_name(element), frozenset()))
    if draft.kind is Kind.STAGE or len(given) > 1 or local_name(draft.element).endswith("Event"):
        notes.problem(draft.element, "unsupported", local_name(element))
    for part in children(element):
        if local_name(part) not in _LOOP[local_name(element)]:
            notes.problem(draft.element, "unsupported", local_name(part))
    return _multi(notes, element) if local_name(element).startswith("multi") else _standard(notes, element)


def _part(notes: Notes, element: Element, name: str) -> Expression | None:
    found = element.find(MODEL + name)
    return None if found is None else notes.feel(found, found.text)


def _attribute(notes: Notes, element: Element, name: str) -> Expression | None:
    text = element.get(EXTENSION + name)
    return None if text is None else notes.feel(element, text)


def _multi(notes: Notes, element: Element) -> Loop:
    cardinality = _part(notes, element, "loopCardinality")
    collection = _attribute(notes, element, "collection")
    given, taken = element.find(MODEL + "loopDataInputRef"), element.find(MODEL + "loopDataOutputRef")
    if given is not None and (name := _data(notes, given)):
        collection = notes.variable(given, name)
    sources = sum(element.find(MODEL + n) is not None for n in ("loopCardinality", "loopDataInputRef"))
    if sources + (element.get(EXTENSION + "collection") is not None) != 1:
        notes.problem(element, "missing", "loopCardinality | loopDataInputRef | diaodu:collection")
    item, result = element.find(MODEL + "inputDataItem"), element.find(MODEL + "outputDataItem")
    value = _attribute(notes, element, "value")
    if result is not None:
        value = notes.variable(result, result.get("name") or result.get("id") or "")
    output = element.get(EXTENSION + "output") or ("" if taken is None else _data(notes, taken))
    if bool(output) != (value is not None):
        notes.problem(element, "missing", "diaodu:output, diaodu:value")
    return Loop(
        sequential=element.get("isSequential") == "true",
        cardinality=cardinality,
        collection=collection,
        element=element.get(EXTENSION + "element")
        or ("" if item is None else item.get("name") or item.get("id") or ""),
        output=output,
        value=value,
        completion=_part(notes, element, "completionCondition"),
    )


def _standard(notes: Notes, element: Element) -> Loop:
    condition, most = _part(notes, element, "loopCondition"), element.get("loopMaximum")
    if most is not None and not most.isdigit():
        notes.problem(element, "bad-value", most)
    if condition is None and most is None:
        notes.problem(element, "missing", "loopCondition | loopMaximum")
    return Loop(
        sequential=True,
        before=element.get("testBefore") == "true",
        condition=condition,
        most=int(most) if most is not None and most.isdigit() else None,
    )
