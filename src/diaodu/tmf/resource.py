"""The declaration of a TM Forum resource: what the router needs to know about it, as plain functions and data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from psycopg import sql as psql

from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.tmf.document import Document
from diaodu.tmf.query import Columns, parse_id

Row = Mapping[str, Any]
Condition = tuple[str, list[Any]]  # SQL over alias v, with its parameters


def everything(principal: Principal) -> Condition:
    """The row filter of a resource that everybody with its scope sees whole."""
    del principal
    return "true", []


@dataclass(frozen=True)
class Create:
    """How a resource is made: in two steps, because a key that fixes the id is kept in a transaction of its own."""

    identify: Callable[[Tx, Principal, Document, str | None], tuple[int, Any]]  # body, key -> id, checked content
    capture: Callable[[Tx, Principal, int, Any], bool]  # whether this call made it; False = a repeat


@dataclass(frozen=True)
class Patch:
    """How a resource is changed: the attributes that may be sent, and the command that takes the merge patch.

    ``seen`` is the attribute that tells the command what ``If-Match`` names.
    """

    attributes: frozenset[str]
    apply: Callable[[Tx, Principal, int, Document], None]
    seen: str | None = None


@dataclass(frozen=True)
class Resource:
    """One TM Forum resource of a room.

    ``source`` is a view or a parenthesised SELECT, read as ``v``; ``output`` are its columns for ``to_resource``, which
    is given the row and the prefix of every href. ``key`` is the SQL condition that finds one row; it takes the id as
    named parameter ``id``. ``columns`` maps the attributes that lists may be filtered and sorted by.
    """

    base: str  # as in the official file: /tmf-api/<api>/v4
    name: str
    source: str
    output: tuple[str, ...]
    columns: Columns
    order: str  # SQL; ends in the id, so that pages never overlap
    to_resource: Callable[[Row, str], Document]
    scope: str  # the room: <room>:read, <room>:write
    order_indexed: bool = True  # whether an index gives the order without any filter
    key: str = "v.part = (%(id)s::int8 & 255)::int2 and v.id = %(id)s"
    parse_key: Callable[[str], int] = parse_id
    visible: Callable[[Principal], Condition] = everything
    create: Create | None = None
    patch: Patch | None = None
    version: Callable[[Row], int] | None = None  # what ``ETag`` shows of one

    @property
    def path(self) -> str:
        """Where the resource lives: every href begins with it."""
        return f"{self.base}/{self.name}"

    @cached_property
    def select(self) -> str:
        """The statement up to its WHERE."""
        return f"select {', '.join(f'v.{column}' for column in self.output)} from {self.source} v"

    @property
    def indexed(self) -> str:
        """The attributes that an index serves, for messages."""
        return ", ".join(sorted(name for name, column in self.columns.items() if column.indexed))


def read_one(tx: Tx, resource: Resource, entity_id: int, visible: Condition = ("true", [])) -> Row | None:
    """The row of one entity, or None when there is none that may be seen."""
    condition, params = visible
    named = {f"p{n}": value for n, value in enumerate(params)}
    # One statement takes either kind of placeholder: the visibility's become named ones.
    parts = condition.split("%s")
    shown = parts[0] + "".join(f"%(p{n})s{rest}" for n, rest in enumerate(parts[1:]))
    statement = f"{resource.select} where {resource.key} and ({shown})"
    row = tx.row(statement, {"id": entity_id, **named})
    return None if row is None else dict(zip(resource.output, row, strict=True))


def read_page(
    tx: Tx,
    resource: Resource,
    where: psql.Composable,
    params: list[Any],
    *,
    order: psql.Composable,
    limit: int,
    offset: int,
) -> list[Row]:
    """The rows of one page."""
    statement = psql.SQL("{} where {} order by {} limit %s offset %s").format(psql.SQL(resource.select), where, order)
    found = tx.rows(statement, [*params, limit, offset])
    return [dict(zip(resource.output, row, strict=True)) for row in found]


def count(tx: Tx, resource: Resource, where: psql.Composable, params: list[Any], *, most: int) -> int:
    """How many rows match; stops counting at ``most``."""
    statement = psql.SQL("select count(*) from (select 1 from {} v where {} limit %s) matching").format(
        psql.SQL(resource.source), where
    )
    row = tx.row(statement, [*params, most])
    assert row is not None
    return int(row[0])
