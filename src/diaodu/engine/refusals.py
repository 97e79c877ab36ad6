"""What the engine refuses to those who operate it or work for it from outside."""

from diaodu.kernel.errors import Rejected


class InstanceNotIn(Rejected):
    """409: the instance is not in a state in which this can be done."""

    code, status = "engine.instance-state", 409
    en = "Instance {id} is {state}; this needs one that is {needed}."
    zh = "实例 {id} 当前为 {state}，此操作要求其为 {needed}。"


class CallerSuspended(Rejected):
    """409: a called instance goes on with the instance that called it."""

    code, status = "engine.caller-suspended", 409
    en = "Instance {id} was suspended with its caller {caller}; resume that one."
    zh = "实例 {id} 随其调用方 {caller} 一同挂起，请恢复调用方。"


class TokenGone(Rejected):
    """409: the token has left, or never was."""

    code, status = "engine.token-gone", 409
    en = "Token {id} does not stand in instance {instance} (any more)."
    zh = "令牌 {id} 已不在实例 {instance} 中。"


class NotMovable(Rejected):
    """409: the token cannot be moved like that; ``why`` is a fixed word."""

    code, status = "engine.not-movable", 409
    en = "The token at {node} cannot go on at '{target}': {why_en}."
    zh = "{node} 处的令牌不能转到“{target}”：{why_zh}。"


class DefinitionSuspended(Rejected):
    """409: new instances of this version are not started at present."""

    code, status = "engine.definition-suspended", 409
    en = "Process {process} is suspended: it starts no instances until it is resumed."
    zh = "流程 {process} 已挂起，恢复前不会启动新实例。"


class ReasonNeeded(Rejected):
    """400: what is done by hand says why."""

    code, status = "engine.reason-needed", 400
    en = "Say why: the reason goes into the history."
    zh = "请说明原因，该原因将写入历史。"


class HoldsToken(Rejected):
    """409: the incident holds a token; only a retry, a skip or a jump lets that go on."""

    code, status = "engine.incident-holds-token", 409
    en = "Incident {id} holds the token at {node}: retry it, skip the node or move the token."
    zh = "故障 {id} 占住 {node} 处的令牌：请重试、跳过该节点或移动令牌。"


class NoPlace(Rejected):
    """409: a token, task or event of the instance has no place in the other version."""

    code, status = "engine.no-place", 409
    en = "Instance {id} cannot go over to version {version}: {problems}."
    zh = "实例 {id} 不能迁移到版本 {version}：{problems}。"


class BadMapping(Rejected):
    """400: the mapping names elements that do not exist, or that are of different kinds."""

    code, status = "engine.bad-mapping", 400
    en = "The mapping does not fit: {problems}."
    zh = "映射不成立：{problems}。"


class LockLost(Rejected):
    """409: the lock has passed to another worker, or the task was answered or taken back; a result is kept."""

    code, status = "engine.lock-lost", 409
    en = "Task {id} is not yours any more: {why}. What you reported is kept in the history, but changes nothing."
    zh = "任务 {id} 已不归您处理（{why}）。您上报的内容已记入历史，但不产生作用。"


class BadLockTime(Rejected):
    """400: a lock lasts from one second to one hour."""

    code, status = "engine.bad-lock-time", 400
    en = "A lock lasts from {least} to {most} seconds, not {given}."
    zh = "锁定时间须为 {least} 至 {most} 秒，不能为 {given}。"


class PreviewUnknown(Rejected):
    """404: no preview has this token, or it is too old, or somebody else's."""

    code, status = "engine.preview-unknown", 404
    en = "No preview of yours has this token, or it has expired. Make a new preview."
    zh = "没有与该凭据对应的预览，或预览已过期。请重新预览。"


class PreviewStale(Rejected):
    """409: more instances match now than the preview counted."""

    code, status = "engine.preview-stale", 409
    en = "{now} instances match now, the preview counted {then}. Make a new preview."
    zh = "现有 {now} 个实例匹配，预览时为 {then} 个。请重新预览。"


class UnknownOperation(Rejected):
    """400: there is no such operation, or it lacks what it needs."""

    code, status = "engine.unknown-operation", 400
    en = "'{verb}' cannot be done like that: {why}. Operations: {verbs}."
    zh = "不能这样执行“{verb}”：{why}。可用操作：{verbs}。"
