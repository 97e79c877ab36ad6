"""The refusals of this room."""

from diaodu.kernel.errors import Rejected


class AddressUnknown(Rejected):
    """400: no standard address has this name or id."""

    code, status = "inventory.address-unknown", 400
    en = "The address '{address}' is not in the address library. Send its full standard name or its id."
    zh = "标准地址库中没有“{address}”。请填写到室的完整标准地址,或其地址编号。"


class AddressNotCovered(Rejected):
    """400: the address exists but no distribution box serves it."""

    code, status = "inventory.address-not-covered", 400
    en = "The address '{address}' has no fibre coverage. Choose a covered address, or ask for construction there."
    zh = "地址“{address}”没有光纤覆盖。请选择已覆盖的地址,或申请建设。"


class ProductUnknown(Rejected):
    """400: the product that an order names is not installed in this area."""

    code, status = "inventory.product-unknown", 400
    en = "There is no installed product {product}. Look up the customer's products and send one of their ids."
    zh = "不存在已安装的产品 {product}。请查询该客户的产品并填写其编号。"


class ProductTerminated(Rejected):
    """409: the product has ended; nothing more can be ordered on it."""

    code, status = "inventory.product-terminated", 409
    en = "Product {product} has ended. Order a new installation instead."
    zh = "产品 {product} 已拆机或取消。请改为新装。"


class ProductClaimed(Rejected):
    """409: another order is changing the product."""

    code, status = "inventory.product-claimed", 409
    en = "Product {product} is being changed by order {order}. Wait until that order ends, or cancel it."
    zh = "产品 {product} 正被订单 {order} 变更。请等待该订单结束,或先撤销它。"


class WantUnknown(Rejected):
    """400: a line asks for a kind of resource that the area does not have."""

    code, status = "inventory.want-unknown", 400
    en = "The area has no resources of kind '{want}'. Correct the catalogue: access, number, ip, onu, stb or router."
    zh = "本局没有“{want}”类资源。请更正目录,可用:access、number、ip、onu、stb、router。"


class RequestFailed(Rejected):
    """500: the request cannot be handled as it stands; the log has the trace."""

    code, status = "inventory.request-failed", 500
    en = "Request {request} to the area could not be handled: {fault}. Correct the order or ask the operator."
    zh = "对本局的资源请求 {request} 无法处理:{fault}。请更正订单或联系系统管理员。"


class ReservationExpired(Rejected):
    """409: the time of a soft reservation has run out."""

    code, status = "inventory.reservation-expired", 409
    en = "The reservation was held until {until} and has expired. Order again."
    zh = "资源预留至 {until}，现已到期释放。请重新受理。"
