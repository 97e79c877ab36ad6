"""Refusals of orders."""

from diaodu.kernel.errors import Rejected


class OrderEmpty(Rejected):
    """400: no item."""

    code, status = "ordering.no-item", 400
    en = "The order has no productOrderItem. Send at least one."
    zh = "订单没有订单项(productOrderItem)。请至少填写一项。"


class ItemKeyRepeated(Rejected):
    """400: two items with one id."""

    code, status = "ordering.item-id-repeated", 400
    en = "The item id {item} stands twice. Give each item its own id."
    zh = "订单项编号 {item} 重复。请为每个订单项使用不同编号。"


class ActionNotOffered(Rejected):
    """400: the offering does not allow the action."""

    code, status = "ordering.action-not-offered", 400
    en = "Item {item}: the action {action} is not possible for {offering}. Possible: {possible}."
    zh = "订单项 {item}:销售品 {offering} 不支持动作 {action}。可用:{possible}。"


class BundleMismatch(Rejected):
    """400: the children of a 套餐 item are not its members."""

    code, status = "ordering.bundle-mismatch", 400
    en = "Item {item}: the bundle {offering} consists of {members}; the item lists {given}."
    zh = "订单项 {item}:套餐 {offering} 由 {members} 组成,而订单填写的是 {given}。"


class CharacteristicUnknown(Rejected):
    """400: no such characteristic."""

    code, status = "ordering.characteristic-unknown", 400
    en = "Item {item}: {offering} has no characteristic {name}. It has: {known}."
    zh = "订单项 {item}:{offering} 没有属性 {name}。可填属性:{known}。"


class CharacteristicImpossible(Rejected):
    """400: a value that cannot be."""

    code, status = "ordering.characteristic-impossible", 400
    en = "Item {item}: {value} is not possible for {name}. Possible: {possible}."
    zh = "订单项 {item}:属性 {name} 不能取值 {value}。可取:{possible}。"


class CharacteristicMissing(Rejected):
    """400: a required value is missing."""

    code, status = "ordering.characteristic-missing", 400
    en = "Item {item}: the characteristic {name} is required. Possible: {possible}."
    zh = "订单项 {item}:缺少必填属性 {name}。可取:{possible}。"


class AddressMissing(Rejected):
    """400: a new service needs a place."""

    code, status = "ordering.address-missing", 400
    en = "Item {item}: an installation address is required. Send product.place with the id or the full address."
    zh = "订单项 {item}:缺少装机地址。请在 product.place 中填写地址编号或完整地址。"


class CustomerMissing(Rejected):
    """400: whose order is it."""

    code, status = "ordering.customer-missing", 400
    en = "The order names no customer. Send relatedParty with role 'customer' and the customer's id."
    zh = "订单未指明客户。请在 relatedParty 中以角色 customer 填写客户编号。"


class ProductMissing(Rejected):
    """400: modify and delete act on a product."""

    code, status = "ordering.product-missing", 400
    en = "Item {item}: the action {action} needs product.id, an active product of the customer."
    zh = "订单项 {item}:动作 {action} 需要 product.id,且须为该客户的在用产品。"


class QuantityNotPossible(Rejected):
    """400: one item, one product."""

    code, status = "ordering.quantity", 400
    en = "Item {item}: quantity {quantity} is not possible; send one item for each product."
    zh = "订单项 {item}:数量 {quantity} 不可用,请为每个产品各填一个订单项。"


class KeyReused(Rejected):
    """409: the same key with other content."""

    code, status = "ordering.key-reused", 409
    en = "The key {key} was used for order {id} with other content. Use a new key for a new order."
    zh = "幂等键 {key} 已用于订单 {id},且内容不同。新订单请使用新的键。"


class OrderNotAmendable(Rejected):
    """409: a change that the order's state does not allow."""

    code, status = "ordering.order-not-amendable", 409
    en = "Order {id} is {state}: its items cannot be changed now."
    zh = "订单 {id} 状态为 {state},现在不能修改订单项。"


class ItemAmbiguous(Rejected):
    """409: an amendment names an item that is another one."""

    code, status = "ordering.item-ambiguous", 409
    en = (
        "Item {item}: the order knows it as item {known} ({action} {offering}). Send it with that action and offering,"
        " or give a new item an id of its own."
    )
    zh = (
        "订单项 {item}：订单中已有的是订单项 {known}（{action} {offering}）。请按原动作和销售品提交，"
        "或为新订单项使用新的编号。"
    )


class ItemNotAmendable(Rejected):
    """409: a change of an item that has gone too far."""

    code, status = "ordering.item-not-amendable", 409
    en = (
        "Item {item} is {state}, its point of no return: {ponr}. It cannot be changed or taken out now. Cancel it, or"
        " order the change of the product as a new order when this one has ended; what was taken out comes back as an"
        " item with a new id."
    )
    zh = (
        "订单项 {item} 状态为 {state}，不可回退点：{ponr}，现在不能变更或去掉。请对其撤单，"
        "或在本订单竣工后另行受理产品变更；已去掉的内容请用新的订单项编号重新添加。"
    )


class RevisionTaken(Rejected):
    """409: another revision came first."""

    code, status = "ordering.revision-taken", 409
    en = (
        "Revision {n} of order {id} was made by {by} at {at} and is {state}. Read the order again and send your change"
        " on top of it, naming revision {n} as the base."
    )
    zh = "订单 {id} 的第 {n} 版已由 {by} 于 {at} 提交，状态为 {state}。请重新读取订单，以第 {n} 版为基础再提交变更。"


class ItemUnknown(Rejected):
    """404: the order has no such item."""

    code, status = "ordering.item-unknown", 404
    en = "Order {id} has no item {item}. Its items: {known}."
    zh = "订单 {id} 没有订单项 {item}。其订单项：{known}。"


class StateFollows(Rejected):
    """409: nobody says which state an order is in."""

    code, status = "ordering.state-follows", 409
    en = (
        "Order {id} is {state}; it cannot be made {asked} by PATCH, because the state follows from the work. Cancel it"
        " with cancelProductOrder, postpone or suspend it at /diaodu-api/fulfilment/v1/order/{id}."
    )
    zh = (
        "订单 {id} 状态为 {state}，不能用 PATCH 改为 {asked}：状态由施工情况决定。撤单请用 cancelProductOrder，"
        "缓装或挂起请用 /diaodu-api/fulfilment/v1/order/{id}。"
    )
