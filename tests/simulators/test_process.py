import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.simulators.wire import SOURCE, Client, Json, Simulator, command, port


def start(state: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A host that is expected not to start."""
    return subprocess.run(
        [sys.executable, "-m", "diaodu.simulators", "--system", "all", "--state", str(state), *arguments],
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize(
    ("system", "files"),
    [
        ("network", ["aaa", "ims", "iptv", "itms", "olt"]),
        ("sms", ["sms"]),
        ("all", ["aaa", "billing", "ims", "iptv", "itms", "olt", "sla", "sms"]),
    ],
)
def test_a_host_tells_its_port_keeps_a_file_a_system_and_ends_on_a_signal(
    tmp_path: Path, system: str, files: list[str]
) -> None:
    with Simulator(tmp_path, system=system) as simulator:
        assert simulator.ready == {"system": system, "port": simulator.ready["port"]}
        assert simulator.connect().ask(command("query", "q", f"{files[0]}:x"))["status"] == "absent"
        assert simulator.end(signal.SIGTERM) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{name}.sqlite" for name in files]


def test_an_element_of_a_system_hosted_elsewhere_is_unknown(tmp_path: Path) -> None:
    with Simulator(tmp_path, system="sms") as simulator:
        assert simulator.connect().ask(port("k1"))["code"] == "unknown-element"


def test_sigint_ends_a_host_cleanly(tmp_path: Path) -> None:
    with Simulator(tmp_path) as simulator:
        assert simulator.end(signal.SIGINT) == 0


def test_a_host_with_a_parent_ends_when_its_input_is_closed(tmp_path: Path) -> None:
    with Simulator(tmp_path, "--with-parent") as simulator:
        simulator.connect().ask(port("k1"))
        simulator.stdin.close()
        assert simulator.process.wait(10) == 0


def test_a_host_without_a_parent_outlives_its_input(tmp_path: Path) -> None:
    with Simulator(tmp_path) as simulator:
        simulator.stdin.close()
        assert simulator.connect().ask(port("k1"))["status"] == "ok"


def test_a_bad_fault_at_start_is_told_in_a_sentence(tmp_path: Path) -> None:
    ended = start(tmp_path, "--fault", '{"drop": 7}')
    assert (ended.returncode, ended.stderr) == (1, "--fault: invalid fault setting: drop\n")


@pytest.mark.slow
def test_a_state_in_use_is_refused_to_a_second_host(tmp_path: Path) -> None:
    with Simulator(tmp_path) as simulator:
        ended = start(tmp_path)
        assert (ended.returncode, ended.stderr) == (1, f"cannot serve from {tmp_path}: database is locked\n")
        assert simulator.connect().ask(port("k1"))["status"] == "ok"


@pytest.mark.crash
def test_what_was_answered_survives_a_kill_and_a_resend_applies_the_rest_once(tmp_path: Path) -> None:
    commands = [port(f"k{number}", subject=f"1/1/1:{number}", loid=f"L{number}") for number in range(5000)]
    answered = set()
    with Simulator(tmp_path) as simulator:
        client = simulator.connect()
        sender = threading.Thread(target=_send_until_broken, args=(client, commands))
        sender.start()
        while reply := client.receive():
            answered.add(reply["key"])
            if len(answered) == 1000:
                simulator.process.kill()
        sender.join()
    with Simulator(tmp_path) as simulator:
        client = simulator.connect()
        kept = {record["key"] for record in client.records()}
        assert answered <= kept
        told = {key: client.ask(command("query", key))["status"] for key in [f"k{n}" for n in range(0, 5000, 50)]}
        assert {key for key, status in told.items() if status == "ok"} == kept & told.keys()
        client.send(*commands)
        assert all((client.receive() or {})["status"] == "ok" for _ in commands)
        assert [record["version"] for record in client.records()] == [1] * 5000


def _send_until_broken(client: Client, commands: list[Json]) -> None:
    with contextlib.suppress(ConnectionError):
        client.send(*commands)
