"""What each simulated system demands of a record before it takes it, as real ones do. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diaodu.simulators.messages import Params, Refused


@dataclass(frozen=True, slots=True)
class Identity:
    """What a record is known by inside its system."""

    element: str
    kind: str
    subject: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A name that belongs to one subscriber within `scope`.

    Records of several kinds may share the name if no two of them carry different LOIDs; records of one kind never do.
    """

    scope: str
    name: str
    loid: str
    code: str


@dataclass(frozen=True, slots=True)
class Need:
    """A name that must be claimed already."""

    scope: str
    name: str
    code: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What a record takes hold of and what it builds on."""

    claims: tuple[Claim, ...] = ()
    needs: tuple[Need, ...] = ()


Rule = Callable[[Identity, Params], Terms]


def olt(identity: Identity, params: Params) -> Terms:
    """A port (`port`, else the subject) serves one subscriber; parameters named *vlan* and *speed* are in range."""
    for name, value in params.items():
        if "vlan" in name and not (_is_whole(value) and 1 <= value <= 4094):
            raise Refused("vlan-out-of-range", field=name, value=value)
        if "speed" in name and not (_is_number(value) and value > 0):
            raise Refused("speed-not-positive", field=name, value=value)
    return Terms((Claim(identity.element, _name(identity, params, "port"), _loid(params), "port-taken"),))


def aaa(identity: Identity, params: Params) -> Terms:
    """An account (`account`, else the subject) is opened once, for one LOID."""
    loid = _required_loid(params)
    return Terms((Claim("account", _name(identity, params, "account"), loid, "duplicate-account"),))


def ims(identity: Identity, params: Params) -> Terms:
    """A number (`number`, else the subject) is registered once."""
    return Terms((Claim("number", _name(identity, params, "number"), _loid(params), "number-registered"),))


def iptv(identity: Identity, params: Params) -> Terms:
    """Kind `iptv.account` opens an account (`account`, else the subject); every other kind needs an opened one."""
    account = _name(identity, params, "account")
    if identity.kind == "iptv.account":
        return Terms((Claim("account", account, _loid(params), "duplicate-account"),))
    return Terms(needs=(Need("account", account, "unknown-account"),))


def itms(_identity: Identity, params: Params) -> Terms:
    """A terminal is found by its LOID."""
    _required_loid(params)
    return Terms()


def billing(_identity: Identity, params: Params) -> Terms:
    """An archive names `offering`, `account`, `effective_date` (ISO); tariff and discount are stored as they come."""
    _text(params, "offering")
    _text(params, "account")
    _iso("effective_date", _text(params, "effective_date"))
    return Terms()


def sla(_identity: Identity, params: Params) -> Terms:
    """`due` holds at least one ISO instant: one text, a list of them, or an object name -> instant."""
    due = params.get("due")
    instants = list(due.values()) if isinstance(due, dict) else due if isinstance(due, list) else [due]
    if not due:
        raise Refused("missing-parameter", field="due")
    for instant in instants:
        _iso("due", instant, with_time=True)
    return Terms()


def sms(_identity: Identity, params: Params) -> Terms:
    """A message has a `number` and a `text`; it is delivered by being stored."""
    number = _text(params, "number")
    _text(params, "text")
    if not number.removeprefix("+").isdecimal():
        raise Refused("invalid-parameter", field="number", value=number)
    return Terms()


RULES: dict[str, Rule] = {
    "aaa": aaa,
    "billing": billing,
    "ims": ims,
    "iptv": iptv,
    "itms": itms,
    "olt": olt,
    "sla": sla,
    "sms": sms,
}


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(params: Params, name: str) -> str:
    value = params.get(name)
    if value is None or value == "":
        raise Refused("missing-parameter", field=name)
    if not isinstance(value, str):
        raise Refused("invalid-parameter", field=name, value=value)
    return value


def _name(identity: Identity, params: Params, name: str) -> str:
    return _text(params, name) if name in params else identity.subject


def _loid(params: Params) -> str:
    return _text(params, "loid") if "loid" in params else ""


def _required_loid(params: Params) -> str:
    if not params.get("loid"):
        raise Refused("missing-loid")
    return _text(params, "loid")


def _iso(name: str, value: Any, *, with_time: bool = False) -> None:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise Refused("invalid-parameter", field=name, value=value) from error
    if with_time and ":" not in value:
        raise Refused("invalid-parameter", field=name, value=value)
