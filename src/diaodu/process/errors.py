"""Refusals of the processes."""

from diaodu.kernel.errors import Rejected


class KeyReused(Rejected):
    """409: the same key with other content."""

    code, status = "process.key-reused", 409
    en = "The key {key} was used to start root {id} with other content. Use a new key for a new instance."
    zh = "幂等键 {key} 已用于启动 {id}，且内容不同。启动新实例请使用新的键。"


class PersonNeeded(Rejected):
    """403: systems do not claim tasks of people."""

    code, status = "process.person-needed", 403
    en = "Only a person can see, claim or complete tasks; this token belongs to the system {name}."
    zh = "只有人员可以查看、领取或完成任务，该令牌属于系统 {name}。"
