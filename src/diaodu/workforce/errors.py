"""Refusals of work orders."""

from diaodu.kernel.errors import Rejected


class NotYours(Rejected):
    """409: the task is not held by the person who reports on it."""

    code, status = "workforce.not-yours", 409
    en = "Work order {id} is not yours to do this with: it is {state}. Look at the worklist again."
    zh = "工单 {id} 当前状态为 {state},不由您处理。请刷新待办列表。"


class PersonNeeded(Rejected):
    """403: systems do not claim work of people."""

    code, status = "workforce.person-needed", 403
    en = "Only a person can claim or report on a work order; this token belongs to the system {name}."
    zh = "只有人员可以领取或回单,该令牌属于系统 {name}。"


class ReportIncomplete(Rejected):
    """400: an effect of the work order is missing in the report, or one is not of it."""

    code, status = "workforce.report-incomplete", 400
    en = "The report on work order {id} must name exactly these effects: {expected}; it names {given}."
    zh = "工单 {id} 的回单必须逐项填写:{expected};实际填写:{given}。"


class FormInvalid(Rejected):
    """400: a field of the report is missing or not valid."""

    code, status = "workforce.form-invalid", 400
    en = "Effect {effect}: field {field}: {message_en}."
    zh = "项目 {effect}:字段 {field}:{message_zh}。"


class NoRecall(Rejected):
    """409: nobody asked for the work order back."""

    code, status = "workforce.no-recall", 409
    en = "Work order {id} is not being recalled: carry on with it."
    zh = "工单 {id} 没有待撤回的内容，请继续施工。"


class RecallNotDue(Rejected):
    """409: the technician still has time to answer; then the dispatcher decides."""

    code, status = "workforce.recall-not-due", 409
    en = "The technician may answer the recall of work order {id} until {due}; decide after that."
    zh = "工单 {id} 的撤回询问在 {due} 前由施工人员答复，之后由调度员决定。"
