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
    "double-id": ("the id is used twice", "id 重复"),
    "unsupported": (
        "<{what}> cannot be executed; draw it with supported elements",
        "<{what}> 不能执行,请改用受支持的元素",
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
    "wrong-start": ("the start of a subprocess cannot wait for a message", "子流程的开始事件不能等待消息"),
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
    "not-plan": ('an ad-hoc subprocess needs diaodu:plan="true"', '即席子流程必须标明 diaodu:plan="true"'),
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
}


@dataclass(frozen=True)
class Problem:
    """One reason why a process cannot be executed; ``element`` is its id in the diagram."""

    element: str
    code: str
    what: str = ""

    def message(self, language: str) -> str:
        """The reason in ``zh`` or ``en``."""
        return _PROBLEMS[self.code][language == "zh"].format(what=self.what)


class ProcessNotExecutable(Rejected):
    """400: the process cannot be deployed; ``problems`` lists every reason."""

    code, status = "engine.process-not-executable", 400

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            problems=[
                {"element": p.element, "code": p.code, "en": p.message("en"), "zh": p.message("zh")} for p in problems
            ]
        )

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


class IncidentNotOpen(Rejected):
    """409: the incident was resolved before."""

    code, status = "engine.incident-not-open", 409
    en = "Incident {id} is not open."
    zh = "故障 {id} 已不在待处理状态。"
