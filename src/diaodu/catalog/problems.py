"""What is wrong with a catalogue document: all of it, with its place, in both languages."""

from collections.abc import Iterable, Mapping
from typing import Any

from diaodu import feel
from diaodu.catalog.errors import BadCatalogue


class Problems:
    """Collects what is wrong; ``functions`` are the decisions that expressions may call."""

    def __init__(self, functions: Iterable[str]) -> None:
        self.found: list[tuple[str, str]] = []  # en, zh
        self.functions = tuple(functions)

    def add(self, place: str, en: str, zh: str) -> None:
        """Note one problem at a place of the document."""
        self.found.append((f"{place}: {en}", f"{place}：{zh}"))

    def expression(self, text: Any, place: str) -> feel.Expression | None:
        """A compiled expression; None where there is no text, or none that can be read."""
        if text is None:
            return None
        try:
            return feel.compile_expression(str(text), self.functions)
        except feel.FeelSyntaxError as error:
            at = f"{error.line}:{error.column}"
            self.add(place, f"{at}: {error.message_en}", f"{at}：{error.message_zh}")
            return None

    def required(self, text: Any, place: str) -> feel.Expression:
        """A compiled expression; null stands in for one that cannot be read."""
        return self.expression(text, place) or feel.compile_expression("null")

    def expressions(self, texts: Mapping[str, Any] | None, place: str) -> dict[str, feel.Expression]:
        """Named expressions."""
        return {name: self.required(text, f"{place}.{name}") for name, text in (texts or {}).items()}

    def words(self, value: Any, place: str) -> Mapping[str, str]:
        """What people are told, in both languages."""
        if isinstance(value, Mapping) and all(isinstance(value.get(language), str) for language in ("zh", "en")):
            return value
        self.add(place, "needs zh and en", "须有中文（zh）和英文（en）")
        return {"zh": "", "en": ""}

    def known(self, names: Iterable[str], among: Mapping[str, Any], place: str) -> None:
        """Note each name that is not among the known ones."""
        for name in names:
            if name not in among:
                self.add(place, f"unknown name {name!r}", f"未知名称 {name!r}")

    def refuse(self) -> None:
        """BadCatalogue if there is any."""
        if self.found:
            raise BadCatalogue(
                problems="; ".join(en for en, _ in self.found), problems_zh="；".join(zh for _, zh in self.found)
            )
