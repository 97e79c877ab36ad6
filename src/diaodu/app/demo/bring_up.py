"""The living services of the demonstration operator as they stand in the simulated network."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from diaodu.planning.model import Effect
from diaodu.provisioning import adapters
from diaodu.provisioning.model import Address, Command, Sending, Status
from diaodu.provisioning.wire import Wire

# One exchange; the simulators commit what they read at once.
CHUNK = 2000
TIMEOUT_S = 60.0


@contextmanager
def simulators(state: Path) -> Iterator[Address]:
    """The simulators of all systems on the files in ``state``, for the length of the block."""
    command = [sys.executable, "-m", "diaodu.simulators", "--system", "all", "--state", str(state), "--port", "0"]
    with subprocess.Popen([*command, "--with-parent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield Address("127.0.0.1", int(json.loads(process.stdout.readline())["port"]))
        process.stdin.close()


def bring_up(effects: Sequence[Effect], address: Address) -> int:
    """Tell the systems behind ``address`` what the inventory says; returns the number of records made.

    Raises RuntimeError when a system refuses one: the generator and the simulators do not agree.
    """
    wire = Wire()
    try:
        for start in range(0, len(effects), CHUNK):
            chunk = [_command(e) for e in effects[start : start + CHUNK]]
            replies = wire.exchange(address, chunk, TIMEOUT_S)
            refused = [r for r in replies.values() if r.status is not Status.OK]
            if refused or len(replies) != len(chunk):
                raise RuntimeError(f"{len(chunk) - len(replies)} without reply, refused: {refused[:3]}")
    finally:
        wire.close()
    return len(effects)


def _command(e: Effect) -> Command:
    assert e.element is not None
    return adapters.command(Sending(e.id, e.op, e.kind, e.element, e.thing_id, e.params))
