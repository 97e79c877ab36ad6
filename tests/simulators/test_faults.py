import time
from pathlib import Path

import pytest
from tests.simulators.wire import OLT, Client, Simulator, command, port

END = command("dump", "end", "*", limit=1)


def ports(count: int) -> list[dict[str, object]]:
    return [port(f"k{number}", subject=f"1/1/1:{number}", loid=f"L{number}") for number in range(count)]


def replies(client: Client, *commands: dict[str, object]) -> list[str]:
    """The keys answered before the answer to a last command that no fault touches."""
    client.send(*commands, END)
    keys = []
    while (reply := client.receive()) and reply["key"] != "end":
        keys.append(reply["key"])
    return keys


def test_a_dropped_reply_leaves_the_command_applied(client: Client) -> None:
    client.fault(drop=1)
    assert replies(client, port("k1")) == []
    client.fault()
    assert client.ask(command("query", "k1"))["status"] == "ok"


def test_a_lost_command_is_neither_applied_nor_answered(client: Client) -> None:
    client.fault(lost=1)
    assert replies(client, port("k1")) == []
    client.fault()
    assert client.ask(command("query", "k1"))["status"] == "absent"
    assert client.records() == []


def test_a_doubled_reply_comes_twice_and_is_applied_once(client: Client) -> None:
    client.fault(double=1)
    assert replies(client, port("k1")) == ["k1", "k1"]
    assert client.records()[0]["version"] == 1


def test_a_reordered_reply_comes_after_the_one_behind_it(client: Client) -> None:
    client.fault(reorder=0.5, seed=1)
    keys = replies(client, *ports(20))
    expected = [f"k{number}" for number in range(20)]
    assert keys != expected
    assert sorted(keys) == sorted(expected)


def test_a_reordered_reply_with_none_behind_it_still_comes(client: Client) -> None:
    client.fault(reorder=1)
    assert client.ask(port("k1"))["status"] == "ok"


def test_a_delayed_reply_takes_its_time_and_holds_nothing_else_up(client: Client) -> None:
    client.fault("olt", delay_ms=200)
    start = time.monotonic()
    client.send(port("k1"), command("query", "q", "aaa:hz"))
    quick, slow = client.receive(), client.receive()
    assert time.monotonic() - start >= 0.2
    assert quick
    assert slow
    assert (quick["key"], slow["key"]) == ("q", "k1")


def test_the_same_seed_does_the_same_whatever_else_is_sent(tmp_path: Path) -> None:
    answered = []
    for run, commands in enumerate((ports(300), ports(300)[::-1])):
        with Simulator(tmp_path / str(run), "--fault", '{"drop": 0.1, "lost": 0.1, "seed": 42}') as simulator:
            client = simulator.connect()
            keys = replies(client, *commands)
            answered.append((sorted(keys), sorted(record["key"] for record in client.records())))
    assert answered[0] == answered[1]
    answers, applied = answered[0]
    assert set(answers) < set(applied)
    assert 200 < len(answers) < len(applied) < 300


def test_a_retry_of_a_dropped_command_rolls_anew_and_gets_through(client: Client) -> None:
    client.fault(drop=0.5, seed=7)
    waiting = {str(each["key"]): each for each in ports(50)}
    rounds = 0
    while waiting:
        for key in replies(client, *waiting.values()):
            waiting.pop(key)
        rounds += 1
    assert 1 < rounds < 20
    assert {record["version"] for record in client.records()} == {1}


@pytest.mark.parametrize("target", [{"kind": "olt.port"}, {"subject": "1/1/1:7"}, {}])
def test_refuse_fails_what_matches_until_it_is_lifted(client: Client, target: dict[str, str]) -> None:
    client.ask(port("old"))
    client.fault(refuse=target or {"kind": "olt.port", "subject": "1/1/1:7"})
    assert client.ask(port("k1", speed=500))["code"] == "equipment-failure"
    assert client.ask(port("old"))["status"] == "ok"
    assert client.ask(command("query", "k1"))["code"] == "equipment-failure"
    assert client.ask(command("do", "a", "aaa:hz", "aaa.account", "hz1", loid="L1"))["status"] == "ok"
    assert client.record("olt.port", "1/1/1:7")["result"]["key"] == "old"
    client.fault()
    assert client.ask(port("k1", speed=500))["status"] == "ok"


def test_an_element_that_is_down_closes_the_connection_unapplied(tmp_path: Path) -> None:
    with Simulator(tmp_path) as simulator:
        admin, user = simulator.connect(), simulator.connect()
        admin.fault(OLT, down=True)
        user.send(command("do", "a", "aaa:hz", "aaa.account", "hz1", loid="L1"), port("k1"), port("k2"))
        answered = user.receive()
        assert answered
        assert answered["key"] == "a"
        assert user.receive() is None
        admin.fault(OLT)
        assert [record["key"] for record in admin.records()] == ["a"]
        assert simulator.connect().ask(port("k1"))["status"] == "ok"


def test_a_host_that_is_down_closes_all_connections_and_comes_back_by_a_fault_command(tmp_path: Path) -> None:
    with Simulator(tmp_path) as simulator:
        idle, admin = simulator.connect(), simulator.connect()
        assert idle.ask(command("query", "k1"))["status"] == "absent"
        admin.fault(down=True)
        assert idle.receive() is None
        late = simulator.connect()
        late.send(port("k1"))
        assert late.receive() is None
        simulator.connect().fault()
        assert admin.records() == []
        assert simulator.connect().ask(port("k1"))["status"] == "ok"


@pytest.mark.parametrize(
    "settings",
    [
        {"drop": 2},
        {"lost": "often"},
        {"delay_ms": -1},
        {"refuse": {"colour": "red"}},
        {"down": 1},
        {"seed": "x"},
        {"fire": 1},
    ],
)
def test_a_bad_fault_setting_is_refused_and_the_old_one_stays(client: Client, settings: dict[str, object]) -> None:
    client.fault(double=1)
    assert client.ask(command("fault", "f", "*", **settings))["code"] == "bad-fault"
    assert replies(client, port("k1")) == ["k1", "k1"]
