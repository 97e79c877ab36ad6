"""Refusals of the flow."""

from diaodu.kernel.errors import Rejected


class NothingFailed(Rejected):
    """409: only what failed is done again."""

    code, status = "fulfilment.nothing-failed", 409
    en = "Nothing in order {id} has failed; there is nothing to do again."
    zh = "订单 {id} 没有失败项，无需重做。"


class EvidenceMissing(Rejected):
    """400: what is done by hand must be shown."""

    code, status = "fulfilment.evidence-missing", 400
    en = "Say how {kind} was done by hand: send evidence.text or evidence.attachments."
    zh = "“{kind}”标记为人工完成须提供证据：请填写 evidence.text 或 evidence.attachments。"


class NotByHand(Rejected):
    """409: nobody can make this true by hand."""

    code, status = "fulfilment.not-by-hand", 409
    en = "{kind} ({id}) cannot be marked as done by hand. Do it again instead."
    zh = "“{kind}”（{id}）不能标记为人工完成，请改为重做。"


class FalloutTaken(Rejected):
    """409: somebody else works on it."""

    code, status = "fulfilment.fallout-taken", 409
    en = "Fallout {id} is with {assignee}. Ask them to give it back."
    zh = "异常单 {id} 正由 {assignee} 处理，请先由其退回。"


class InstantPast(Rejected):
    """400: one waits for what is to come."""

    code, status = "fulfilment.instant-past", 400
    en = "{until} has passed already. Name a later instant."
    zh = "时间 {until} 已过，请填写将来的时间。"


class BulkEmpty(Rejected):
    """409: nothing stands open for that cause."""

    code, status = "fulfilment.bulk-empty", 409
    en = "Nothing that failed for {cause} is open."
    zh = "没有因 {cause} 失败的待处理项。"


class BulkUnknown(Rejected):
    """409: a preview that is not one's own, too old, or another one."""

    code, status = "fulfilment.bulk-unknown", 409
    en = "Bulk operation {id} cannot be confirmed with this digest: look at a new preview, it is valid for an hour."
    zh = "批量操作 {id} 无法用该摘要确认：请重新预览，预览一小时内有效。"


class NothingToRedesign(Rejected):
    """409: no resource stands behind the work that was named."""

    code, status = "fulfilment.nothing-to-redesign", 409
    en = "No reserved resource of order {id} stands behind this work: there is nothing to replace."
    zh = "订单 {id} 的该项工作没有对应的预占资源，无可更换。"


class ReturnReasonUnknown(Rejected):
    """400: the catalogue has no such reason for this kind of work."""

    code, status = "fulfilment.return-reason-unknown", 400
    en = "{reason} is no reason to return work of kind {kind}. Possible: {possible}."
    zh = "{reason} 不是 {kind} 类工单的退单原因。可选：{possible}。"


class ReturnNotPossible(Rejected):
    """409: the order has no such earlier work."""

    code, status = "fulfilment.return-not-possible", 409
    en = "This work does not stand on any finished work of kind {to}: it cannot be returned there."
    zh = "该工作之前没有已完成的 {to} 类工作，不能退回该环节。"


class NothingAwaited(Rejected):
    """409: nobody waits for the customer's word about a cancellation."""

    code, status = "fulfilment.nothing-awaited", 409
    en = "Cancellation {id} does not wait for the customer's consent; look at its state."
    zh = "撤单请求 {id} 未在等待客户确认，请查看其状态。"


class NotWaiting(Rejected):
    """409: nothing of the order waits for this cause."""

    code, status = "fulfilment.not-waiting", 409
    en = "Nothing of order {id} waits for {cause}; there is nothing to resume."
    zh = "订单 {id} 没有因 {cause} 而等待的订单项，无需恢复。"


class NothingToHold(Rejected):
    """409: what was named has ended, is being cancelled or is closing."""

    code, status = "fulfilment.nothing-to-hold", 409
    en = "No item of order {id} that was named can wait now: {states}."
    zh = "订单 {id} 所选订单项现在不能暂停：{states}。"


class NothingReturned(Rejected):
    """409: nothing of the order waits for the counter."""

    code, status = "fulfilment.nothing-returned", 409
    en = "No work of order {id} was returned to the counter; there is nothing to clear."
    zh = "订单 {id} 没有退回前台的工作，无需处理。"


class PreacceptanceTooLong(Rejected):
    """400: resources are not held for so long."""

    code, status = "fulfilment.preacceptance-too-long", 400
    en = "Resources are held for {limit} minutes at most; asked for were {minutes}. Ask for less."
    zh = "资源最长预留 {limit} 分钟,申请为 {minutes} 分钟。请缩短预留时间。"


class PreacceptanceEnded(Rejected):
    """409: the time ran out before the customer said yes."""

    code, status = "fulfilment.preacceptance-ended", 409
    en = "Pre-acceptance {id} was held until {until} and has ended. Order again."
    zh = "预受理 {id} 的资源预留至 {until}，现已结束。请重新受理。"


class NothingReserved(Rejected):
    """409: only who holds something can give it back and wait for it."""

    code, status = "fulfilment.nothing-reserved", 409
    en = "Order {id} holds no resources that it could give back."
    zh = "订单 {id} 没有可释放的预占资源，不能转待装。"


class WorkBegun(Rejected):
    """409: something was built with the resources already."""

    code, status = "fulfilment.work-begun", 409
    en = "Order {id} has begun its work ({kinds}) and cannot go back to the waiting list. Return the work, or cancel."
    zh = "订单 {id} 已开始施工（{kinds}），不能转待装。请退单或撤单。"


class NotParked(Rejected):
    """409: only what was put on the waiting list by hand is resumed."""

    code, status = "fulfilment.not-parked", 409
    en = "Order {id} was not put on the waiting list by hand, or goes on already."
    zh = "订单 {id} 未被人工转待装，或已恢复。"


class ServiceUnknown(Rejected):
    """400: no offering is realised by such a service."""

    code, status = "fulfilment.service-unknown", 400
    en = "No offering is realised by the service '{service}'. Look up the specifications of the catalogue."
    zh = "没有销售品由服务“{service}”实现。请查询目录中的服务规格。"
