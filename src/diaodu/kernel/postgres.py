"""The embedded PostgreSQL: found, initialised, started and stopped by us, as root or not, nothing to install.

A server lives in its **home**, a directory of mode 0700::

    cluster/    what initdb makes
    log         the server's messages
    password    for connections by TCP

It listens on a unix socket that only its owner (and root) can reach, and on loopback TCP only if asked. It belongs to
the process that started it and dies with it, even by ``kill -9``; another process that starts the same home meanwhile
is handed the running server.
"""

import contextlib
import ctypes
import fcntl
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlencode

import psycopg

from diaodu.kernel import postgres_files as files
from diaodu.kernel.postgres_files import NAME, PORT, AlreadyRunning, StartFailed

SHELF = Path("/var/lib/diaodu")  # where root puts what the server's user could not reach otherwise
STOP_S = 60.0  # a fast shutdown writes one checkpoint; after this an immediate one is safe, only slower to recover from
PR_SET_PDEATHSIG = 1  # linux/prctl.h
ORPHAN_AGE_S = 60.0  # a younger scratch directory may still be on its way to being locked

_libc = ctypes.CDLL(None)


class Server:
    """A running PostgreSQL; as a context manager it stops at the end of the block.

    ``dsn`` is a URI: by the socket without a password, or by loopback TCP with one if a port was asked for. ``home`` is
    where the data really is. A server that another process started is left alone by ``stop``.
    """

    def __init__(self, dsn: str, home: Path, sockets: Path, process: subprocess.Popen[bytes] | None = None) -> None:
        self.dsn, self.home = dsn, home
        self._sockets, self._process = sockets, process

    def stop(self, *, immediate: bool = False) -> None:
        """Shut down (fast: open transactions are rolled back) and return when the server is gone; repeatable."""
        if self._process is None:
            return
        for how in [signal.SIGQUIT] if immediate else [signal.SIGINT, signal.SIGQUIT]:
            self._process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S)
                break
        if self._sockets != self.home:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(
    data_dir: Path,
    *,
    tcp_port: int | None = None,
    timeout_s: float = 120,
    settings: Mapping[str, str] | None = None,
    bin_dir: Path | None = None,
) -> Server:
    """Start the server of a home, making it first if need be, or hand back the one that is running.

    As root the server runs as the owner of an existing home, else as ``postgres`` or ``nobody``. If that user cannot
    reach ``data_dir``, the home is put under /var/lib/diaodu and ``data_dir`` becomes a link to it; permissions of
    other directories are never changed. ``settings`` go above ours in postgresql.conf; ``bin_dir`` beats the search.
    """
    return _start(data_dir, _Wish(SHELF, time.monotonic() + timeout_s, settings or {}, bin_dir, tcp_port))


@contextlib.contextmanager
def scratch(
    *, timeout_s: float = 120, settings: Mapping[str, str] | None = None, bin_dir: Path | None = None
) -> Iterator[Server]:
    """A throw-away server in the system's temporary directory; it and its files are gone after the block.

    After a ``kill -9`` of this process the server dies at once; the files are removed by the next scratch server.
    """
    _sweep()
    account = files.account_for(None)
    place = files.private_directory("diaodu-scratch-", account)
    with files.locked(place):
        try:
            small = {"shared_buffers": "128MB", "max_wal_size": "1GB", **(settings or {})}
            wish = _Wish(place, time.monotonic() + timeout_s, small, bin_dir, on_parent_death=signal.SIGQUIT)
            server = _start(place / "pg" / "home", wish)  # its parent is locked while it is made
            try:
                yield server
            finally:
                server.stop(immediate=True)
        finally:
            shutil.rmtree(place, ignore_errors=True)


@dataclass(frozen=True)
class _Wish:
    """What is asked of a start; ``deadline`` is on the monotonic clock."""

    shelf: Path
    deadline: float
    settings: Mapping[str, str]
    bin_dir: Path | None
    tcp_port: int | None = None
    on_parent_death: signal.Signals = signal.SIGINT


def _sweep() -> None:
    """Remove the directories of scratch servers whose process was killed: nobody holds their lock any more."""
    for place in Path(tempfile.gettempdir()).glob("diaodu-scratch-*"):
        with contextlib.suppress(OSError):
            handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - os.fstat(handle).st_mtime > ORPHAN_AGE_S:
                    shutil.rmtree(place, ignore_errors=True)
            finally:
                os.close(handle)


def _start(data_dir: Path, wish: _Wish) -> Server:
    account = files.account_for(data_dir)
    home = files.home_at(data_dir.absolute(), account, wish.shelf)
    with files.locked(home):
        if (running := _running(home, wish)) is not None:
            return running
        binaries = files.binaries_for(home, account, wish.shelf, wish.bin_dir)
        if not (home / "cluster").exists():
            files.initialise(home, binaries, account)
        files.configure(home, account, wish.tcp_port, wish.settings)
        sockets = home if files.is_short(home) else files.private_directory("diaodu-", account)
        return _run(home, sockets, binaries, account, wish)


