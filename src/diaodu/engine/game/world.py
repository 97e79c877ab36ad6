"""What a game plays on: the instances of its roots, the deployed processes, and what only the outside can answer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from diaodu.engine.graph import Process
from diaodu.engine.instance import ACTIVE, ALIVE, SUSPENDED, Instance, Token
from diaodu.engine.model import WorkingTime


class Processes(Protocol):
    """The deployed processes."""

    def newest(self, key: str) -> Process | None:
        """The newest version of a process."""

    def version(self, key: str, version: int) -> Process | None:
        """A version of a process."""

    def all_newest(self) -> Iterable[Process]:
        """The newest versions of all processes."""


@dataclass(slots=True)
class World:
    """The active and suspended instances of some roots, by root and in the order in which they were made."""

    processes: Processes
    instances: dict[int, list[Instance]] = field(default_factory=dict)

    def active(self, root: int) -> list[Instance]:
        """The active instances of a root."""
        return [i for i in self.instances.get(root, ()) if i.state == ACTIVE]

    def suspended(self, root: int) -> list[Instance]:
        """The suspended instances of a root: they take no step."""
        return [i for i in self.instances.get(root, ()) if i.state == SUSPENDED]

    def alive(self, root: int) -> list[Instance]:
        """The active and the suspended instances of a root."""
        return [i for i in self.instances.get(root, ()) if i.state in ALIVE]

    def find(self, root: int, instance: int | None) -> Instance | None:
        """An active instance."""
        return next((i for i in self.instances.get(root, ()) if i.id == instance and i.state == ACTIVE), None)

    def token(self, root: int, token_id: int) -> tuple[Instance, Token] | None:
        """A token of any active instance of a root."""
        return next(((i, i.tokens[token_id]) for i in self.active(root) if token_id in i.tokens), None)

    def caller(self, instance: Instance) -> tuple[Instance, Token] | None:
        """The instance and token of the call activity that runs an instance."""
        parent = next((i for i in self.alive(instance.root_id) if i.id == instance.parent_id), None)
        token = parent.tokens.get(instance.parent_token or 0) if parent else None
        return (parent, token) if parent is not None and token is not None else None

    def called(self, instance: Instance, token: Token) -> Instance | None:
        """The instance that a call activity runs."""
        of_root = self.alive(instance.root_id)
        return next((i for i in of_root if i.parent_id == instance.id and i.parent_token == token.id), None)

    def all(self) -> Iterator[Instance]:
        """All instances."""
        for of_root in self.instances.values():
            yield from of_root


@dataclass(slots=True)
class Pending:
    """A token that asks for its service or its decision; ``attempt`` counts from 1."""

    instance: Instance
    token: Token
    attempt: int


@dataclass(slots=True)
class Due:
    """A timer in working time that asks for its instant; ``armed`` stands for it among the token's timers."""

    instance: Instance
    token: Token
    armed: list[int]
    timer: WorkingTime
