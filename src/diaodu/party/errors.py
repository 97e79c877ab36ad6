"""The refusals of this room."""

from diaodu.kernel.errors import Rejected


class CustomerUnknown(Rejected):
    """400: the customer that an order names does not exist."""

    code, status = "party.customer-unknown", 400
    en = "There is no customer {customer}. Send the id or code of an existing customer, or create it first."
    zh = "客户 {customer} 不存在。请填写已有客户的编号,或先建立客户。"


class CustomerCodeTaken(Rejected):
    """409: another customer has this code."""

    code, status = "party.customer-code-taken", 409
    en = "Customer code {customer} is taken. Use that customer, or choose another code."
    zh = "客户编码 {customer} 已被使用。请使用该客户,或另选编码。"
