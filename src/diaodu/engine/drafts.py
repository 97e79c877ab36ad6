"""What is read of a file before it is a graph: drafts of nodes, and all problems found on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from diaodu.engine.elements import ATTRIBUTES, EXTENSION, MODEL, local_name
from diaodu.engine.errors import Problem
from diaodu.engine.graph import Flow, Kind, Trigger, Value
from diaodu.engine.times import due_at
from diaodu.feel import Expression, FeelSyntaxError, compile_expression

# Of what tables are searched by: ids, and the names of messages, signals and topics.
NAME_MAX = 200
SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)
Element = Any  # lxml's element; its stubs make attribute access noisier than it is worth


@dataclass
class Draft:
    """A node that is being read; ``fields`` are those of the graph's node."""

    index: int
    element: Element
    kind: Kind
    trigger: Trigger
    scope: int
    fields: dict[str, Any] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    incoming: list[int] = field(default_factory=list)
    inner: list["Draft"] = field(default_factory=list)  # directly inside it

    @property
    def event(self) -> Element:
        """Where the element says what it waits for or throws: its event definition, else itself."""
        return next((c for c in self.element if isinstance(c.tag, str) and "ventDefinition" in c.tag), self.element)


class Notes:
    """A file with what its elements refer to, and what is wrong with it."""

    def __init__(self, root: Element, *, lenient: bool) -> None:
        self.root, self.lenient = root, lenient
        self.problems: list[Problem] = []
        self.messages = self._named("message", "name")
        self.signals = self._named("signal", "name")
        self.errors = self._named("error", "errorCode", "name")
        self.escalations = self._named("escalation", "escalationCode", "name")
        self.hosts = {e.get("attachedToRef") for e in root.iter(MODEL + "boundaryEvent")}
        self.data: dict[str, str] = {}  # data objects and the like: id -> variable

    def _named(self, tag: str, *attributes: str) -> Mapping[str | None, str]:
        found = {}
        for element in self.root.findall(MODEL + tag):
            found[element.get("id")] = next((element.get(a) for a in attributes if element.get(a)), "")
            self.short(element, found[element.get("id")])
        return found

    def problem(self, element: Element, code: str, what: str = "", what_zh: str = "") -> None:
        """Note a problem at the nearest element with an id."""
        at = element
        while at is not None and at.get("id") is None and at.getparent() is not None:
            at = at.getparent()
        self.problems.append(Problem(at.get("id") or local_name(element), code, what, what_zh))

    def short(self, element: Element, name: str) -> None:
        """Refuse a name that is too long to be searched by."""
        if len(name) > NAME_MAX:
            self.problem(element, "too-long", str(NAME_MAX))

    def attributes(self, element: Element) -> None:
        """Refuse the attributes, and the values of attributes, that are not executed."""
        known = ATTRIBUTES.get(local_name(element))
        if known is None:
            return
        for name, value in element.attrib.items():
            if name in ("id", "name") or name.startswith("{"):
                continue
            if name not in known:
                self.problem(element, "unsupported-attribute", name)
            elif known[name] and value not in known[name]:
                self.problem(element, "unsupported-attribute", f'{name}="{value}"')

    def extensions(self, element: Element, known: frozenset[str]) -> None:
        """Refuse the attributes of our own namespace that mean nothing here."""
        for name in element.attrib:
            if name.startswith(EXTENSION) and name[len(EXTENSION) :] not in known:
                self.problem(element, "unsupported-attribute", "diaodu:" + name[len(EXTENSION) :])

    def needed(self, element: Element, name: str) -> str:
        """An extension attribute that must be there; in a lenient reading the element's id stands in for it."""
        value = element.get(EXTENSION + name) or ""
        if not value and self.lenient:
            return str(element.get("id") or "")
        if not value:
            self.problem(element, "no-type" if name == "type" else "missing", "diaodu:" + name)
        return str(value)

    def language(self, element: Element, name: str | None) -> None:
        """Refuse another language of expressions than FEEL, which is the one where none is named."""
        if name and "feel" not in name.lower():
            attribute = "expressionLanguage" if element is self.root else "language"
            self.problem(element, "unsupported-attribute", f'{attribute}="{name}"')

    def feel(self, element: Element, text: str | None, names: tuple[str, ...] = ()) -> Expression | None:
        """An expression; None and a problem when it cannot be read."""
        self.language(element, element.get("language") or element.get("expressionLanguage"))
        try:
            return compile_expression((text or "").strip().removeprefix("=").strip(), names)
        except FeelSyntaxError as error:
            place = f"{error.line}:{error.column}"
            self.problem(element, "bad-feel", f"{place}: {error.message_en}", f"{place}：{error.message_zh}")
            return None

    def variable(self, element: Element, name: str) -> Expression | None:
        """An expression that is one variable, whatever its name looks like."""
        return self.feel(element, name, (name,))

    def value(self, element: Element, text: str) -> Value:
        """A constant, or an expression after ``=``."""
        if text.startswith("="):
            return self.feel(element, text) or text
        return text

    def moment(self, element: Element, text: str) -> Value:
        """A date or duration, or an expression for one."""
        value = self.value(element, text)
        if isinstance(value, str) and not text.startswith("="):
            try:
                due_at(value, SOME_DAY)
            except (ValueError, OverflowError):
                self.problem(element, "bad-timer", value)
        return value
