"""Why an effect could not be made true in another system."""

from diaodu.kernel.errors import Rejected


class Unreachable(Rejected):
    """The system did not answer, however often it was tried."""

    code, status = "provisioning.unreachable", 503
    en = "{element} could not be reached in {attempts} attempts."
    zh = "{element} 连续 {attempts} 次无法连通。"


class ReadBackDiffers(Rejected):
    """The system said yes, and then showed something else."""

    code, status = "provisioning.read-back-differs", 502
    en = "{element} accepted the command, but {subject} differs when read back: {fields}."
    zh = "{element} 已接受指令，但回读 {subject} 与下发不一致：{fields}。"


class NotSendable(Rejected):
    """The effect lacks a parameter that every command of its sort needs."""

    code, status = "provisioning.not-sendable", 422
    en = "The effect {kind} cannot be sent: parameter {field} is missing."
    zh = "效果 {kind} 无法下发：缺少参数 {field}。"


class OutcomeUnknown(Rejected):
    """It was told and did not answer, cannot be asked, and might do it twice: nobody but a person can decide."""

    code, status = "provisioning.outcome-unknown", 504
    en = "{element} did not answer and cannot be asked. Look there: was {subject} done? Then say so, or send it again."
    zh = "{element} 未应答且无法查询。请到该系统核实 {subject}：已完成则标记人工完成，未完成则重发。"
