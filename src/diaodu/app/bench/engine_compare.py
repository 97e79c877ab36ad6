"""Other durable engines beside ours: the same work on the same server, driven one call for each instance.

They are installed from PyPI into a throw-away virtual environment and are no dependency. That each instance, and each
of its steps, is a call and a commit of its own there, while ours takes many instances in a batch, is what is compared.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from diaodu.app.bench.engine_run import Spent, metered
from diaodu.app.bench.stage import Stage
from diaodu.kernel.errors import Rejected

WORKERS = (1, 2)
_DRIVERS = ("psycopg[binary,pool]>=3.2", "asyncpg>=0.30")


@dataclass(frozen=True)
class Peer:
    """``module`` runs ``instances`` in each process."""

    name: str
    module: str
    package: str
    instances: int


PEERS = (
    Peer("SpiffWorkflow", "engine_peers.peer_spiff", "SpiffWorkflow==3.2.0", 60),
    Peer("DBOS", "engine_peers.peer_dbos", "dbos==3.4.0", 60),
    Peer("pgqueuer", "engine_peers.peer_pgqueuer", "pgqueuer==1.6.0", 200),
)


class PeersNotInstalled(Rejected):
    """503: the peers cannot be had."""

    code, status = "app.bench-peers", 503
    en = "The peers could not be installed from PyPI: {reason}"
    zh = "无法从 PyPI 安装对比软件：{reason}"


@dataclass(frozen=True)
class Beside:
    """What a peer did with so many processes, each on a database of its own; one entry for each round."""

    peer: Peer
    workers: int
    rounds: Sequence[Spent]


class Peers:
    """The peers, ready to run."""

    def __init__(self, stage: Stage, python: Path) -> None:
        self._stage, self._python = stage, python

    def round(self) -> Mapping[tuple[str, int], Spent]:
        """Run every peer once with each number of processes."""
        return {(peer.name, workers): self._run(peer, workers) for peer in PEERS for workers in WORKERS}

    def _run(self, peer: Peer, workers: int) -> Spent:
        names = [f"bench_peer_{n}" for n in range(workers)]
        commands = [
            [str(self._python), "-m", peer.module, self._stage.database(name, like="template0"), str(peer.instances)]
            for name in names
        ]
        spent, _ = metered(self._stage, commands, peer.instances * workers, _environment())
        for name in names:
            self._stage.drop(name)
        return spent


@contextmanager
def installed(stage: Stage, progress: Callable[[str], None]) -> Iterator[Peers]:
    """Install all peers into an environment that is gone after the block; PeersNotInstalled."""
    with tempfile.TemporaryDirectory(prefix="diaodu-peers-") as home:
        progress("installing the peers")
        python = Path(home) / "bin" / "python"
        packages = [*(p.package for p in PEERS), *_DRIVERS]
        pip = ["-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check", *packages]
        # As the Makefile has it: without ensurepip, which Debian packs apart.
        _do([sys.executable, "-m", "venv", "--without-pip", home])
        _do([sys.executable, *pip])
        yield Peers(stage, python)


def _do(command: Sequence[str]) -> None:
    done = subprocess.run(list(command), capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeersNotInstalled(reason=done.stderr.strip()[-500:])


def _environment() -> dict[str, str]:
    """Their modules are found where they lie, and nothing else of ours."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "PYTHONDONTWRITEBYTECODE": "1"}
