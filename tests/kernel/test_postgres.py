"""The launcher on real servers: as root or not, reuse, crash, refusals, and nothing left behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from diaodu.kernel import postgres
from diaodu.kernel import postgres_files as files

SMALL = {"shared_buffers": "16MB", "fsync": "off", "min_wal_size": "80MB", "max_wal_size": "200MB"}
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")


@pytest.fixture
def place() -> Iterator[Path]:
    """A short directory that every user can reach; tmp_path is private to the user who runs the tests."""
    path = Path(tempfile.mkdtemp(prefix="diaodu-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def _ask(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _postmaster(home: Path) -> int:
    return int((home / "cluster" / "postmaster.pid").read_text().split()[0])


def _wait_until_gone(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not _alive(pid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run_python(code: str, *args: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_committed_rows_survive_stop_and_start(place: Path) -> None:
    with postgres.start(place / "pg", settings=SMALL) as server, psycopg.connect(server.dsn) as conn:
        conn.execute("create table t as select 7 as n")
    assert not (place / "pg" / "cluster" / "postmaster.pid").exists()
    with postgres.start(place / "pg", settings=SMALL) as server:
        assert _ask(server.dsn, "select n from t") == 7


def test_every_commit_is_durable_and_strings_sort_by_code_point(place: Path) -> None:
    with postgres.start(place / "pg") as server:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert _ask(server.dsn, f"show {name}") == "on"
        assert _ask(server.dsn, "show jit") == "off"
        order = _ask(server.dsn, "select string_agg(x, '' order by x) from unnest(array['b','B','é','a','中']) x")
        assert order == "Babé中"
        assert _ask(server.dsn, "select lower('É')") == "é"


def test_a_second_start_is_handed_the_running_server_and_cannot_stop_it(place: Path) -> None:
    with postgres.start(place / "pg", settings=SMALL) as first:
        second = postgres.start(place / "pg", settings=SMALL)
        assert second.dsn == first.dsn
        second.stop()
        assert _ask(first.dsn, "select 1") == 1


def test_a_second_start_with_another_port_is_refused(place: Path) -> None:
    with postgres.start(place / "pg", settings=SMALL) as first:
        with pytest.raises(files.AlreadyRunning) as refused:
            postgres.start(place / "pg", tcp_port=_free_port())
        assert refused.value.code == "kernel.postgres-already-running"
        assert "已在运行" in refused.value.message("zh")
        assert _ask(first.dsn, "select 1") == 1


def test_two_processes_that_start_at_once_share_one_server(place: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from diaodu.kernel import postgres\n"
        "server = postgres.start(Path(sys.argv[1]), settings={'shared_buffers': '16MB'})\n"
        "print(server.dsn, flush=True); sys.stdin.read()"
    )
    with _run_python(code, place / "pg") as first, _run_python(code, place / "pg") as second:
        assert _first_line(first) == _first_line(second) != ""
        postmaster = _postmaster(place / "pg")
        first.communicate()
        second.communicate()
    assert _wait_until_gone(postmaster)


@pytest.mark.crash
def test_after_a_kill_of_the_postmaster_the_next_start_recovers(place: Path) -> None:
    server = postgres.start(place / "pg", settings=SMALL)
    with psycopg.connect(server.dsn) as conn:
        conn.execute("create table t as select generate_series(1, 10000) as n")
    os.kill(_postmaster(place / "pg"), signal.SIGKILL)
    with postgres.start(place / "pg", settings=SMALL) as again:
        assert _ask(again.dsn, "select count(*) from t") == 10000
    server.stop()


def test_a_stale_pid_file_that_names_a_living_stranger_does_not_stop_the_start(place: Path) -> None:
    postgres.start(place / "pg", settings=SMALL).stop()
    stranger = subprocess.Popen(["sleep", "60"])
    cluster = place / "pg" / "cluster"
    (cluster / "postmaster.pid").write_text(f"{stranger.pid}\n{cluster}\n1\n5432\n{place}\n\n  1  1\nready\n")
    try:
        with postgres.start(place / "pg", settings=SMALL) as server:
            assert _ask(server.dsn, "select 1") == 1
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.crash
@pytest.mark.parametrize("kind", ["scratch", "start"])
def test_a_server_does_not_outlive_its_killed_parent(kind: str, place: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from diaodu.kernel import postgres\n"
        "own = postgres.scratch() if sys.argv[1] == 'scratch' else postgres.start(Path(sys.argv[2]))\n"
        "with own as server:\n    print(server.home, flush=True); time.sleep(60)"
    )
    parent = _run_python(code, kind, place / "pg")
    home = Path(_first_line(parent))
    postmaster = _postmaster(home)
    assert _alive(postmaster)
    parent.kill()
    parent.communicate()
    assert _wait_until_gone(postmaster)
    if kind == "scratch":
        os.utime(home.parents[1], (0, 0))  # an hour later ...
        with postgres.scratch():
            assert not home.parents[1].exists()


def test_a_server_started_in_a_thread_outlives_the_thread(place: Path) -> None:
    import threading

    servers: list[postgres.Server] = []
    thread = threading.Thread(target=lambda: servers.append(postgres.start(place / "pg", settings=SMALL)))
    thread.start()
    thread.join()
    time.sleep(0.3)
    with servers[0] as server:
        assert _ask(server.dsn, "select 1") == 1


def test_scratch_leaves_nothing_behind() -> None:
    with postgres.scratch(settings=SMALL) as server:
        home, postmaster = server.home, _postmaster(server.home)
        assert home.stat().st_mode & 0o777 == 0o700
    assert not home.parents[1].exists()
    assert not _alive(postmaster)


def test_tcp_asks_for_the_generated_password(place: Path) -> None:
    port = _free_port()
    with postgres.start(place / "pg", tcp_port=port, settings=SMALL) as server:
        assert f"@127.0.0.1:{port}/" in server.dsn
        assert _ask(server.dsn, "select host(inet_server_addr())") == "127.0.0.1"
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://diaodu:wrong@127.0.0.1:{port}/diaodu")
        assert (place / "pg" / "password").stat().st_mode & 0o777 == 0o600


def test_a_long_path_gets_a_private_socket_directory(place: Path) -> None:
    home = place / ("long" * 30)
    with postgres.start(home, settings=SMALL) as server:
        sockets = Path(str(_ask(server.dsn, "show unix_socket_directories")))
        assert sockets != home
        assert sockets.stat().st_mode & 0o777 == 0o700
    assert not sockets.exists()


@AS_ROOT
def test_root_drops_to_another_user_and_leaves_closed_parents_closed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, shelf = place / "closed", place / "shelf"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(postgres, "SHELF", shelf)
    with postgres.start(closed / "pg", settings=SMALL) as server:
        assert (closed / "pg").readlink() == server.home
        assert server.home.parent == shelf
        assert Path(f"/proc/{_postmaster(server.home)}").stat().st_uid != 0
    assert closed.stat().st_mode & 0o777 == 0o700
    with postgres.start(closed / "pg", settings=SMALL) as again:
        assert again.home == server.home


@AS_ROOT
def test_root_with_binaries_in_a_closed_directory_runs_a_copy(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = next(files._candidates())
    if wheel.parent.name != "pginstall18":
        pytest.skip("the wheel is not installed")
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    package = wheel.parent.parent
    shutil.copytree(wheel.parent, closed / package.name / "pginstall18")
    shutil.copytree(f"{package}.libs", closed / f"{package.name}.libs")
    monkeypatch.setattr(files, "_candidates", lambda: iter([closed / package.name / "pginstall18" / "bin"]))
    with postgres.scratch(settings=SMALL) as server:
        assert _ask(server.dsn, "select 1") == 1
        binary = Path(f"/proc/{_postmaster(server.home)}/exe").readlink()
        assert binary.is_relative_to(server.home.parents[1])
    assert not binary.exists()


@AS_ROOT
def test_data_that_the_servers_user_cannot_reach_is_not_moved(place: Path) -> None:
    closed = place / "closed"
    (closed / "pg").mkdir(parents=True)
    closed.chmod(0o700)
    (closed / "pg" / "kept").write_text("data")
    with pytest.raises(files.HomeUnusable) as refused:
        postgres.start(closed / "pg")
    assert str(closed / "pg") in refused.value.message("en")
    assert (closed / "pg" / "kept").read_text() == "data"


def test_no_binaries_is_refused_before_anything_is_made(place: Path) -> None:
    with pytest.raises(files.NoBinaries) as refused:
        postgres.start(place / "pg", bin_dir=place)
    assert "diaodu[embedded]" in refused.value.message("zh")
    assert not (place / "pg" / "cluster").exists()


def test_binaries_older_than_15_are_refused(place: Path) -> None:
    old = place / "bin"
    old.mkdir()
    (old / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n")
    (old / "postgres").chmod(0o755)
    with pytest.raises(files.TooOld) as refused:
        postgres.start(place / "pg", bin_dir=old)
    assert refused.value.params == {"found": 14, "oldest": 15}
    assert not (place / "pg" / "cluster").exists()


def test_data_of_another_major_version_is_refused_and_untouched(place: Path) -> None:
    postgres.start(place / "pg", settings=SMALL).stop()
    version = place / "pg" / "cluster" / "PG_VERSION"
    version.write_text("16\n")
    with pytest.raises(files.OtherMajor) as refused:
        postgres.start(place / "pg", bin_dir=next(files._candidates()))
    assert refused.value.params["data"] == 16
    assert version.read_text() == "16\n"


def test_a_wrong_setting_is_reported_with_the_servers_own_words(place: Path) -> None:
    with pytest.raises(files.StartFailed) as refused:
        postgres.start(place / "pg", settings={"shared_buffers": "plenty"})
    assert 'invalid value for parameter "shared_buffers"' in refused.value.message("en")
    with postgres.start(place / "pg", settings=SMALL) as server:
        assert _ask(server.dsn, "select 1") == 1


def test_what_a_killed_initdb_left_is_replaced(place: Path) -> None:
    (place / "pg" / "cluster.new").mkdir(parents=True)
    (place / "pg" / "cluster.new" / "PG_VERSION").write_text("18\n")
    if os.geteuid() == 0:
        account = files.account_for(None)
        os.chown(place / "pg", account.uid, account.gid)
    with postgres.start(place / "pg", settings=SMALL) as server:
        assert _ask(server.dsn, "select 1") == 1
