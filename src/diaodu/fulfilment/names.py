"""The names that the expressions of a release may use, in the words of those who write them; pure.

Each group also answers to the names of the code (``客户.level``), which older releases use.
"""

from collections.abc import Mapping
from typing import Any

from diaodu.catalog.model import Offering, WorkKind
from diaodu.ordering.model import Action

_CUSTOMER = {
    "编号": "code", "名称": "name", "类别": "category", "状态": "status", "联系电话": "phone", "帐户": "account",
}  # fmt: skip
_ADDRESS = {"编号": "id", "名称": "name", "局向": "area", "农村": "rural"}
# Levels are kept as "1" to "5".
STARS = {str(n): f"{zh}星" for n, zh in enumerate("一二三四五", 1)}
ACTIONS = {Action.ADD: "新装", Action.MODIFY: "变更", Action.DELETE: "拆机", Action.NO_CHANGE: "不变"}


def customer_names(customer: Mapping[str, Any]) -> dict[str, Any]:
    """客户; 级别 is 一星 to 五星, 类别 ``residential`` or ``business``."""
    level = customer.get("level")
    return {**customer, **_named(_CUSTOMER, customer), "级别": STARS.get(str(level), level)}


def address_names(address: Mapping[str, Any]) -> dict[str, Any]:
    """地址; 农村 is a boolean."""
    return {**address, **_named(_ADDRESS, address)}


def offering_names(offering: Offering) -> dict[str, Any]:
    """销售品; 资费 and 优惠 as they stand with the offering, 时限 in hours."""
    return {
        "编号": offering.id,
        "名称": offering.name["zh"],
        "资费": offering.tariff,
        "优惠": offering.discount,
        "时限": {"城区": offering.limit_hours["urban"], "农村": offering.limit_hours["rural"]},
    }


def work_names(work: WorkKind) -> dict[str, Any]:
    """工作; 时限 in minutes and 角色 as they stand with the kind of work."""
    return {"编号": work.id, "名称": work.name["zh"], "时限": work.limit_minutes, "角色": work.role}


def _named(names: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {zh: values.get(key) for zh, key in names.items()}