def _running(home: Path, wish: _Wish) -> Server | None:
    """The server of this home that another process (or an earlier call) started, once it is ready."""
    cluster = home / "cluster"
    pid_file = cluster / "postmaster.pid"
    while pid_file.exists():
        # pid, data directory, start time, port, socket directory, listen address, shared memory, status
        lines = [line.strip() for line in pid_file.read_text().splitlines()]
        if not _serves(int(lines[0]), cluster):
            _forget_reused_pid(int(lines[0]), pid_file)
            return None
        # A killed server's file still says "ready": only an answer counts.
        if lines[7:] == ["ready"] and _ready(_dsn(home, Path(lines[4]), None, int(lines[3]))):
            tcp_port = int(lines[3]) if lines[5] else None
            if wish.tcp_port not in (None, tcp_port):
                raise AlreadyRunning(home=home, pid=lines[0], port=wish.tcp_port)
            return Server(_dsn(home, Path(lines[4]), wish.tcp_port, int(lines[3])), home, Path(lines[4]))
        if time.monotonic() > wish.deadline:
            raise StartFailed(home=home, reason="timeout", log=_tail(home))
        time.sleep(0.05)
    return None


def _serves(pid: int, cluster: Path) -> bool:
    """Whether this process is the postmaster of the cluster: it works in the cluster's directory."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == cluster
    except OSError:
        return False


def _forget_reused_pid(pid: int, pid_file: Path) -> None:
    # PostgreSQL clears the file of a dead server itself, but takes any living process of that number (usual after a
    # container restarts) for its predecessor and refuses to start.
    if Path(f"/proc/{pid}").exists():
        pid_file.unlink(missing_ok=True)


def _run(home: Path, sockets: Path, binaries: Path, account: files.Account, wish: _Wish) -> Server:
    command = [str(binaries / "postgres"), "-D", str(home / "cluster"), "-k", str(sockets)]
    port = wish.tcp_port or PORT
    by_socket = _dsn(home, sockets, None, port)
    while True:
        process = _spawn(command, home / "log", account, wish.on_parent_death)
        server = Server(_dsn(home, sockets, wish.tcp_port, port), home, sockets, process)
        try:
            while process.poll() is None:
                if _ready(by_socket):
                    return server
                if time.monotonic() > wish.deadline:
                    raise StartFailed(home=home, reason="timeout", log=_tail(home))
                time.sleep(0.02)
        except BaseException:
            server.stop(immediate=True)
            raise
        # After a kill -9 of the postmaster its children need a moment to notice and to let go of the shared memory.
        if "pre-existing shared memory" not in (log := _tail(home)) or time.monotonic() > wish.deadline:
            server.stop()
            raise StartFailed(home=home, reason=f"exit status {process.returncode}", log=log)
        time.sleep(0.2)


def _spawn(
    command: list[str], log: Path, account: files.Account, on_parent_death: signal.Signals
) -> subprocess.Popen[bytes]:
    """Start the postmaster in its own session, to die with us.

    A thread of its own starts it and waits for it: the kernel sends the signal when the *thread* that forked ends.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, on_parent_death)
        if os.getppid() != parent:
            os._exit(1)

    def own() -> None:
        try:
            with log.open("ab") as sink:
                account.own(log)
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=sink,
                    cwd="/",
                    env=files.ENVIRONMENT,
                    start_new_session=True,  # a Ctrl-C at the terminal is for us; we stop the server last
                    preexec_fn=die_with_parent,  # noqa: PLW1509 - two system calls, no lock, no memory
                    **account.drop(),
                )
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that asked
            started.put(error)
            return
        started.put(process)
        process.wait()

    started: queue.SimpleQueue[subprocess.Popen[bytes] | BaseException] = queue.SimpleQueue()
    threading.Thread(target=own, name="postgres", daemon=True).start()
    if isinstance(outcome := started.get(), BaseException):
        raise outcome
    return outcome


def _ready(dsn: str) -> bool:
    """Whether the server answers; makes our database the first time."""
    try:
        with psycopg.connect(dsn, dbname="postgres", autocommit=True, connect_timeout=5) as conn:
            if conn.execute("select from pg_database where datname = %s", [NAME]).fetchone() is None:
                conn.execute(f"create database {NAME}")
    except psycopg.OperationalError:
        return False
    return True


def _dsn(home: Path, sockets: Path, tcp_port: int | None, port: int) -> str:
    if tcp_port is None:
        return f"postgresql://{NAME}@/{NAME}?{urlencode({'host': sockets, 'port': port}, quote_via=quote)}"
    return f"postgresql://{NAME}:{(home / 'password').read_text()}@127.0.0.1:{tcp_port}/{NAME}"


def _tail(home: Path) -> str:
    return "\n".join((home / "log").read_text(errors="replace").splitlines()[-5:])
