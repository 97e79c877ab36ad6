"""What an operator decides by expressions, and what holds where his say nothing or something that does not fit."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from diaodu import feel
from diaodu.catalog.model import Handling, Policy, Release, plain

# From the values that stand with the offerings and kinds of work themselves.
DEFAULTS: Mapping[Policy, str] = {
    Policy.TARIFF: "销售品.资费",
    Policy.DISCOUNT: "销售品.优惠",
    Policy.ORDER_LIMIT_HOURS: "if 地址.农村 then 销售品.时限.农村 else 销售品.时限.城区",
    Policy.WORK_LIMIT_MINUTES: "工作.时限",
    Policy.WORK_ROLE: "工作.角色",
    Policy.WORK_PRIORITY: "5",
    Policy.RECALL_MINUTES: "30",
    Policy.NOTICE: """"尊敬的客户" + 客户.名称 + ",您订购的" + 销售品.名称
        + (if 动作 = "新装" then "已竣工" else if 动作 = "拆机" then "已拆机" else "变更已完成")
        + ",订单号 " + 订单.编号 + "。\"""",
    Policy.CANCELLATION_NOTICE: """"尊敬的客户" + 客户.名称 + ",您订购的" + 销售品.名称 + "已撤单,订单号 "
        + 订单.编号 + "。\"""",
    Policy.CANCELLATION_FEE: "0",
    Policy.POSTPONE_KEEP_DAYS: "30",
    Policy.FALLOUT: """{动作: if 异常.类别 = "technical" and 异常.次数 <= 3 then "retry" else "repair",
        延迟: 60, 角色: if 工作.角色 = null then "noc" else "dispatcher", 时限: 240}""",
}
_FALLBACK = {policy: feel.compile_expression(text) for policy, text in DEFAULTS.items()}
_NUMBER, _TEXT, _CONTEXT, _NOTHING = (int, float), (str,), (dict,), (type(None),)
_SHAPES: Mapping[Policy, tuple[type, ...]] = {
    Policy.TARIFF: _CONTEXT,
    Policy.DISCOUNT: (*_CONTEXT, *_NOTHING),
    Policy.ORDER_LIMIT_HOURS: _NUMBER,
    Policy.WORK_LIMIT_MINUTES: _NUMBER,
    Policy.WORK_ROLE: (*_TEXT, *_NOTHING),
    Policy.WORK_PRIORITY: (int,),
    Policy.RECALL_MINUTES: _NUMBER,
    Policy.NOTICE: (*_TEXT, *_NOTHING),
    Policy.CANCELLATION_NOTICE: (*_TEXT, *_NOTHING),
    Policy.CANCELLATION_FEE: (int,),
    Policy.POSTPONE_KEEP_DAYS: _NUMBER,
    Policy.FALLOUT: _CONTEXT,
}
_HANDLING: Mapping[str, tuple[type, ...]] = {"动作": _TEXT, "延迟": _NUMBER, "角色": _TEXT, "时限": _NUMBER}


def decide(release: Release, policy: Policy, names: Mapping[str, Any]) -> tuple[Any, bool]:
    """What a policy says as plain JSON, and whether it fitted; if not, it is what the release's own values say.

    An operator's slip must not stop an order, but it must be seen: the caller records it.
    """
    # A spent budget is a slip like any other.
    with suppress(feel.FeelError):
        value = plain(release.policies[policy].evaluate(names))
        if _fits(value, policy):
            return value, True
    return plain(_FALLBACK[policy].evaluate(names)), False


def _fits(value: Any, policy: Policy) -> bool:
    if policy is Policy.FALLOUT and isinstance(value, dict):
        parts = all(_is_one(value.get(name), kinds) for name, kinds in _HANDLING.items())
        return parts and value["动作"] in set(Handling)
    return _is_one(value, _SHAPES[policy])


def _is_one(value: Any, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    return not isinstance(value, (int, float)) or value >= 0
