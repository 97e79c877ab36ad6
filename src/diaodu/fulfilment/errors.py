"""Refusals of the flow."""

from diaodu.kernel.errors import Rejected


class NothingFailed(Rejected):
    """409: only what failed is done again."""

    code, status = "fulfilment.nothing-failed", 409
    en = "Nothing in order {id} has failed; there is nothing to do again."
    zh = "订单 {id} 没有失败项，无需重做。"
