"""The wire against a real simulator, and against peers that break the rules."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulators.wire import Client, Simulator

from diaodu.provisioning.model import Address, Command, Status, Verb
from diaodu.provisioning.wire import Wire


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    with Simulator(tmp_path / "state") as running:
        yield running


@pytest.fixture
def client(simulator: Simulator) -> Client:
    return simulator.connect()


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def at(simulator: Simulator) -> Address:
    return Address("127.0.0.1", simulator.ready["port"])


def sms(key: int) -> Command:
    return Command(str(key), "sms:zj", Verb.DO, "notice", f"N{key}", {"number": "139", "text": "好"})


def test_many_commands_travel_together(simulator: Simulator, wire: Wire) -> None:
    answers = wire.exchange(at(simulator), [sms(n) for n in range(2_000)], 10)
    assert {(k, v) for k, v in answers} == {(str(n), Verb.DO) for n in range(2_000)}
    assert {r.status for r in answers.values()} == {Status.OK}


def test_doubled_and_reordered_replies_find_their_commands(simulator: Simulator, client: Client, wire: Wire) -> None:
    client.fault(double=0.5, reorder=0.5, seed=3)
    answers = wire.exchange(at(simulator), [sms(n) for n in range(200)], 10)
    assert {k: r.result["subject"] for (k, _), r in answers.items()} == {str(n): f"N{n}" for n in range(200)}


def test_a_reply_that_does_not_come_is_missing(simulator: Simulator, client: Client, wire: Wire) -> None:
    client.fault(drop=0.5, seed=1)
    answers = wire.exchange(at(simulator), [sms(n) for n in range(40)], 0.2)
    assert 0 < len(answers) < 40


def test_a_late_reply_is_not_taken_for_another(simulator: Simulator, client: Client, wire: Wire) -> None:
    client.fault(delay_ms=200)
    assert wire.exchange(at(simulator), [sms(1)], 0.05) == {}
    client.fault()
    assert wire.exchange(at(simulator), [sms(2)], 5).keys() == {("2", Verb.DO)}


def test_nobody_listens(wire: Wire) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = Address(*unused.getsockname())
        wire.post(address, [sms(1)])
        arrived = wire.collect(1)
        while not arrived:
            arrived = wire.collect(1)
    assert [(b.address, b.unsent) for b in arrived.breaks] == [(address, frozenset({("1", Verb.DO)}))]


def test_no_such_host(wire: Wire) -> None:
    wire.post(Address("no host", 1), [sms(1)])
    assert wire.collect(1).breaks[0].unsent == {("1", Verb.DO)}


def test_what_has_left_is_not_called_unsent(simulator: Simulator, client: Client, wire: Wire) -> None:
    client.fault("sms", down=True)
    wire.post(at(simulator), [sms(1)])
    arrived = wire.collect(5)
    while not arrived:
        arrived = wire.collect(5)
    assert [b.unsent for b in arrived.breaks] == [frozenset()]


def test_a_broken_connection_is_made_anew(simulator: Simulator, client: Client, wire: Wire) -> None:
    client.fault("sms", down=True)
    assert wire.exchange(at(simulator), [sms(1)], 5) == {}
    client.fault("sms")
    assert wire.exchange(at(simulator), [sms(1)], 5)["1", Verb.DO].status is Status.OK


@pytest.mark.parametrize("said", [b"hello\n", b"[1]\n", b'{"key": "1", "verb": "do", "status": "maybe"}\n'])
def test_a_peer_that_speaks_otherwise_is_left(said: bytes, wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            connection = server.accept()[0]
            connection.sendall(said)
            connection.recv(1 << 16)
            connection.close()

        thread = threading.Thread(target=speak)
        thread.start()
        began = time.monotonic()
        assert wire.exchange(Address(*server.getsockname()), [sms(1)], 20) == {}
        assert time.monotonic() < began + 10
        wire.close()
        thread.join(10)
