"""A worker process: each role runs in threads with connections of their own, until the process is told to end."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NoReturn, Protocol

import structlog

from diaodu.app.installation import ELEMENTS, opened
from diaodu.app.processes import end_on_signals
from diaodu.app.wiring import area_worker, handlers
from diaodu.engine.worker import Worker
from diaodu.fulfilment.send import Sender
from diaodu.inventory import queries as inventory
from diaodu.kernel import collector
from diaodu.kernel.config import Settings
from diaodu.kernel.db import Database
from diaodu.kernel.errors import Rejected
from diaodu.tmf.hub_worker import HubWorker

POOL_MAX = 2  # connections of one role: its loop uses one, the second is for what answers meanwhile
# The engine waits for the database nearly as long as it computes: while one thread waits the other one computes. Each
# is a worker of its own, with its own leases.
THREADS = {"engine": 2}
LOOK_FOR_AREAS_S = 1.0
STOP_S = 15.0  # a sender waits this long for answers that are on their way
log = structlog.get_logger(__name__)


class UnknownRole(Rejected):
    """400: no such role."""

    code, status = "app.unknown-role", 400
    en = "There is no role {role}. Choose from {roles}."
    zh = "没有名为 {role} 的角色，可选：{roles}。"


class _Runs(Protocol):
    def run(self, stop: threading.Event) -> None: ...


class _Areas:
    """The worker of all areas; an operator may be loaded while it waits for one."""

    def __init__(self, db: Database, owner: str) -> None:
        self._db, self._owner = db, owner

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            with self._db.transaction(actor=self._owner) as tx:
                known = inventory.area_ids(tx)
            if known:
                return area_worker(self._db, self._owner).run(stop)
            stop.wait(LOOK_FOR_AREAS_S)
        return None


def _hub(db: Database, owner: str, settings: Settings) -> HubWorker:
    url = settings.public_url or f"http://{settings.host}:{settings.port}"
    return HubWorker(db, owner, public_url=url, callback_hosts=settings.hub_allow)


ROLES: Mapping[str, Callable[[Database, str, Settings], _Runs]] = {
    "engine": lambda db, owner, _settings: Worker(db, handlers(), owner),
    "area": lambda db, owner, _settings: _Areas(db, owner),
    "sender": lambda db, owner, _settings: Sender(db, owner, [e for found in ELEMENTS.values() for e in found]),
    "hub": _hub,
}


def run_worker(settings: Settings, dsn: str, roles: Sequence[str]) -> NoReturn:
    """Run the roles until SIGTERM or SIGINT; ends with status 0, or 1 when a role failed (its supervisor begins anew).

    UnknownRole; what ``opened`` refuses.
    """
    for role in roles:
        if role not in ROLES:
            raise UnknownRole(role=role, roles=", ".join(ROLES))
    with opened(dsn):  # one look before threads are made
        pass
    end_on_signals()
    collector.rarely()
    stop = threading.Event()
    failed: list[str] = []
    threads = [
        threading.Thread(target=_run, args=(f"{role}-{n}", settings, dsn, stop, failed), name=role, daemon=True)
        for role in roles
        for n in range(THREADS.get(role, 1))
    ]
    with suppress(SystemExit):
        for thread in threads:
            thread.start()
        log.info("worker.started", roles=list(roles))
        while True:
            signal.pause()
    stop.set()
    for thread in threads:
        thread.join(STOP_S)
    log.info("worker.ended", failed=failed)
    raise SystemExit(1 if failed else 0)


def _run(name: str, settings: Settings, dsn: str, stop: threading.Event, failed: list[str]) -> None:
    role, owner = name.partition("-")[0], f"{name}@{socket.gethostname()}:{os.getpid()}"
    try:
        with opened(dsn, pool_max=POOL_MAX, plan_anew=role == "engine") as db:
            ROLES[role](db, owner, settings).run(stop)
    except Exception:  # whatever it was, the process ends and is started anew
        log.exception("worker.role-failed", role=role)
        failed.append(role)
        os.kill(os.getpid(), signal.SIGTERM)
