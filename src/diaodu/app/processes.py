"""Child processes under supervision: a dead one is started again, none outlives its parent."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, Self

import structlog

# Of our own command line, by module, so that no script needs to be on PATH.
DIAODU = (sys.executable, "-m", "diaodu.app.cli")
POLL_S = 0.1
RESTART_S, RESTART_MAX_S = 0.1, 10.0
STEADY_S = 10.0  # who lived as long is started again without delay
STOP_S = 20.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None)
log = structlog.get_logger(__name__)


def end_on_signals() -> None:
    """From now on the first signal to end raises SystemExit in the main thread; those after it are ignored."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def end(_number: int, _frame: object) -> NoReturn:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise SystemExit(0)

    for number in numbers:
        signal.signal(number, end)


@dataclass
class Child:
    """A command that is to run; ``fds`` are open files that it inherits."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    fds: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    delay: float = RESTART_S

    def start(self, *, told: bool = False) -> bytes:
        """Start it; with ``told`` wait for the first line that it prints, and return that."""
        parent = os.getpid()

        def die_with_parent() -> None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,  # the parent's end closes with it: the simulators end at that
            stdout=subprocess.PIPE if told else sys.stderr.fileno(),
            env={**os.environ, **self.environment},
            pass_fds=tuple(self.fds),
            start_new_session=True,  # a Ctrl-C at the terminal is for the parent, which ends all in order
            preexec_fn=die_with_parent,  # noqa: PLW1509 - two system calls, no lock, no memory
        )
        self.started_at = time.monotonic()
        log.info("child.started", child=self.name, pid=self.process.pid)
        if not told:
            return b""
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            return lines.readline()

    def look(self) -> None:
        """Start it again if it has ended, later and later if it ends at once."""
        if self.process is None or self.process.poll() is None:
            return
        now = time.monotonic()
        if not self.restart_at:
            lived = now - self.started_at
            self.delay = RESTART_S if lived >= STEADY_S else min(2 * self.delay, RESTART_MAX_S)
            self.restart_at = now + self.delay
            log.warning("child.died", child=self.name, status=self.process.returncode, again_in=self.delay)
        elif now >= self.restart_at:
            self.restart_at = 0.0
            self._close()
            self.start()

    def end(self, number: signal.Signals) -> None:
        """Signal it if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self, deadline: float) -> None:
        """Return when it is gone; at the deadline it is killed."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("child.killed", child=self.name)
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()


class Supervisor:
    """The children of this process; as a context manager it ends them all, those started last first."""

    def __init__(self) -> None:
        self.children: list[Child] = []

    def add(self, child: Child, *, told: bool = False) -> bytes:
        """Start a child and look after it from now on."""
        self.children.append(child)
        return child.start(told=told)

    def run(self) -> NoReturn:
        """Look after the children until an exception (a signal's SystemExit) ends it."""
        while True:
            self.look()
            time.sleep(POLL_S)

    def look(self) -> None:
        """Start again who has died."""
        for child in self.children:
            child.look()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Workers first, all at once; then what they talk to.
        deadline = time.monotonic() + STOP_S
        workers = [c for c in self.children if c.name != "simulators"]
        for group in (workers, [c for c in self.children if c not in workers]):
            for child in group:
                child.end(signal.SIGTERM)
            for child in group:
                child.wait(deadline)
