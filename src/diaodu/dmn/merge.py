"""Three-way merge of model XML: what changed from `base` to `new` is done to `source`, whose other parts stay.

`base` and `new` are built trees (see build.py), `source` is the tree that `base` was read from: besides all of `base`,
except what is said by default, it holds foreign parts.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import deepcopy
from difflib import SequenceMatcher

from lxml import etree

from diaodu.dmn.document import Element, M, local

# The order of the standard's schema; one for all parents, as no two of them contradict each other.
_ORDER = """
description extensionElements question allowedAnswers import itemDefinition parameter variable encapsulatedLogic
outputDecision encapsulatedDecision inputDecision inputData decision businessKnowledgeModel decisionService
knowledgeSource association group textAnnotation elementCollection organizationUnit performanceIndicator
informationRequirement knowledgeRequirement authorityRequirement supportedObjective impactedPerformanceIndicator
decisionMaker decisionOwner usingProcess usingTask formalParameter typeRef allowedValues typeConstraint itemComponent
functionItem literalExpression binding contextEntry column row if then else in match return satisfies text
importedValues inputExpression inputValues outputValues defaultOutputEntry input output annotation rule
inputEntry outputEntry annotationEntry DMNDI
"""
_BOXES = frozenset(
    ("literalExpression", "context", "list", "relation", "invocation", "functionDefinition", "conditional", "filter")
) | {"for", "some", "every", "decisionTable"}
_SAME_RANK: dict[str, str] = {
    **dict.fromkeys(("decision", "businessKnowledgeModel", "decisionService", "knowledgeSource"), "inputData"),
    **dict.fromkeys(_BOXES, "literalExpression"),
}
_RANK: dict[str, int] = {name: rank for rank, name in enumerate(_ORDER.split())}
_REQUIREMENTS = frozenset({M + "informationRequirement", M + "knowledgeRequirement"})
Kind = tuple[str, str]


def merge(source: Element, base: Element, new: Element) -> None:
    """Change `source` in place."""
    if _canonical(base) == _canonical(new):
        return
    for key in {*base.keys(), *new.keys()}:
        if base.get(key) != (value := new.get(key)):
            if value is None:
                source.attrib.pop(key, None)
            else:
                source.set(key, value)
    if (base.text or "") != (new.text or ""):
        for child in list(source):
            source.remove(child)
        source.text = new.text
    _merge_children(source, list(base), list(new))


def _merge_children(source: Element, base: Sequence[Element], new: Sequence[Element]) -> None:
    origin, silent = _origins(source, base)
    partners = _partners(base, new)
    for index in set(range(len(base))) - set(partners.values()):
        if (gone := origin[index]) is not None:
            _remove(gone)
    there = [origin[partners[i]] if i in partners else None for i in range(len(new))]
    _reorder(source, [each for each in there if each is not None])
    last: dict[Kind, Element] = {}
    for i, child in enumerate(new):
        series = _series(child)
        if (found := there[i]) is not None:
            merge(found, base[partners[i]], child)
        elif i in partners and _canonical(base[partners[i]]) == _canonical(child):
            continue  # said by default, and still so
        elif (instead := next(silent[_kind(child)], None)) is not None:
            found = _replace(instead, child)
        elif series in last:
            found = _insert_after(last[series], child)
        else:
            found = _insert(source, child, _place(source, child, there[i + 1 :]))
        last[series] = found


def _origins(source: Element, base: Sequence[Element]) -> tuple[list[Element | None], dict[Kind, Iterator[Element]]]:
    """Where each child of the built tree stands in the source: the n-th of a kind is the n-th there.

    Besides those that are left: a kind that the model knows, but nothing was read from them.
    """
    found: dict[Kind, list[Element]] = defaultdict(list)
    for child in source.iterchildren(etree.Element):
        found[_kind(child)].append(child)
    left: dict[Kind, Iterator[Element]] = defaultdict(lambda: iter(()))
    left.update({kind: iter(elements) for kind, elements in found.items()})
    return [next(left[_kind(child)], None) for child in base], left


def _partners(base: Sequence[Element], new: Sequence[Element]) -> dict[int, int]:
    """Which child of `base` each child of `new` was: by id or name, else by likeness and place."""
    named: dict[tuple[Kind, str], int] = {}
    for index, child in enumerate(base):
        if (name := child.get("id") or child.get("name")) is not None:
            named.setdefault((_kind(child), name), index)
    partners: dict[int, int] = {}
    for index, child in enumerate(new):
        found = named.pop((_kind(child), child.get("id") or child.get("name") or ""), None)
        if found is not None:
            partners[index] = found
    taken = set(partners.values())
    rest_base = [i for i in range(len(base)) if i not in taken]
    rest_new = [i for i in range(len(new)) if i not in partners]
    likeness = SequenceMatcher(
        None, [_canonical(base[i]) for i in rest_base], [_canonical(new[i]) for i in rest_new], autojunk=False
    )
    for verb, b_start, b_end, n_start, n_end in likeness.get_opcodes():
        if verb in ("equal", "replace"):
            _pair(base, new, rest_base[b_start:b_end], rest_new[n_start:n_end], partners)
    return partners


def _pair(
    base: Sequence[Element], new: Sequence[Element], old: Sequence[int], now: Sequence[int], partners: dict[int, int]
) -> None:
    left: dict[Kind, list[int]] = defaultdict(list)
    for index in reversed(old):
        left[_kind(base[index])].append(index)
    for index in now:
        if candidates := left[_kind(new[index])]:
            partners[index] = candidates.pop()


def _kind(element: Element) -> Kind:
    """What may be matched with each other; a requirement counts as what it requires."""
    first = next(element.iterchildren(etree.Element), None) if element.tag in _REQUIREMENTS else None
    return element.tag, "" if first is None else first.tag


def _canonical(element: Element) -> bytes:
    return etree.tostring(element, method="c14n", with_tail=False)


def _remove(element: Element) -> None:
    """Take an element out; the one that becomes the last keeps the closing indentation."""
    parent, before = element.getparent(), element.getprevious()
    if element.getnext() is None:
        if before is None:
            parent.text = element.tail
        else:
            before.tail = element.tail
    parent.remove(element)


def _reorder(source: Element, wanted: Sequence[Element]) -> None:
    """Bring children of a series that changed places into their new order, on the places they had."""
    series: dict[Kind, list[Element]] = defaultdict(list)
    for element in wanted:
        series[_series(element)].append(element)
    for elements in series.values():
        places = [source.index(each) for each in elements]
        if places == sorted(places):
            continue
        tails = [source[place].tail for place in sorted(places)]
        for element in elements:
            source.remove(element)
        for place, element, tail in zip(sorted(places), elements, tails, strict=True):
            element.tail = tail
            source.insert(place, element)


def _replace(silent: Element, child: Element) -> Element:
    addition = _addition(silent.getparent(), child)
    addition.tail = silent.tail
    silent.getparent().replace(silent, addition)
    return addition


def _insert_after(before: Element, child: Element) -> Element:
    addition, tail = _addition(before.getparent(), child), before.tail
    before.tail = None
    before.addnext(addition)
    before.tail, addition.tail = before.getparent().text, tail
    return addition


def _insert(source: Element, child: Element, place: int) -> Element:
    addition = _addition(source, child)
    if len(source) and place:
        source.insert(place, addition)
        addition.tail, source[place - 1].tail = source[place - 1].tail, source.text
        return addition
    level = "\n" + "  " * sum(1 for _ in source.iterancestors())
    addition.tail = source.text if len(source) else level
    source.text = source.text if len(source) else level + "  "
    source.insert(place, addition)
    return addition


def _addition(parent: Element, child: Element) -> Element:
    addition = deepcopy(child)
    etree.indent(addition, space="  ", level=1 + sum(1 for _ in parent.iterancestors()))
    return addition


def _place(source: Element, child: Element, later: Sequence[Element | None]) -> int:
    """Where the first of its series belongs: before the next one, else where the schema wants it."""
    for each in later:
        if each is not None and _series(each) == _series(child):
            return int(source.index(each))
    return max((n + 1 for n, each in enumerate(source) if 0 <= _rank(each) <= _rank(child)), default=0)


def _series(element: Element) -> Kind:
    """What is read as one series, so that its order counts."""
    return ("", "box") if local(element) in _BOXES else _kind(element)


def _rank(element: Element) -> int:
    name: str = local(element)
    return _RANK.get(_SAME_RANK.get(name, name), -1)
