"""Units form a tree from the province down to crews; people hold posts; a post is a role in a unit."""

from dataclasses import dataclass
from enum import StrEnum


class UnitKind(StrEnum):
    """The levels of the tree, from the top."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    EXCHANGE = "exchange"
    CREW = "crew"


# The role that sees the work of every role below its unit.
SUPERVISOR = "supervisor"
# The scope that implies all others.
ADMIN = "admin"


@dataclass(frozen=True)
class Unit:
    """A 单位: a part of the organisation."""

    id: int
    parent_id: int | None
    kind: UnitKind
    code: str
    name: str


@dataclass(frozen=True)
class Post:
    """A 岗位: a role in a unit; it covers the unit and everything below it."""

    id: int
    unit_id: int
    role: str
    name: str


@dataclass(frozen=True)
class Person:
    """A member of staff."""

    id: int
    code: str
    name: str
    phone: str | None


def holds(scopes: frozenset[str], scope: str) -> bool:
    """Whether the scopes of a token grant ``scope``; ``room:write`` includes ``room:read``."""
    room, _, verb = scope.partition(":")
    return ADMIN in scopes or scope in scopes or (verb == "read" and f"{room}:write" in scopes)
