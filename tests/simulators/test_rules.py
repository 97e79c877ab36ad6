from typing import Any

import pytest
from tests.simulators.wire import Client, command

OK: dict[str, tuple[str, str, dict[str, Any]]] = {
    "olt.port": ("olt:O1", "1/1/1:7", {"loid": "L1", "svlan": 4094, "cvlan": 1, "speed": 0.5}),
    "aaa.account": ("aaa:hz", "hz001", {"loid": "L1"}),
    "ims.number": ("ims:hz", "057188001", {"loid": "L1"}),
    "iptv.account": ("iptv:hz", "tv001", {}),
    "iptv.package": ("iptv:hz", "tv001/4k", {"account": "tv001"}),
    "itms.terminal": ("itms:hz", "thing-1", {"loid": "L1"}),
    "archive.billing": ("billing:zj", "p1", {"offering": "P1", "account": "A1", "effective_date": "2026-03-01"}),
    "archive.sla": ("sla:zj", "p1", {"due": {"order": "2026-03-01T08:00:00+08:00"}}),
    "notice.sms": ("sms:zj", "n1", {"number": "+8613800000000", "text": "已竣工"}),
}

REFUSED = [
    ("olt.port", {"svlan": 0}, "vlan-out-of-range"),
    ("olt.port", {"cvlan": 4095}, "vlan-out-of-range"),
    ("olt.port", {"vlan": "100"}, "vlan-out-of-range"),
    ("olt.port", {"vlan": True}, "vlan-out-of-range"),
    ("olt.port", {"speed": 0}, "speed-not-positive"),
    ("olt.port", {"speed_down": -1}, "speed-not-positive"),
    ("olt.port", {"port": 7}, "invalid-parameter"),
    ("aaa.account", {"loid": ""}, "missing-loid"),
    ("iptv.package", {"account": "nobody"}, "unknown-account"),
    ("itms.terminal", {"loid": None}, "missing-loid"),
    ("archive.billing", {"offering": None}, "missing-parameter"),
    ("archive.billing", {"account": ""}, "missing-parameter"),
    ("archive.billing", {"effective_date": None}, "missing-parameter"),
    ("archive.billing", {"effective_date": "2026-02-30"}, "invalid-parameter"),
    ("archive.sla", {"due": None}, "missing-parameter"),
    ("archive.sla", {"due": []}, "missing-parameter"),
    ("archive.sla", {"due": ["2026-03-01"]}, "invalid-parameter"),
    ("archive.sla", {"due": 5}, "invalid-parameter"),
    ("notice.sms", {"number": None}, "missing-parameter"),
    ("notice.sms", {"number": "call me"}, "invalid-parameter"),
    ("notice.sms", {"text": ""}, "missing-parameter"),
]


@pytest.mark.parametrize(("kind", "change", "code"), REFUSED)
def test_an_invalid_command_is_refused_with_its_code_in_both_languages(
    shared: Client, kind: str, change: dict[str, Any], code: str
) -> None:
    element, subject, params = OK[kind]
    before = shared.records()
    reply = shared.ask(command("do", f"bad-{kind}-{change}", element, kind, subject, **params | change))
    assert (reply["status"], reply["code"], reply["result"]) == ("rejected", code, {})
    assert reply["message"]["zh"] != reply["message"]["en"]
    assert shared.records() == before


def test_every_system_takes_a_valid_command_and_reads_it_back(client: Client) -> None:
    for kind, (element, subject, params) in OK.items():
        assert client.ask(command("do", f"k-{kind}", element, kind, subject, **params))["status"] == "ok"
        assert client.record(kind, subject, element)["result"]["params"] == params
    assert {record["kind"] for record in client.records()} == set(OK)


def test_a_due_time_may_be_one_text_or_a_list(shared: Client) -> None:
    for key, due in (("one", "2026-03-01T08:00:00Z"), ("list", ["2026-03-01T08:00:00Z", "2026-03-02T08:00:00Z"])):
        assert shared.ask(command("do", key, "sla:zj", "archive.sla", key, due=due))["status"] == "ok"


@pytest.mark.parametrize(
    ("element", "kind", "name", "code"),
    [
        ("olt:O9", "olt.port", "port", "port-taken"),
        ("aaa:hz", "aaa.account", "account", "duplicate-account"),
        ("ims:hz", "ims.number", "number", "number-registered"),
        ("iptv:hz", "iptv.account", "account", "duplicate-account"),
    ],
)
def test_a_name_in_use_is_refused_to_another_loid_and_to_another_subject(
    shared: Client, element: str, kind: str, name: str, code: str
) -> None:
    mine = {name: f"{kind}-1", "loid": "L1"}
    assert shared.ask(command("do", f"{kind}1", element, kind, "thing-1", **mine))["status"] == "ok"
    before = shared.records()
    other_loid = shared.ask(command("do", f"{kind}2", element, kind, "thing-1", **mine | {"loid": "L2"}))
    other_subject = shared.ask(command("do", f"{kind}3", element, kind, "thing-2", **mine))
    assert (other_loid["code"], other_subject["code"]) == (code, code)
    assert shared.records() == before


def test_without_a_name_the_subject_is_the_name(shared: Client) -> None:
    assert shared.ask(command("do", "s1", "aaa:hz", "aaa.account", "hz777", loid="L1"))["status"] == "ok"
    reply = shared.ask(command("do", "s2", "aaa:hz", "aaa.account", "thing-9", account="hz777", loid="L1"))
    assert reply["code"] == "duplicate-account"
    assert reply["message"] == {"zh": "账号 hz777 已存在", "en": "account hz777 already exists"}


def test_the_same_port_number_on_two_olts_are_two_ports(shared: Client) -> None:
    for element in ("olt:A", "olt:B"):
        reply = shared.ask(command("do", f"port-{element}", element, "olt.port", "1/1/1", loid=element))
        assert reply["status"] == "ok"


def test_two_services_of_one_subscriber_share_a_port(shared: Client) -> None:
    for kind in ("olt.port", "olt.multicast"):
        assert shared.ask(command("do", f"c-{kind}", "olt:C", kind, "1/1/1", loid="L1"))["status"] == "ok"
    stranger = shared.ask(command("do", "c-voice", "olt:C", "olt.voice", "1/1/1", loid="L2"))
    assert stranger["code"] == "port-taken"


def test_a_thing_that_moves_frees_its_old_port(shared: Client) -> None:
    for key, name in (("d1", "1/1/1"), ("d2", "1/1/2")):
        assert shared.ask(command("do", key, "olt:D", "olt.port", "thing-1", port=name))["status"] == "ok"
    assert shared.ask(command("do", "d3", "olt:D", "olt.port", "thing-2", port="1/1/2"))["code"] == "port-taken"
    assert shared.ask(command("do", "d4", "olt:D", "olt.port", "thing-2", port="1/1/1"))["status"] == "ok"
    # Putting the first thing back would now take the port from the second.
    undo = shared.ask(command("undo", "d5", "olt:D", "olt.port", "thing-1", of="d2"))
    assert undo["code"] == "port-taken"
    assert shared.record("olt.port", "thing-1", "olt:D")["result"]["params"] == {"port": "1/1/2"}
