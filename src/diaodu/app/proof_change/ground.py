"""What an episode runs on: a database and simulated systems of its own, and processes that die when told to."""

import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg.conninfo import make_conninfo

from diaodu.app.demo.bring_up import simulators
from diaodu.app.small_operator import SYSTEMS, furnish
from diaodu.kernel.clock import wall_clock
from diaodu.kernel.db import Database, Tx
from diaodu.migrations import migrate
from diaodu.provisioning import commands as provisioning
from diaodu.provisioning.model import Address

_TEMPLATE = "proof_change"
_numbers = count(1)


class Died(BaseException):
    """A process was killed; nothing may catch it but whoever gave the order."""


class Mortal(Database):
    """A database whose clients can be killed at their next commits, and whose clock is moved by hand.

    ``fuse`` counts commits: the transaction at which it is zero is rolled back or, when ``after`` is set, committed,
    and its process dies.
    """

    def __init__(self, dsn: str) -> None:
        self.later = timedelta()
        self.fuse: int | None = None
        self.after = False
        super().__init__(dsn, clock=lambda: wall_clock() + self.later, pool_max=2)

    @contextmanager
    def transaction(self, *, actor: str = "system", now: datetime | None = None) -> Iterator[Tx]:
        """As ever, unless this is the transaction that its process does not live to end."""
        with super().transaction(actor=actor, now=now) as tx:
            yield tx
            burnt = self._burns()
            if burnt and not self.after:
                raise Died
        if burnt:
            raise Died

    def _burns(self) -> bool:
        if self.fuse is None:
            return False
        self.fuse -= 1
        if self.fuse >= 0:
            return False
        self.fuse = None
        return True


class Ground:
    """A database server on which the small operator is furnished once, and cloned for each episode."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        _admin(dsn, f"create database {_TEMPLATE}")
        migrate(make_conninfo(dsn, dbname=_TEMPLATE))
        db = Database(make_conninfo(dsn, dbname=_TEMPLATE))
        furnish(db)
        db.close()

    @contextmanager
    def clone(self) -> Iterator["Site"]:
        """The operator where nothing has happened yet, for the length of the block."""
        name = f"{_TEMPLATE}_{next(_numbers)}"
        _admin(self._dsn, f"create database {name} template {_TEMPLATE}")
        try:
            with tempfile.TemporaryDirectory() as state, simulators(Path(state)) as address:
                dsn = make_conninfo(self._dsn, dbname=name)
                db, reader = Mortal(dsn), Database(dsn, pool_max=2)
                try:
                    yield Site(db, reader, address)
                finally:
                    db.close()
                    reader.close()
        finally:
            _admin(self._dsn, f"drop database {name} with (force)")


class Site:
    """One operator: its database and where its systems listen."""

    def __init__(self, db: Mortal, reader: Database, address: Address) -> None:
        self.db, self.reader, self.address = db, reader, address
        reader.clock = db.clock
        with db.transaction(actor="settings") as tx:
            provisioning.set_addresses(tx, dict.fromkeys(SYSTEMS, address))

    def misbehave(self, scope: str, faults: Mapping[str, Any]) -> None:
        """The systems behave like that from now on; no faults: as they should."""
        command = {"key": "f", "element": scope, "verb": "fault", "kind": "", "subject": "", "params": dict(faults)}
        with socket.create_connection((self.address.host, self.address.port), timeout=5) as line:
            line.sendall(orjson.dumps(command, option=orjson.OPT_APPEND_NEWLINE))
            with line.makefile("rb") as reader:
                reply = orjson.loads(reader.readline())
        assert reply["status"] == "ok", reply

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """Rows of the committed state, read by somebody who does not die."""
        with self.reader.transaction() as tx:
            return tx.rows(sql, params)

    def pass_time(self, by: timedelta) -> None:
        """Move the clock of all processes on."""
        self.db.later += by


def _admin(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(statement.encode())
