"""Reading JSON that a person or a program wrote: every problem is found at once, with the place where it stands."""

from collections.abc import Sequence
from typing import Any

from diaodu.rules.errors import Unreadable


class Shape:
    """A JSON object that is read attribute by attribute; ``done`` raises Unreadable with all that was wrong."""

    def __init__(self, value: Any, path: str = "", problems: list[tuple[str, str]] | None = None) -> None:
        self._problems: list[tuple[str, str]] = [] if problems is None else problems
        self._path = path
        if not isinstance(value, dict):
            self._wrong("", "an object", "对象")
        self._value: dict[str, Any] = value if isinstance(value, dict) else {}

    def given(self, name: str) -> bool:
        """Whether the attribute is there and not null."""
        return self._value.get(name) is not None

    def text(self, name: str, *, required: bool = False) -> str | None:
        """A text, or None."""
        value = self._value.get(name)
        if isinstance(value, str) and (value or not required):
            return value
        if value is not None or required:
            self._wrong(name, "a text", "文本")
        return None

    def choice(self, name: str, allowed: Sequence[str], *, default: str) -> str:
        """One of some texts."""
        value = self._value.get(name, default)
        if isinstance(value, str) and value in allowed:
            return value
        self._wrong(name, " | ".join(allowed), " | ".join(allowed))
        return default

    def texts(self, name: str, *, exactly: int | None = None) -> tuple[str, ...]:
        """A list of texts; absent = empty, unless a number of them is expected."""
        value = self._value.get(name, [])
        fits = isinstance(value, list) and all(isinstance(v, str) for v in value)
        if fits and (exactly is None or len(value) == exactly):
            return tuple(value)
        how_many = "" if exactly is None else f"{exactly} "
        self._wrong(name, f"a list of {how_many}texts", f"{how_many}个文本的列表" if how_many else "文本列表")
        return ("",) * (exactly or 0)

    def objects(self, name: str, *, least: int = 0, most: int) -> "list[Shape]":
        """A list of objects; absent = empty."""
        value = self._value.get(name, [])
        if not isinstance(value, list) or not least <= len(value) <= most:
            self._wrong(name, f"a list of {least} to {most} objects", f"{least} 至 {most} 个对象的列表")
            return []
        return [Shape(v, f"{self._path}{name}[{n}].", self._problems) for n, v in enumerate(value)]

    def inner(self, name: str) -> dict[str, Any]:
        """An object, as it is; absent = empty."""
        value = self._value.get(name, {})
        if isinstance(value, dict):
            return value
        self._wrong(name, "an object", "对象")
        return {}

    def any(self, name: str) -> Any:
        """Any value; absent = null."""
        return self._value.get(name)

    def done(self) -> None:
        """Unreadable when anything was wrong."""
        if self._problems:
            raise Unreadable(
                problems="; ".join(en for en, _ in self._problems),
                problems_zh="；".join(zh for _, zh in self._problems),
            )

    def _wrong(self, name: str, en: str, zh: str) -> None:
        place = (self._path + name).rstrip(".") or "$"
        self._problems.append((f"{place}: expected {en}", f"{place}：应为{zh}"))
