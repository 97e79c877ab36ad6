"""What the engine refuses, and why: every problem of a process by element id, in both languages."""

from collections.abc import Sequence
from dataclasses import dataclass

from diaodu.kernel.errors import Rejected

# code -> (en, zh); {what} is the element's own detail.
_PROBLEMS = {
    "xml": ("is not readable as BPMN 2.0 XML: {what}", "无法作为 BPMN 2.0 XML 读取:{what}"),
    "too-large": ("is larger than {what} bytes", "超过 {what} 字节"),
    "doctype": ("has a document type or entities, which are not accepted", "含有文档类型或实体声明,不予接受"),
    "no-process": ("must hold exactly one process, but holds {what}", "必须恰好含有一个流程,实际为 {what} 个"),
    "no-id": ("<{what}> has no id", "<{what}> 没有 id"),
    "too-long": ("a name of more than {what} characters stands here", "此处的名称超过 {what} 个字符"),
    "double-id": ("the id is used twice", "id 重复"),
    "unsupported": (
        "<{what}> cannot be executed; draw it with supported elements",
        "<{what}> 不能执行,请改用受支持的元素",
    ),
    "unsupported-attribute": (
        "the attribute {what} cannot be executed here; leave it out",
        "此处不能执行属性 {what},请去掉",
    ),
    "no-type": ("diaodu:type is missing: name the service to call", "缺少 diaodu:type,请写明要调用的服务"),
    "unbound-type": ("no service is bound to the type '{what}'", "服务类型“{what}”没有对应的服务"),
    "no-decisions": ("no decision service is available for the decision '{what}'", "没有可用于决策“{what}”的决策服务"),
    "missing": ("{what} is missing", "缺少 {what}"),
    "bad-feel": ("the FEEL expression is wrong: {what}", "FEEL 表达式有误:{what}"),
    "bad-timer": ("'{what}' is not an ISO 8601 date or duration", "“{what}”不是 ISO 8601 日期或时长"),
    "bad-value": (
        "'{what}' is not a number or an expression that begins with '='",
        "“{what}”既不是数字,也不是以 “=” 开头的表达式",
    ),
    "bad-reference": ("refers to '{what}', which does not exist here", "引用了此处不存在的“{what}”"),
    "no-start": ("needs exactly one start event, but has {what}", "必须恰好有一个开始事件,实际为 {what} 个"),
    "many-starts": (
        "has {what} start events without a trigger; only one can be started",
        "有 {what} 个无触发条件的开始事件,只能有一个",
    ),
    "wrong-start": ("a start event of this kind cannot stand here: {what}", "此类开始事件不能放在此处:{what}"),
    "double-start": ("'{what}' starts the process at two events", "“{what}”在两个开始事件上启动流程"),
    "bad-link": (
        "needs exactly one link catch event with the name '{what}' in the same scope, and at least one that throws it",
        "同一范围内必须恰好有一个名为“{what}”的链接捕获事件,并至少有一个抛出事件",
    ),
    "bad-host": (
        "'{what}' is an event: only activities have events at their border",
        "“{what}”是事件,只有活动可以带边界事件",
    ),
    "in-adhoc": ("start and end events cannot stand in an ad-hoc subprocess", "即席子流程内不能有开始或结束事件"),
    "no-calendar": ("no calendar is available for the working time of '{what}'", "没有可用于“{what}”工作时间的日历"),
    "bad-target": (
        "'{what}' cannot follow an event-based gateway: only events that wait and receive tasks can, by one flow each",
        "“{what}”不能跟在事件网关之后:只能是消息、定时、信号事件或接收任务,且各有一条顺序流",
    ),
    "unreachable": ("cannot be reached from the start", "从开始事件无法到达"),
    "dead": ("no end can be reached from here", "由此无法到达任何结束"),
    "no-condition": (
        "the flow '{what}' has neither a condition nor is it the default",
        "顺序流“{what}”既没有条件,也不是默认流",
    ),
    "stray-condition": (
        "the flow '{what}' has a condition, but does not leave an exclusive gateway",
        "顺序流“{what}”带有条件,但不是从排他网关引出",
    ),
    "into-start": ("a flow leads into a start or boundary event", "顺序流不能进入开始事件或边界事件"),
    "crossing": ("the flow '{what}' crosses the border of a subprocess", "顺序流“{what}”跨越了子流程边界"),
    "not-plan": ('diaodu:plan can only be "true"', 'diaodu:plan 只能为 "true"'),
    "no-driver": ("no driver is available for plan-driven stages", "没有可用于计划驱动阶段的驱动"),
    "stage-count": (
        "needs exactly one plan-driven stage, but has {what}",
        "必须恰好有一个计划驱动阶段,实际为 {what} 个",
    ),
    "no-kind": (
        "diaodu:kind is missing: name the kinds of work done here",
        "缺少 diaodu:kind,请写明此处完成的工作种类",
    ),
    "double-kind": ("the kind of work '{what}' is drawn twice", "工作种类“{what}”重复出现"),
    "lonely-event": (
        "an event-based gateway needs at least two events to choose from, but has {what}",
        "事件网关至少需要两个可选事件,实际为 {what} 个",
    ),
    "unknown-process": (
        "calls the process '{what}', which is neither deployed nor deployed with it",
        "所调用的流程“{what}”既未部署,也未一同部署",
    ),
    "never-joins": (
        "a certain deadlock: no run brings a token to all the flows that it waits for (run: {what})",
        "必然死锁:任何运行都不会让它等待的各条顺序流都到齐(运行:{what})",
    ),
    "never-ends": (
        "no run comes to its end: a token is always left over that waits for ever",
        "任何运行都不会结束:总有令牌被永远留下等待",
    ),
    "may-deadlock": (
        "may wait for ever: some of its flows may never bring a token (run: {what})",
        "可能一直等待:某些顺序流可能永远没有令牌到达(运行:{what})",
    ),
    "may-run-twice": (
        "what follows may run twice: parallel flows meet here without a parallel join (run: {what})",
        "其后的内容可能执行两次:并行的顺序流在此汇合而没有并行汇聚(运行:{what})",
    ),
    "not-searched": (
        "is too large to look at all its runs; the search ended after {what} steps",
        "规模过大,无法检查全部运行;检查在 {what} 步后停止",
    ),
    "no-default": (
        "all conditions may be false and there is no default flow: that would be an incident",
        "所有条件可能都不成立且没有默认流:届时将产生故障",
    ),
    "uncaught-error": (
        "nothing in this process catches the error '{what}': unless a caller does, it is an incident",
        "本流程中没有捕获错误“{what}”的事件:若调用方也不捕获,将产生故障",
    ),
    "not-deployed": (
        "calls the process '{what}', which must be deployed before or together with it",
        "所调用的流程“{what}”必须事先部署或一同部署",
    ),
    "unnamed-type": (
        "names no service (diaodu:type); deployment asks for one",
        "未写明服务(diaodu:type);部署时必须写明",
    ),
    "unnamed-decision": (
        "names no decision (diaodu:decision); deployment asks for one",
        "未写明决策(diaodu:decision);部署时必须写明",
    ),
    "unknown-function": (
        "FEEL has no function '{what}': the call always gives null",
        "FEEL 没有函数“{what}”:该调用的结果总是 null",
    ),
}

