"""A database whose client dies after any statement, before the commit and after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self

from diaodu.kernel.db import Database, Tx


class Crash(BaseException):
    """The process is gone; nobody in it can catch this."""


class Fragile(Database):
    """``left`` statements and commits are done, then Crash; None: all of them."""

    left: int | None = None

    @contextmanager
    def transaction(self, *, actor: str = "system", now: datetime | None = None) -> Iterator[Tx]:
        with super().transaction(actor=actor, now=now) as tx:
            tx._cursor = _Cursor(tx._cursor, self)  # type: ignore[assignment]  # the part of it that Tx uses
            yield tx
        self.tick()

    def tick(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Crash


class _Cursor:
    def __init__(self, real: Any, db: Fragile) -> None:
        self._real, self._db = real, db

    def execute(self, *statement: Any) -> Self:
        self._real.execute(*statement)
        self._db.tick()
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)
