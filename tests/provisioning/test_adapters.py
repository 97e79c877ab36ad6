"""The mapping of effects to commands, and of answers to what is true."""

from typing import Any

import pytest

from diaodu.provisioning import adapters
from diaodu.provisioning.errors import NotSendable
from diaodu.provisioning.model import Command, Reply, Sending, Status, Verb, Verdict

DO = Sending(7, "do", "olt.port", "olt:X", 99, {"subject": "1/1", "speed": 300, "ip": None})
UNDO_PARAMS = {"subject": "1/1", "speed": 300, "of": "7", "of_kind": "olt.port"}
UNDO = Sending(8, "undo", "olt.port.remove", "olt:X", 99, UNDO_PARAMS, "do")


def reply(verb: str, status: str, code: str | None = None, /, **result: Any) -> Reply:
    message = {"zh": "拒绝", "en": "refused"} if code else {}
    return Reply("7", Verb(verb), Status(status), code, message, result)


def test_a_do_names_the_thing_and_tells_only_what_has_a_value() -> None:
    assert adapters.command(DO) == Command("7", "olt:X", Verb.DO, "olt.port", "1/1", {"speed": 300})


def test_a_redo_is_a_do_under_its_own_key() -> None:
    redo = Sending(9, "redo", "olt.port", "olt:X", 99, {"subject": "1/1", "speed": 500})
    assert adapters.command(redo) == Command("9", "olt:X", Verb.DO, "olt.port", "1/1", {"speed": 500})


def test_without_a_subject_the_thing_is_its_own_name() -> None:
    notice = Sending(7, "do", "notice.completed", "sms:zj", 99, {"number": "139", "text": "好"})
    assert adapters.command(notice).subject == "99"


def test_the_undo_of_a_do_names_it() -> None:
    assert adapters.command(UNDO) == Command("8", "olt:X", Verb.UNDO, "olt.port", "1/1", {"of": "7"})


@pytest.mark.parametrize("undoes", ["redo", "inherited"])
def test_the_undo_of_a_modification_removes_the_present_record(undoes: str) -> None:
    undo = Sending(8, "undo", "olt.port.remove", "olt:X", 99, UNDO_PARAMS, undoes)
    assert adapters.command(undo) == Command("8", "olt:X", Verb.UNDO, "olt.port", "1/1", {})


def test_an_undo_without_the_kind_of_its_record_cannot_be_sent() -> None:
    with pytest.raises(NotSendable) as caught:
        adapters.command(Sending(8, "undo", "olt.port.remove", "olt:X", 99, {"of": "7"}, "do"))
    assert caught.value.message("zh") == "效果 olt.port.remove 无法下发：缺少参数 of_kind。"


def test_the_read_back_asks_for_the_record_under_a_key_of_its_own() -> None:
    read = Command("7/3", "olt:X", Verb.QUERY, "olt.port", params={"subject": "1/1"})
    assert adapters.reading(DO, 3) == read
    assert adapters.reading(UNDO, 3).kind == "olt.port"


def test_yes_alone_is_not_believed() -> None:
    assert adapters.judge(DO, reply("do", "ok", version=1), None) is None


def test_yes_and_the_record_as_ordered_confirm() -> None:
    read = reply("query", "ok", key="7", params={"speed": 300, "more": 1})
    assert adapters.judge(DO, reply("do", "ok", version=1), read) == Verdict("confirmed", {"version": 1})


@pytest.mark.parametrize("shown", [{"speed": 100}, {}, {"speed": "300"}])
def test_another_record_than_ordered_fails(shown: dict[str, Any]) -> None:
    verdict = adapters.judge(DO, reply("do", "ok"), reply("query", "ok", key="7", params=shown))
    assert verdict is not None
    assert verdict.state == "failed"
    assert verdict.cause == {
        "code": "provisioning.read-back-differs",
        "zh": "olt:X 已接受指令，但回读 1/1 与下发不一致：speed。",
        "en": "olt:X accepted the command, but 1/1 differs when read back: speed.",
    }


def test_true_is_not_one() -> None:
    wanted = Sending(7, "do", "ims.user", "ims:zj", 99, {"caller_id": True})
    verdict = adapters.judge(wanted, reply("do", "ok"), reply("query", "ok", params={"caller_id": 1}))
    assert verdict is not None
    assert verdict.state == "failed"


@pytest.mark.parametrize("verb", ["do", "query"])
def test_a_refusal_fails_with_the_systems_own_words(verb: str) -> None:
    verdict = adapters.judge(DO, reply(verb, "rejected", "port-taken"), None)
    assert verdict == Verdict("failed", cause={"code": "port-taken", "zh": "拒绝", "en": "refused"})


def test_a_key_that_never_arrived_is_an_intent_again() -> None:
    assert adapters.judge(DO, reply("query", "absent"), None) == Verdict("intent")


def test_what_the_question_found_is_adopted() -> None:
    found = reply("query", "ok", times=1, result={"version": 2})
    read = reply("query", "ok", key="7", params={"speed": 300})
    assert adapters.judge(DO, found, read) == Verdict("confirmed", {"version": 2})


@pytest.mark.parametrize(
    ("answer", "read", "state"),
    [
        (reply("undo", "ok", removed="7"), reply("query", "absent"), "confirmed"),
        (reply("undo", "absent"), reply("query", "absent"), "confirmed"),  # nothing was there: as wanted
        (reply("undo", "ok", restored="5"), reply("query", "ok", key="5"), "confirmed"),
        (reply("undo", "ok"), reply("query", "ok", key="7"), "failed"),
    ],
)
def test_an_undo_is_confirmed_when_the_record_is_gone(answer: Reply, read: Reply, state: str) -> None:
    verdict = adapters.judge(UNDO, answer, read)
    assert verdict is not None
    assert verdict.state == state


def test_the_removal_of_a_modified_thing_leaves_nothing() -> None:
    undo = Sending(8, "undo", "olt.port.remove", "olt:X", 99, UNDO_PARAMS, "redo")
    verdict = adapters.judge(undo, reply("undo", "ok", removed="7"), reply("query", "ok", key="5"))
    assert verdict is not None
    assert verdict.state == "failed"
