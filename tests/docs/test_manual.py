"""The operator's manual names every setting and every command, and none that is not there."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from tests.docs.documents import MANUAL, rows, text_of
from tools import error_codes

from diaodu.app.cli import app
from diaodu.kernel.config import PREFIX, Settings
from diaodu.kernel.errors import Rejected

SETTINGS = {cells[0].strip("`"): cells[1:3] for cells in rows(MANUAL, "2.")}
COMMANDS = {cells[0].strip("`"): cells[1].replace("`", "").split() for cells in rows(MANUAL, "3.")}


def fields(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, f"{above}{name}.")
        else:
            yield f"{above}{name}", field


def commands(group: Any, above: str) -> Iterator[tuple[str, set[str]]]:
    """Each command that is not hidden, with its options."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{above} {name}")
        elif not command.hidden:
            options = [p for p in command.params if p.param_type_name == "option"]
            yield f"{above} {name}", {text for p in options for text in (*p.opts, *p.secondary_opts)}


def shown(value: object) -> str:
    return "无" if value in (None, frozenset()) else f"`{value}`"


FIELDS = dict(fields(Settings))
CALLS = dict(commands(typer.main.get_command(app), "diaodu"))
SHARED = set.intersection(*CALLS.values())


def test_exactly_the_settings_there_are() -> None:
    assert sorted(SETTINGS) == sorted(FIELDS)


@pytest.mark.parametrize("name", sorted(SETTINGS.keys() & FIELDS.keys()))
def test_a_setting_with_its_variable_and_its_default(name: str) -> None:
    variable = f"`{PREFIX}{name.replace('.', '__').upper()}`"
    assert SETTINGS[name] == [variable, shown(FIELDS[name].default)]


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_setting_describes_itself(name: str) -> None:
    assert FIELDS[name].description


def test_exactly_the_commands_there_are() -> None:
    assert sorted(COMMANDS) == sorted(CALLS)


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() & CALLS.keys()))
def test_a_command_with_its_own_options(name: str) -> None:
    assert sorted(COMMANDS[name]) == sorted(CALLS[name] - SHARED)


def test_the_shared_options() -> None:
    assert {"--config", "--database-url"} <= SHARED
    assert [option for option in SHARED if f"`{option}`" not in text_of(MANUAL)] == []


def test_the_page_of_error_codes_is_up_to_date() -> None:
    page = error_codes.page()
    assert text_of(error_codes.PAGE) == page, "run: python tools/error_codes.py"


@pytest.mark.parametrize("refusal", error_codes.refusals(), ids=lambda refusal: refusal.code)
def test_a_refusal_has_one_line_in_both_languages(refusal: type[Rejected]) -> None:
    found = [line for line in text_of(error_codes.PAGE).splitlines() if line.startswith(f"| `{refusal.code}` |")]
    assert len(found) == 1
    _, _, chinese, english = (cell.strip() for cell in found[0].strip("|").split("|", 3))
    assert any("\u4e00" <= character <= "\u9fff" for character in chinese)
    assert english
