"""The server as processes: what it starts, what it starts again, and that nothing of it stays."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from diaodu.app.installation import initialise
from diaodu.app.proof import children_of

SERVE = (sys.executable, "-m", "diaodu.app.cli", "serve", "--workers", "1", "--port", "0")


@pytest.fixture
def dsn(db_dsn: str) -> str:
    initialise(db_dsn, parts=16)
    return db_dsn


@contextmanager
def serving(*options: str, ready: bytes) -> Iterator[tuple[subprocess.Popen[bytes], bytes]]:
    """A server that has told that it is ready; killed at the end if it still runs."""
    with subprocess.Popen([*SERVE, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith(ready), line
            yield process, line
        finally:
            process.kill()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def await_true(what: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)
    return found


def role(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    return next(w for w in ("web", "worker", "diaodu.simulators") if w in words)


def healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_a_dead_child_is_started_again_and_the_address_stays(dsn: str, tmp_path: Path) -> None:
    options = ("--database-url", dsn, "--data-dir", str(tmp_path), "--language", "en")
    with serving(*options, ready=b"Ready at http://127.0.0.1:") as (process, line):
        url = line.decode().split()[-1]
        before = {role(pid): pid for pid in children_of(process.pid)}
        assert sorted(before) == ["diaodu.simulators", "web", "worker"]
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        await_true(lambda: len(after := set(children_of(process.pid))) == 3 and not after & set(before.values()))
        await_true(lambda: healthy(url))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert not [pid for pid in before.values() if alive(pid)]
    assert not healthy(url)


def test_no_child_outlives_a_server_that_is_killed(dsn: str, tmp_path: Path) -> None:
    options = ("--database-url", dsn, "--data-dir", str(tmp_path), "--language", "en")
    with serving(*options, ready=b"Ready at") as (process, _):
        children = children_of(process.pid)
        assert len(children) == 3
        process.kill()
        process.wait()
        await_true(lambda: not any(alive(pid) for pid in children), 5)


def test_a_scratch_server_tells_one_line_and_leaves_nothing_behind() -> None:
    with serving("--scratch", "--empty", ready=b"{") as (process, line):
        told = json.loads(line)
        assert sorted(told) == ["database_url", "token", "url"]
        assert healthy(told["url"])
        answer = httpx.get(
            f"{told['url']}/tmf-api/productOrderingManagement/v4/productOrder",
            headers={"Authorization": f"Bearer {told['token']}"},
            trust_env=False,
        )
        assert (answer.status_code, answer.json()) == (200, [])
        place = Path(httpx.URL("x:?" + told["database_url"].partition("?")[2]).params["host"]).parents[1]
        assert place.name.startswith("diaodu-scratch-")
        assert place.is_dir()
        children = children_of(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stdout is not None
        assert process.stdout.read() == b""
    assert not place.exists()
    assert not any(alive(pid) for pid in children)


def test_a_worker_ends_cleanly_and_lets_go_of_its_leases(dsn: str) -> None:
    import psycopg

    command = [sys.executable, "-m", "diaodu.app.cli", "worker", "--roles", "engine,hub", "--database-url", dsn]
    leases = "select count(*), count(owner), bool_and(clean) from kernel.lease where name ~ '^(engine|hub):'"
    with (
        subprocess.Popen(command, stderr=subprocess.DEVNULL) as process,
        psycopg.connect(dsn, autocommit=True) as conn,
    ):
        try:
            await_true(lambda: conn.execute(leases).fetchone() == (32, 32, False))
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()
        assert conn.execute(leases).fetchone() == (32, 0, True)


def test_an_unknown_role_is_refused(dsn: str) -> None:
    command = [sys.executable, "-m", "diaodu.app.cli", "worker", "--roles", "engine,cook", "--database-url", dsn]
    ended = subprocess.run([*command, "--language", "en"], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (1, "There is no role cook. Choose from engine, area, sender, hub.\n")


def test_a_listening_socket_answers_without_delay() -> None:
    from diaodu.app.serve import listen

    with listen("127.0.0.1", 0) as listener:
        assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
