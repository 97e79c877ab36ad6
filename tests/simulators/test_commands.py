from pathlib import Path

import pytest
from tests.simulators.wire import OLT, Client, Simulator, command, port

PORT = "1/1/1:7"


def undo(key: str, of: str, subject: str = PORT, kind: str = "olt.port") -> dict[str, object]:
    return command("undo", key, OLT, kind, subject, of=of)


def test_a_repeated_key_answers_the_first_result_and_changes_nothing(client: Client) -> None:
    first = client.ask(port("k1"))
    assert first == {
        "key": "k1",
        "verb": "do",
        "status": "ok",
        "code": None,
        "message": None,
        "result": {"subject": PORT, "version": 1, "replaced": None},
    }
    assert client.ask(port("k2", speed=500))["result"] == {"subject": PORT, "version": 2, "replaced": "k1"}
    assert client.ask(port("k1")) == first
    assert client.record("olt.port", PORT)["result"]["params"]["speed"] == 500


def test_a_key_used_for_another_thing_or_verb_is_refused(client: Client) -> None:
    client.ask(port("k1"))
    assert client.ask(port("k1", subject="1/1/1:8"))["code"] == "key-reused"
    assert client.ask(undo("k1", of="k1"))["code"] == "key-reused"
    assert [record["key"] for record in client.records()] == ["k1"]


def test_a_rejected_key_is_remembered_and_may_be_sent_again(client: Client) -> None:
    client.ask(port("k1"))
    rejected = client.ask(port("k2", loid="L2"))
    assert rejected["code"] == "port-taken"
    assert client.ask(command("query", "k2")) == rejected | {"verb": "query"}
    client.ask(undo("k3", of="k1"))
    assert client.ask(port("k2", loid="L2"))["status"] == "ok"
    assert client.ask(command("query", "k2"))["status"] == "ok"


def test_query_by_key_tells_what_was_applied_under_it(client: Client) -> None:
    assert client.ask(command("query", "k1"))["status"] == "absent"
    client.ask(port("k1"))
    client.ask(undo("k2", of="k1"))
    assert client.ask(command("query", "k1"))["result"] == {
        "verb": "do",
        "element": OLT,
        "kind": "olt.port",
        "subject": PORT,
        "params": {"loid": "L1", "speed": 200},
        "times": 1,
        "undone_by": "k2",
        "result": {"subject": PORT, "version": 1, "replaced": None},
    }


def test_query_by_subject_reads_the_present_record_back(client: Client) -> None:
    assert client.record("olt.port", PORT)["status"] == "absent"
    client.ask(port("k1"))
    client.ask(port("k2", speed=500))
    assert client.record("olt.port", PORT)["result"] == {
        "element": OLT,
        "kind": "olt.port",
        "subject": PORT,
        "key": "k2",
        "version": 2,
        "params": {"loid": "L1", "speed": 500},
    }


def test_undo_removes_what_was_made_and_frees_its_names(client: Client) -> None:
    client.ask(port("k1"))
    first = client.ask(undo("k2", of="k1"))
    assert (first["status"], first["result"]) == ("ok", {"removed": "k1"})
    assert client.records() == []
    assert client.ask(port("k3", loid="L2"))["status"] == "ok"
    assert client.ask(undo("k2", of="k1")) == first
    assert client.record("olt.port", PORT)["result"]["key"] == "k3"


def test_undo_of_a_modification_restores_the_version_before(client: Client) -> None:
    client.ask(port("k1"))
    client.ask(port("k2", speed=500))
    assert client.ask(undo("k3", of="k2"))["result"] == {"restored": "k1"}
    assert client.records() == [
        {
            "element": OLT,
            "kind": "olt.port",
            "subject": PORT,
            "key": "k1",
            "version": 1,
            "params": {"loid": "L1", "speed": 200},
        }
    ]


def test_undo_of_the_making_removes_the_thing_whatever_was_modified_since(client: Client) -> None:
    client.ask(port("k1"))
    client.ask(port("k2", speed=500))
    assert client.ask(undo("k3", of="k1"))["status"] == "ok"
    assert client.records() == []


def test_undo_of_a_modification_that_was_modified_again_is_refused(client: Client) -> None:
    for key, speed in (("k1", 100), ("k2", 200), ("k3", 300)):
        client.ask(port(key, speed=speed))
    assert client.ask(undo("k4", of="k2"))["code"] == "superseded"
    assert client.record("olt.port", PORT)["result"]["params"]["speed"] == 300


def test_undo_without_of_removes_the_present_record(client: Client) -> None:
    client.ask(port("k1"))
    client.ask(port("k2", speed=500))
    removal = command("undo", "k3", OLT, "olt.port", PORT)
    assert client.ask(removal)["result"] == {"removed": "k2"}
    assert client.records() == []
    assert client.ask(removal | {"key": "k4"})["code"] == "nothing-to-undo"


def test_an_undo_may_be_of_a_kind_of_its_own_but_not_of_another_thing(client: Client) -> None:
    client.ask(port("k1"))
    assert client.ask(undo("k2", of="k1", subject="1/1/1:8"))["code"] == "undo-mismatch"
    assert client.ask(undo("k3", of="k1", kind="olt.port.restore"))["result"] == {"removed": "k1"}


