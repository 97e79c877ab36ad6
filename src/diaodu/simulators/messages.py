"""The wire protocol: one JSON object a line, a command answered by a reply under the same key and verb.

Command: {"key", "element", "verb": do|undo|query|dump|fault, "kind", "subject", "params": {...}}
Reply:   {"key", "verb", "status": ok|rejected|absent, "code": null|str, "message": null|{"zh", "en"}, "result": {...}}
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

Params = dict[str, Any]

VERBS = ("do", "undo", "query", "dump", "fault")
MAX_LINE = 1 << 20
DEPTH = 100

TEXTS: dict[str, tuple[str, str]] = {
    "malformed": ("命令格式错误：{field}", "malformed command: {field}"),
    "unknown-element": ("未知网元 {element}", "unknown element {element}"),
    "key-reused": ("幂等键 {key} 已用于其他操作", "key {key} was already used for another operation"),
    "missing-parameter": ("缺少参数 {field}", "parameter {field} is missing"),
    "invalid-parameter": ("参数 {field} 无效：{value}", "parameter {field} is invalid: {value}"),
    "missing-loid": ("缺少逻辑标识 LOID", "the LOID is missing"),
    "port-taken": ("端口 {name} 已被其他用户占用", "port {name} is provisioned to another subscriber"),
    "vlan-out-of-range": ("{field}={value} 超出 1..4094", "{field}={value} is outside 1..4094"),
    "speed-not-positive": ("速率 {field}={value} 必须大于 0", "speed {field}={value} must be above 0"),
    "duplicate-account": ("账号 {name} 已存在", "account {name} already exists"),
    "unknown-account": ("账号 {name} 不存在", "account {name} does not exist"),
    "number-registered": ("号码 {name} 已注册", "number {name} is already registered"),
    "undo-mismatch": ("撤销对象与键 {key} 的操作不符", "the undo names another thing than key {key} did"),
    "superseded": ("键 {key} 的操作已被后续修改覆盖", "what key {key} did has been modified since"),
    "nothing-to-undo": ("没有可撤销的操作", "there is nothing to undo"),
    "equipment-failure": ("设备故障，拒绝执行", "equipment failure, command refused"),
    "bad-fault": ("故障设置无效：{field}", "invalid fault setting: {field}"),
}


class Refused(Exception):
    """A typed refusal by the simulated system; `code` is a key of TEXTS, `values` fill its templates."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class Command:
    """One request; `kind` and `subject` may be empty for query, dump and fault."""

    key: str
    element: str
    verb: str
    kind: str
    subject: str
    params: Params


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one command, without the key and verb that it is sent under."""

    status: str
    code: str | None = None
    message: dict[str, str] | None = None
    result: Params = field(default_factory=dict)


def refusal(refused: Refused, status: str = "rejected") -> Outcome:
    """The outcome that tells of a refusal in both languages."""
    zh, en = TEXTS[refused.code]
    message = {"zh": zh.format(**refused.values), "en": en.format(**refused.values)}
    return Outcome(status, refused.code, message)


def decode(line: bytes) -> Params:
    """The JSON object on one line; Refused(malformed) when it is none."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Refused("malformed", field="JSON") from error
    if not isinstance(fields, dict):
        raise Refused("malformed", field="JSON object")
    if line.count(b"[") + line.count(b"{") > DEPTH:
        _check_depth(fields)
    return fields


def _check_depth(fields: Params) -> None:
    # What is read must be writable again inside a reply, and the encoder nests less deep than the decoder.
    wrapped: object = fields
    for _ in range(8):
        wrapped = [wrapped]
    try:
        orjson.dumps(wrapped)
    except orjson.JSONEncodeError as error:
        raise Refused("malformed", field="nesting") from error


def command(fields: Params) -> Command:
    """The command told by the decoded fields; Refused(malformed) names the first field that is wrong."""
    verb = fields.get("verb")
    if verb not in VERBS:
        raise Refused("malformed", field="verb")
    needed = ("key", "element", "kind", "subject") if verb in ("do", "undo") else ("key", "element")
    for name in ("key", "element", "kind", "subject"):
        value = fields.get(name)
        if (name in needed and not value) or not isinstance(value, str | None):
            raise Refused("malformed", field=name)
    params = fields.get("params")
    if params is not None and not isinstance(params, dict):
        raise Refused("malformed", field="params")
    return Command(
        fields["key"], fields["element"], verb, fields.get("kind") or "", fields.get("subject") or "", params or {}
    )


def encode(key: object, verb: object, outcome: Outcome) -> bytes:
    """One reply line, newline included."""
    body = {
        "key": key,
        "verb": verb,
        "status": outcome.status,
        "code": outcome.code,
        "message": outcome.message,
        "result": outcome.result,
    }
    return orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)
