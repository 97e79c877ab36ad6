"""Refusals of the flow."""

from diaodu.kernel.errors import Rejected


class NotFailed(Rejected):
    """409: only what failed is done again."""

    code, status = "fulfilment.not-failed", 409
    en = "Effect {id} is {state}: only a failed one can be done again."
    zh = "项目 {id} 状态为 {state}，只有失败的项目才能重做。"
