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


class NoAppointment(Rejected):
    """404: there is no such appointment."""

    code, status = "workforce.no-appointment", 404
    en = "There is no appointment {id}."
    zh = "不存在预约 {id}。"


class BadWindow(Rejected):
    """400: the window of an appointment ends before it begins, or has passed."""

    code, status = "workforce.bad-window", 400
    en = "An appointment needs a window that begins before it ends and has not passed; this one is {start} to {end}."
    zh = "预约时段须先开始后结束且尚未过去，收到的是 {start} 至 {end}。"


class StatusNotSettable(Rejected):
    """409: nobody sets this status."""

    code, status = "workforce.status-not-settable", 409
    en = "The status {status} cannot be set. Possible: {allowed}."
    zh = "不能设置状态 {status}，可以设置：{allowed}。"


class VisitNotPossible(Rejected):
    """409: these work orders cannot be one visit."""

    code, status = "workforce.visit-not-possible", 409
    en = "These work orders cannot share a visit: {why_en}."
    zh = "这些工单不能合并上门：{why_zh}。"


class NotInVisit(Rejected):
    """409: the work order carries no visit."""

    code, status = "workforce.not-in-visit", 409
    en = "Work order {id} belongs to no visit."
    zh = "工单 {id} 不在任何合并上门中。"


class NotSplittable(Rejected):
    """409: a split must move some, but not all, of what the work order carries."""

    code, status = "workforce.not-splittable", 409
    en = "Name some, but not all, of what work order {id} carries: {carried}."
    zh = "拆分须选择工单 {id} 的部分项目（不能为空或全部）：{carried}。"


class NotMergeable(Rejected):
    """409: only work orders of one order and one kind become one."""

    code, status = "workforce.not-mergeable", 409
    en = "Work order {id} takes in only other work orders of the same order and kind; use a visit for several orders."
    zh = "工单 {id} 只能并入同一订单、同一类型的其他工单；跨订单请使用合并上门。"
