"""From effects to commands of the wire protocol, and from replies to what is true outside. Pure.

Every command is followed at once, on the same connection, by a read-back of the thing that it is about: a system
that says yes is believed only when it also shows what was ordered.
"""

from collections.abc import Mapping
from typing import Any

from diaodu.kernel.errors import Rejected
from diaodu.provisioning.errors import NotSendable, ReadBackDiffers
from diaodu.provisioning.model import Command, Reply, Sending, Status, Verb, Verdict

# Parameters that say how to send, not what the system is to hold.
_ENVELOPE = frozenset({"subject", "of", "of_kind", "key", "also"})


def command(s: Sending) -> Command:
    """The do or undo of an effect, under its own id as key; NotSendable when its parameters do not suffice.

    A redo is a do under a new key: the system takes it as a modification of the subject. An undo names the do that
    it takes back (``params.of``), so that nothing which others made since is touched. If the fact was a redo or was
    inherited, that would restore what stood before it; then the present record goes, whoever wrote it.
    """
    if s.op != "undo":
        return Command(str(s.id), s.element, Verb.DO, s.kind, subject(s), wanted(s))
    params = {"of": str(s.params["of"])} if s.undoes == "do" and "of" in s.params else {}
    return Command(str(s.id), s.element, Verb.UNDO, record_kind(s), subject(s), params)


def question(s: Sending) -> Command:
    """Ask what became of the effect's key."""
    return Command(str(s.id), s.element, Verb.QUERY)


def reading(s: Sending, turn: int) -> Command:
    """Read back the record that the effect is about; each ``turn`` has a key of its own, so that none is mixed up."""
    key = f"{s.id}/{turn}"
    return Command(key, s.element, Verb.QUERY, record_kind(s), params={"subject": subject(s)})


def subject(s: Sending) -> str:
    """The name of the thing inside its system."""
    return str(s.params.get("subject") or s.thing_id)


def record_kind(s: Sending) -> str:
    """The kind of the record: an undo is about the record of the fact that it takes back (``params.of_kind``)."""
    if s.op != "undo":
        return s.kind
    if "of_kind" not in s.params:
        raise NotSendable(kind=s.kind, field="of_kind")
    return str(s.params["of_kind"])


def wanted(s: Sending) -> dict[str, Any]:
    """What the system is to hold; a parameter without a value is not told."""
    return {name: value for name, value in s.params.items() if name not in _ENVELOPE and value is not None}


def judge(s: Sending, answer: Reply, read: Reply | None, *, queryable: bool = True) -> Verdict | None:
    """What the answer to the command or question and the read-back say together; None while more is needed.

    A system that is not ``queryable`` has nothing read back: its word has to do.
    """
    if answer.status is Status.REJECTED:
        return Verdict("failed", cause=_refusal(answer))
    if not queryable:
        return Verdict("confirmed", _result(answer))
    if answer.verb is Verb.QUERY and answer.status is Status.ABSENT:
        return Verdict("intent")
    if read is None:
        return None
    if read.status is Status.REJECTED:
        return Verdict("failed", cause=_refusal(read))
    differing = _left(s, read) if s.op == "undo" else _differing(wanted(s), read)
    if differing:
        differs = ReadBackDiffers(element=s.element, subject=subject(s), fields=", ".join(differing))
        return Verdict("failed", cause=cause(differs))
    return Verdict("confirmed", _result(answer))


def cause(rejected: Rejected) -> dict[str, str]:
    """A refusal of ours as the cause of an outcome."""
    return {"code": rejected.code, "zh": rejected.message("zh"), "en": rejected.message("en")}


def _differing(params: Mapping[str, Any], read: Reply) -> list[str]:
    """The names of what was ordered and is not there as ordered."""
    shown = read.result.get("params") or {}
    # The zero of JSON must not pass for false.
    return [name for name, value in params.items() if name not in shown or _typed(shown[name]) != _typed(value)]


def _typed(value: Any) -> tuple[bool, Any]:
    """A JSON value as something whose equality tells true from 1."""
    return isinstance(value, bool), value


def _left(s: Sending, read: Reply) -> list[str]:
    """What an undo has left: with ``of``, an older record may be back; else nothing may be there."""
    if read.status is Status.ABSENT:
        return []
    restored = s.undoes == "do" and read.result.get("key") != str(s.params.get("of"))
    return [] if restored else ["key"]


def _refusal(reply: Reply) -> dict[str, str]:
    code = reply.code or "rejected"
    return {"code": code, "zh": reply.message.get("zh", code), "en": reply.message.get("en", code)}


def _result(answer: Reply) -> Mapping[str, Any]:
    """The system's own result: of the command, or of the command as the question found it."""
    result: Mapping[str, Any] = answer.result.get("result") or {} if answer.verb is Verb.QUERY else answer.result
    return result
