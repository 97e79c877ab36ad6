"""Filters, order and page of a list, from the query string to SQL over declared attributes; nothing is ignored."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from psycopg import sql as psql

from diaodu.tmf.errors import BadFilterValue, BadOperator, BadPage, UnknownFilter

# A list that nobody paged is cut here; its headers say how much there is.
LIMIT_DEFAULT = 100
# One page stays below some megabytes of JSON.
LIMIT_MAX = 1000
# Deeper pages are read by a filter on the sort key: an offset is counted through row by row.
OFFSET_MAX = 100_000

_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_SIGNS = {"=": "eq", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "*=": "regex"}
_OPERATORS = ("eq", "ne", "gt", "gte", "lt", "lte", "regex")
_PIECE = re.compile(r"([^=<>*]+)(>=|<=|\*=|=|>|<)(.*)", re.DOTALL)
_ENCODED_SIGN = re.compile("%3[CDE]|%2A", re.IGNORECASE)
_RESERVED = {"fields", "offset", "limit", "sort"}


def parse_id(value: str) -> int:
    """A positive 63-bit id from its decimal text; ValueError otherwise."""
    if not re.fullmatch(r"[1-9][0-9]{0,18}", value) or int(value) >= 1 << 63:
        raise ValueError("an id (decimal digits)")
    return int(value)


def parse_time(value: str) -> datetime:
    """An instant in ISO 8601 with its zone; ValueError otherwise. A '+' that was not encoded arrives as a space."""
    try:
        moment = datetime.fromisoformat(value.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("an ISO 8601 date-time with zone, such as 2026-05-01T08:00:00+08:00")
    return moment


@dataclass(frozen=True)
class Column:
    """An attribute that lists can be filtered and sorted by.

    ``sql`` is an expression over the source (alias ``v``). ``conditions`` instead names the values of an
    enumeration, each with its SQL condition. ``within`` is an EXISTS around the test, with ``{test}`` for it, for
    an attribute inside an array. ``indexed``: an index serves it, so it may be used on any amount of data.
    """

    sql: str = ""
    parse: Callable[[str], Any] = str
    indexed: bool = False
    conditions: Mapping[str, str] | None = None
    within: str | None = None

    @property
    def operators(self) -> tuple[str, ...]:
        """The operators that fit the attribute."""
        if self.conditions is not None:
            return ("eq", "ne")
        return _OPERATORS if self.parse is str else _OPERATORS[:-1]


Columns = Mapping[str, Column]


@dataclass(frozen=True)
class ListQuery:
    """What a list asks for: SQL with its parameters, the page, and the attributes to return (None = all)."""

    where: psql.Composed
    params: list[Any]
    order: psql.Composed
    offset: int
    limit: int
    paged: bool
    fields: str | None
    indexed: bool


@dataclass
class _Raw:
    settings: dict[str, str] = field(default_factory=dict)
    filters: dict[tuple[str, str], list[str]] = field(default_factory=dict)


def read(query_string: str, columns: Columns, *, order: str, order_indexed: bool = True) -> ListQuery:
    """Compile a query string; raises a 400 that names what is allowed for anything that is not understood.

    ``order`` is the SQL of the order that a list has when none is asked for.
    """
    raw = _split(query_string)
    params: list[Any] = []
    tests = []
    for (attribute, operator), values in raw.filters.items():
        tests.append(_test(attribute, _column(columns, attribute), operator, values, params))
    sort = raw.settings.get("sort")
    sorted_by = [_column(columns, key.strip().lstrip("+-")) for key in sort.split(",")] if sort else []
    used = [columns[attribute] for attribute, _ in raw.filters] + sorted_by
    return ListQuery(
        where=psql.SQL(" and ").join([psql.SQL("true"), *tests]),
        params=params,
        order=_order(sort, columns) if sort else psql.SQL("{}").format(psql.SQL(order)),
        offset=_number(raw.settings, "offset", 0, OFFSET_MAX),
        limit=_number(raw.settings, "limit", LIMIT_DEFAULT, LIMIT_MAX),
        paged="offset" in raw.settings or "limit" in raw.settings,
        fields=raw.settings.get("fields") or None,
        indexed=all(c.indexed for c in used) and (bool(sort) or order_indexed),
    )


def conditions_of(query: str) -> list[tuple[str, str, list[str]]]:
    """The filters of a query string as (attribute, operator, values): for matching events."""
    return [(attribute, operator, values) for (attribute, operator), values in _split(query).filters.items()]


def _split(query_string: str) -> _Raw:
    raw = _Raw()
    for piece in filter(None, query_string.split("&")):
        found = _PIECE.fullmatch(_ENCODED_SIGN.sub(lambda m: unquote_plus(m[0]), piece))
        if found is None:
            raise UnknownFilter(attribute=unquote_plus(piece)[:100], allowed="attribute=value")
        name, sign = unquote_plus(found[1]), found[2]
        if "\0" in unquote_plus(found[3]):
            raise BadFilterValue(attribute=name, value="\\u0000", expected="text without NUL")
        if name in _RESERVED and sign == "=":
            # A '+' before a sort key arrives as a space when it was not encoded.
            raw.settings[name] = unquote_plus(found[3]).strip()
            continue
        attribute, _, suffix = name.rpartition(".")
        if sign == "=" and attribute and suffix in _OPERATORS:
            name, operator = attribute, suffix
        else:
            operator = _SIGNS[sign]
        # Only a bare comma means OR; an encoded one belongs to the value.
        values = [unquote_plus(v) for v in found[3].split(",")]
        raw.filters.setdefault((name, operator), []).extend(values)
    return raw


def _column(columns: Columns, attribute: str) -> Column:
    if (column := columns.get(attribute)) is None:
        raise UnknownFilter(attribute=attribute[:100], allowed=", ".join(sorted(columns)))
    return column


def _test(attribute: str, column: Column, operator: str, values: list[str], params: list[Any]) -> psql.Composed:
    if operator not in column.operators:
        raise BadOperator(attribute=attribute, operator=operator, allowed=", ".join(column.operators))
    if column.conditions is not None:
        test = _enumerated(attribute, column.conditions, values, negated=operator == "ne")
    else:
        test = psql.SQL("{} {}").format(psql.SQL(column.sql), _comparison(operator, len(values)))
        parsed = [_parsed(attribute, column, v) for v in values]
        params.append(parsed if len(values) > 1 else parsed[0])
    return psql.SQL(column.within or "({test})").format(test=test)


def _comparison(operator: str, count: int) -> psql.SQL:
    if operator == "ne":
        return psql.SQL("<> all(%s)" if count > 1 else "is distinct from %s")
    sign = {"eq": "=", "regex": "~"}.get(operator) or _COMPARISONS[operator]
    return psql.SQL(f"{sign} any(%s)" if count > 1 else f"{sign} %s")


def _enumerated(attribute: str, conditions: Mapping[str, str], values: list[str], *, negated: bool) -> psql.Composed:
    if wrong := [v for v in values if v not in conditions]:
        raise BadFilterValue(attribute=attribute, value=wrong[0][:100], expected=", ".join(conditions))
    either = psql.SQL(" or ").join([psql.SQL(f"({conditions[v]})") for v in values])
    return psql.SQL("not ({})" if negated else "({})").format(either)


def _parsed(attribute: str, column: Column, value: str) -> Any:
    try:
        return column.parse(value)
    except ValueError as error:
        raise BadFilterValue(attribute=attribute, value=value[:100], expected=str(error)) from None


def _order(sort: str, columns: Columns) -> psql.Composed:
    keys, direction = [], "asc"
    for key in sort.split(","):
        column = _column(columns, key.strip().lstrip("+-"))
        if not column.sql or column.within:
            raise BadOperator(attribute=key, operator="sort", allowed=", ".join(column.operators))
        direction = "desc" if key.strip().startswith("-") else "asc"
        keys.append(psql.SQL(f"{column.sql} {direction}"))
    # The id breaks ties, in the last key's direction, so that one index serves both ways.
    return psql.SQL(", ").join([*keys, psql.SQL(f"v.id {direction}")])


def _number(settings: Mapping[str, str], name: str, default: int, most: int) -> int:
    value = settings.get(name)
    if value is None:
        return default
    if not re.fullmatch("[0-9]{1,9}", value) or int(value) > most:
        raise BadPage(name=name, value=value[:20], least=0, most=most)
    return int(value)