@pytest.mark.parametrize("of", ["never", "k1", "k2"])
def test_an_undo_with_nothing_to_undo_is_absent_and_spares_the_thing_made_anew(client: Client, of: str) -> None:
    client.ask(port("k1"))
    client.ask(undo("k2", of="k1"))
    client.ask(port("k3", loid="L2"))
    before = client.records()
    reply = client.ask(undo("k4", of=of))
    assert (reply["status"], reply["code"]) == ("absent", "nothing-to-undo")
    assert client.records() == before


def test_undo_of_a_thing_removed_otherwise_and_made_anew_is_absent(client: Client) -> None:
    client.ask(port("k1"))
    client.ask(command("undo", "k2", OLT, "olt.port", PORT))
    client.ask(port("k3", loid="L2"))
    assert client.ask(undo("k4", of="k1"))["status"] == "absent"
    assert [record["key"] for record in client.records()] == ["k3"]


def test_a_host_that_is_not_idempotent_applies_a_key_each_time(tmp_path: Path) -> None:
    with Simulator(tmp_path, "--not-idempotent") as simulator:
        client = simulator.connect()
        client.ask(port("k1"))
        client.ask(port("k2", speed=500))
        assert client.ask(port("k2", speed=500))["result"] == {"subject": PORT, "version": 3, "replaced": "k2"}
        assert client.ask(command("query", "k2"))["result"]["times"] == 2
        assert client.ask(undo("k3", of="k2"))["result"] == {"restored": "k1"}
        client.ask(port("k2", speed=500))
        assert client.ask(command("query", "k2"))["result"]["undone_by"] is None


def test_dump_pages_through_all_systems_one_system_or_one_element(client: Client) -> None:
    for number in range(5):
        client.ask(port(f"p{number}", subject=f"1/1/1:{number}", loid=f"L{number}"))
        client.ask(command("do", f"a{number}", "aaa:hz", "aaa.account", f"hz{number}", loid=f"L{number}"))
    client.ask(command("do", "q", "olt:OTHER", "olt.port", "1/1/1:1", loid="L1"))
    after: list[str] | None = None
    pages: list[list[str]] = []
    while not pages or after:
        result = client.ask(command("dump", "d", "*", after=after, limit=4))["result"]
        pages.append([record["key"] for record in result["records"]])
        after = result["next"]
    assert pages == [["a0", "a1", "a2", "a3"], ["a4", "q", "p0", "p1"], ["p2", "p3", "p4"]]
    assert [record["key"] for record in client.records("olt:")] == ["q", "p0", "p1", "p2", "p3", "p4"]
    assert [record["key"] for record in client.records("olt:OTHER")] == ["q"]


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": "all"}, {"after": ["x"]}, {"after": 3}])
def test_a_malformed_page_is_refused(shared: Client, params: dict[str, object]) -> None:
    assert shared.ask(command("dump", "d", "*", **params))["code"] == "invalid-parameter"


@pytest.mark.parametrize(
    ("line", "english"),
    [
        (b"nonsense", "malformed command: JSON"),
        (b"[]", "malformed command: JSON object"),
        (b"{}", "malformed command: verb"),
        (b'{"verb": []}', "malformed command: verb"),
        (b'{"verb": "do", "element": "olt:1", "kind": "olt.port", "subject": "1"}', "malformed command: key"),
        (b'{"verb": "do", "key": "k", "element": "olt:1", "kind": "olt.port"}', "malformed command: subject"),
        (b'{"verb": "do", "key": "k", "element": 1}', "malformed command: element"),
        (b'{"verb": "query", "key": "k", "element": "olt:1", "params": []}', "malformed command: params"),
        (b'{"verb": "query", "key": "k", "element": "olt:1", "kind": 0}', "malformed command: kind"),
        (b'{"verb": "query", "key": "k", "element": "pbx:1"}', "unknown element pbx:1"),
        (
            b'{"verb":"do","key":"k","element":"olt:1","kind":"a","subject":"b","params":{"a":%s1%s}}'
            % (b"[" * 300, b"]" * 300),
            "malformed command: nesting",
        ),
    ],
)
def test_a_malformed_line_is_refused_and_the_connection_goes_on(shared: Client, line: bytes, english: str) -> None:
    shared.send_raw(line + b"\n")
    reply = shared.receive()
    assert reply
    assert (reply["status"], reply["message"]["en"]) == ("rejected", english)
    assert shared.ask(command("query", "none"))["status"] == "absent"


def test_a_line_without_end_is_refused_and_the_connection_closed(client: Client) -> None:
    client.send_raw(b"x" * ((1 << 20) + 1))
    reply = client.receive()
    assert reply
    assert reply["code"] == "malformed"
    assert client.receive() is None


def test_commands_are_answered_in_order_however_the_stream_is_cut(client: Client) -> None:
    client.send(*(port(f"k{number}", subject=f"1/1/1:{number}", loid=f"L{number}") for number in range(500)))
    replies = [client.receive() for _ in range(500)]
    assert [reply and (reply["key"], reply["status"]) for reply in replies] == [(f"k{n}", "ok") for n in range(500)]
    client.send_raw(b'{"key": "q", "verb": "que')
    client.send_raw(b'ry", "element": "olt:1"}\n')
    reply = client.receive()
    assert reply
    assert reply["key"] == "q"