# What does not keep a process from being deployed.
WARNINGS = frozenset(
    {
        "may-deadlock", "may-run-twice", "never-ends", "not-searched", "no-default", "uncaught-error", "not-deployed",
        "unnamed-type", "unnamed-decision", "unknown-function",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """One reason why a process cannot be executed; ``element`` is its id in the diagram."""

    element: str
    code: str
    what: str = ""
    what_zh: str = ""  # where what stands there has words of its own

    @property
    def warning(self) -> bool:
        """Whether the process may be deployed all the same."""
        return self.code in WARNINGS

    def to_json(self) -> dict[str, str]:
        """As plain JSON: ``severity`` (error or warning), ``element``, ``code``, ``en``, ``zh``."""
        grade = "warning" if self.warning else "error"
        texts = {language: self.message(language) for language in ("en", "zh")}
        return {"severity": grade, "element": self.element, "code": self.code, **texts}

    def message(self, language: str) -> str:
        """The reason in ``zh`` or ``en``."""
        return _PROBLEMS[self.code][language == "zh"].format(
            what=(self.what_zh or self.what) if language == "zh" else self.what
        )


class ProcessNotExecutable(Rejected):
    """400: the process cannot be deployed; ``problems`` lists every reason."""

    code, status = "engine.process-not-executable", 400

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(findings=[p.to_json() for p in problems])

    def message(self, language: str) -> str:
        """All reasons, one after another."""
        if language == "zh":
            return "流程不能执行:" + ";".join(f"{p.element}:{p.message('zh')}" for p in self.problems) + "。"
        return (
            "The process cannot be executed: "
            + "; ".join(f"{p.element}: {p.message('en')}" for p in self.problems)
            + "."
        )


class UnknownProcess(Rejected):
    """404: no version of this process is deployed."""

    code, status = "engine.unknown-process", 404
    en = "No process '{process}' is deployed."
    zh = "未部署流程“{process}”。"


class TaskNotOpen(Rejected):
    """409: the task is not offered, or not the person's own."""

    code, status = "engine.task-not-open", 409
    en = "Task {id} is not open to you: it is {state}."
    zh = "任务 {id} 对您不可操作:当前状态为{state}。"


class TaskPlanned(Rejected):
    """409: the task belongs to a plan, not to the diagram."""

    code, status = "engine.task-planned", 409
    en = "Task {id} is a work order: report on it there, with its form."
    zh = "任务 {id} 属于工单，请在工单上按表单回单。"


class IncidentNotOpen(Rejected):
    """409: the incident was resolved before."""

    code, status = "engine.incident-not-open", 409
    en = "Incident {id} is not open."
    zh = "故障 {id} 已不在待处理状态。"


class DiagramNotDrawn(Rejected):
    """422: there is no place in the file where a diagram could be put; the process itself may run all the same."""

    code, status = "engine.diagram-not-drawn", 422
    en = "No diagram can be added to this file."
    zh = "无法在该文件中加入流程图。"


# What the engine refuses to those who operate it or work for it from outside. -----------------------------------


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
    en = "Task {id} is not yours any more. What you reported is kept in the history, but changes nothing."
    zh = "任务 {id} 已不归您处理。您上报的内容已记入历史，但不产生作用。"


class BadLockTime(Rejected):
    """400: a lock lasts from one second to one hour."""

    code, status = "engine.bad-lock-time", 400
    en = "A lock lasts from {least} to {most} seconds, not {given}."
    zh = "锁定时间须为 {least} 至 {most} 秒，不能为 {given}。"


class NotDone(Rejected):
    """500: a part of a bulk operation failed on an instance; the log says how."""

    code, status = "engine.not-done", 500
    en = "The operation failed on this instance; the log says how."
    zh = "该实例上的操作失败，原因见日志。"


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


class BadFilter(Rejected):
    """400: a filter names a state that does not exist, or a node without its process."""

    code, status = "engine.bad-filter", 400
    en = "The filter does not make sense at {name}: states are {states}; a node needs its process."
    zh = "筛选条件 {name} 不成立：状态可为 {states}；指定节点时必须同时指定流程。"


class UnknownOperation(Rejected):
    """400: there is no such operation, or it lacks what it needs."""

    code, status = "engine.unknown-operation", 400
    en = "'{verb}' cannot be done like that: {why}. Operations: {verbs}."
    zh = "不能这样执行“{verb}”：{why}。可用操作：{verbs}。"
