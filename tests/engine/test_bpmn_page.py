"""The page about BPMN names every element, attribute and event of the engine, and none that is not there."""

import re
from pathlib import Path

import pytest

from diaodu.engine import elements, layout, parse

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bpmn.md").read_text(encoding="utf-8")
SECTIONS = {part.splitlines()[0].split()[0]: part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]}
ENGINE = [path.read_text(encoding="utf-8") for path in (ROOT / "src" / "diaodu" / "engine").rglob("*.py")]


def first_cells(section: str) -> set[str]:
    """The names in the first column of the tables of a section."""
    cells = [line.split("|")[1] for line in SECTIONS[section].splitlines() if line.startswith("| ")]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def quoted(section: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", SECTIONS[section]))


def test_every_element_is_told() -> None:
    known = {*elements.NODES, "process", "sequenceFlow", *elements.EVENT_DEFINITIONS}
    loops = {"multiInstanceLoopCharacteristics", "standardLoopCharacteristics"}
    data = {"dataInputAssociation", "dataOutputAssociation", "diaodu:input", "diaodu:output"}
    assert first_cells("1.") == known | loops | data


@pytest.mark.parametrize(("place", "element"), [(3, "startEvent"), (5, "intermediateCatchEvent"), (6, "boundaryEvent"),
                                                (7, "intermediateThrowEvent"), (8, "endEvent")])  # fmt: skip
def test_every_event_is_told_where_it_may_stand(place: int, element: str) -> None:
    rows = [line.split("|") for line in SECTIONS["1."].splitlines() if line.count("|") == 10 and "EventDef" in line]
    told = {row[1].strip(" `") for row in rows if "+" in row[place]}
    executed = {name for name in elements.NODES[element] if name}
    if element == "startEvent":
        told |= {row[1].strip(" `") for row in rows if "+" in row[4]}
    assert told == executed


def test_every_attribute_is_told() -> None:
    ours = {f"diaodu:{name}" for names in elements.EXTENSIONS.values() for name in names}
    ours |= {f"diaodu:{name}" for names in elements.EVENT_EXTENSIONS.values() for name in names}
    standard = {name for attributes in elements.ATTRIBUTES.values() for name in attributes}
    known = {*elements.ATTRIBUTES, "id", "name", "diaodu:kind", "execution", "=FEEL", "name=value; name=value"}
    told = quoted("2.")
    assert ours | standard <= told
    assert told <= ours | standard | known


def test_what_is_kept_and_refused_is_told() -> None:
    assert quoted("3.") >= elements.NOT_EXECUTED
    assert not {name for name in quoted("4.") if name in elements.NODES or name in elements.EVENT_DEFINITIONS}
    assert f"{parse.MAX_BYTES // 1024**2} MiB" in SECTIONS["4."]
    assert f"{layout.LAID_OUT_MAX} nodes" in SECTIONS["3."]


def test_every_event_of_the_history_is_told() -> None:
    written = re.compile(r'(?:record\([^"]*|"t": |_entry\(|== ENDED else |_E\.\w+: )"([a-z]+\.[a-zA-Z]+)"')
    assert first_cells("7.") == {name for text in ENGINE for name in written.findall(text)}
