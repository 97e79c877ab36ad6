"""What is told to other systems and what they answer: the words of the wire protocol and of its results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class Verb(StrEnum):
    """What a command asks of a system."""

    DO = "do"
    UNDO = "undo"
    QUERY = "query"


class Status(StrEnum):
    """How a system answers; ``absent``: it knows no such key, record or thing to undo."""

    OK = "ok"
    REJECTED = "rejected"
    ABSENT = "absent"


class Address(NamedTuple):
    """Where a system listens, and how it may be spoken to.

    ``queryable``: it tells what became of a key; ``idempotent``: the same key sent twice is carried out once.
    """

    host: str
    port: int
    queryable: bool = True
    idempotent: bool = True


@dataclass(frozen=True, slots=True)
class Command:
    """One request; the same ``key`` is carried out once, however often it is sent."""

    key: str
    element: str
    verb: Verb
    kind: str = ""
    subject: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to the command of the same key and verb; ``message`` holds ``zh`` and ``en``."""

    key: str
    verb: Verb
    status: Status
    code: str | None
    message: Mapping[str, str]
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sending:
    """An effect as far as its sending needs it; ``undoes`` is the op of the fact that an undo takes back."""

    id: int
    op: str
    kind: str
    element: str
    thing_id: int
    params: Mapping[str, Any]
    undoes: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the answers say about an effect: ``confirmed``, ``failed`` or, when it never arrived, ``intent``.

    ``cause`` holds ``code``, ``zh`` and ``en``.
    """

    state: str
    result: Mapping[str, Any] | None = None
    cause: Mapping[str, str] | None = None
