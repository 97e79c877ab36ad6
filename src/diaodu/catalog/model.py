"""A release: the immutable set of catalogue data that a revision of an order is made under; and the tree type.

Names in expressions (FEEL) about a line: 订单项 (the item's characteristics), 动作, 销售品, 客户, 地址, 订单, 产品 (the
product as it is installed, for an existing one); also 上级 (the characteristics of the parent in the tree), 节点 (those
of the node), 设计 (the resources that the areas chose), 工作 (the kind of work), 值 and 参数 (a reported field and what
was asked for), 异常 (a failure: 代码, 类别, 次数, 效果, 网元). Each decision that the release pins is a function
of its name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from diaodu import feel
from diaodu.dmn.compile import Model

Text = Mapping[str, str]  # {"zh": …, "en": …}
Expressions = Mapping[str, feel.Expression]


class OnChange(StrEnum):
    """What a change of what an effect reads does to the effect."""

    IN_PLACE = "in_place"
    MAKE_BEFORE_BREAK = "make_before_break"
    BREAK_FIRST = "break_first"


class Performer(StrEnum):
    """Who does a kind of work."""

    SYSTEM = "system"  # a network element or another system, through an adapter
    AREA = "area"  # the inventory of an area
    PEOPLE = "people"  # somebody, through a worklist


class Handling(StrEnum):
    """What becomes of a failure: the 动作 of the policy ``fallout``."""

    RETRY = "retry"  # again by itself, after a growing pause
    WAIT = "wait"  # again by itself, after a pause
    REPAIR = "repair"  # by a person
    UNDO = "undo"  # the item is taken back
    ABORT = "abort"  # the order is


class CauseClass(StrEnum):
    """Of what sort the cause of a failure is."""

    TECHNICAL = "technical"
    BUSINESS = "business"
    DATA = "data"
    RESOURCE = "resource"
    CUSTOMER = "customer"


class Policy(StrEnum):
    """What an operator decides by an expression of its own; the names it may use are those about a line."""

    TARIFF = "tariff"  # a context of amounts, in 分
    DISCOUNT = "discount"  # a context, or null
    ORDER_LIMIT_HOURS = "order_limit_hours"
    WORK_LIMIT_MINUTES = "work_limit_minutes"  # 工作 is the kind of work
    WORK_ROLE = "work_role"  # which worklist: the role of 工作
    WORK_PRIORITY = "work_priority"  # 0 highest … 9
    RECALL_MINUTES = "recall_minutes"  # how long whoever is at 工作 may think about a recall (待撤回)
    NOTICE = "notice"  # the text to the customer; null: none
    CANCELLATION_NOTICE = "cancellation_notice"  # the same when an order was cancelled
    CANCELLATION_FEE = "cancellation_fee"  # in 分, for an item past its soft point of no return
    POSTPONE_KEEP_DAYS = "postpone_keep_days"  # how long a postponed item (缓装) keeps what is reserved for it
    FALLOUT = "fallout"  # what becomes of a failure (异常): a context of 动作, 延迟 (seconds), 角色, 时限 (minutes)


def plain(value: Any) -> Any:
    """A FEEL value as plain JSON: whole numbers as int, other numbers as float, dates and times as text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


@dataclass(frozen=True)
class Characteristic:
    """A characteristic that may be ordered."""

    name: str
    type: str  # number, string, boolean
    required: bool = False
    allowed: tuple[Any, ...] = ()
    default: Any = None
    unit: str | None = None


@dataclass(frozen=True)
class Offering:
    """What is sold: a product with its tariff, or a 套餐 of several with one discount policy."""

    id: str
    name: Text
    members: tuple[str, ...]  # offerings inside a 套餐; empty for a single product
    product: str | None
    tariff: Mapping[str, Any]
    discount: Mapping[str, Any] | None
    limit_hours: Mapping[str, int]  # urban, rural
    actions: tuple[str, ...]
    cancel_together: bool = False  # its parts are cancelled (撤单) all or none


@dataclass(frozen=True)
class Specification:
    """A product, service or resource specification; ``id`` is ``level/name``."""

    id: str
    name: Text
    characteristics: Mapping[str, Characteristic] = field(default_factory=dict)

    @property
    def level(self) -> str:
        """``product``, ``service`` or ``resource``."""
        return self.id.partition("/")[0]


@dataclass(frozen=True)
class DecompositionRule:
    """One line of the breakdown: a node of ``of`` yields a node of ``yields`` when the condition holds."""

    id: str
    of: str
    yields: str
    role: str  # main, additional, carries
    when: feel.Expression | None
    characteristics: Expressions
    shared: bool  # one thing for all users of the same group (an ONU for three services)
    reason: Text


@dataclass(frozen=True)
class Undo:
    """How an effect is taken back: by which kind of work, with which verb."""

    kind: str
    work: str
    after: tuple[str, ...] = ()  # undo kinds that must be confirmed first


@dataclass(frozen=True)
class EffectKind:
    """A kind of fact about the outside world (core rules §1.5)."""

    id: str
    of: str  # the specification of the thing it is about; empty for closing effects
    work: str
    element: feel.Expression | None
    params: Expressions
    reads: Expressions
    after: tuple[str, ...]
    on_change: OnChange
    undo: Undo | None
    recall: str
    ponr: str
    priority: int


@dataclass(frozen=True)
class FormField:
    """A field that a report must or may carry."""

    name: str
    type: str
    required: bool
    valid: feel.Expression | None  # 值 is the value, 参数 what was asked for
    message: Text


@dataclass(frozen=True)
class WorkKind:
    """A kind of work: who does it, within which limit, and what is reported per effect kind."""

    id: str
    name: Text
    performer: Performer
    role: str | None
    limit_minutes: int
    forms: Mapping[str, tuple[FormField, ...]]  # by effect kind
    on_site: bool = False  # at the customer's: it has appointments and shares visits


@dataclass(frozen=True)
class AuditRule:
    """A rule of 审核: refuses an item, or adds what the item lacks."""

    id: str
    offerings: frozenset[str]
    actions: frozenset[str]
    holds: feel.Expression  # true: nothing to do
    field: str
    value: feel.Expression
    message: Text
    mend: Text
    sets: Expressions  # instead of a refusal: characteristics to set on the item


COUNTER, DESIGN = "counter", "design"


@dataclass(frozen=True)
class ReturnReason:
    """Why work is sent back (退单), and to which earlier stage: COUNTER, a kind of work, or DESIGN.

    To the design goes what was reserved and does not work: it is marked, and another one is designed.
    """

    id: str
    name: Text
    work: frozenset[str]  # the kinds of work that may say so
    to: str


@dataclass(frozen=True)
class FailureCause:
    """A code by which other systems and people tell why something failed."""

    id: str
    cause_class: CauseClass
    name: Text


@dataclass(frozen=True)
class PinnedDecision:
    """A decision in the version that a release pins."""

    key: str
    n: int
    model: Model

    @cached_property
    def name(self) -> str:
        """The decision of the model that answers: the one of that key, else the only one."""
        names = [d.name for d in self.model.definitions.decisions]
        return self.key if self.key in names else names[0]


@dataclass(frozen=True)
class Release:
    """All of it, compiled."""

    id: int
    name: str
    offerings: Mapping[str, Offering]
    specifications: Mapping[str, Specification]
    rules: Mapping[str, tuple[DecompositionRule, ...]]  # by ``of``
    effects: Mapping[str, EffectKind]
    effects_of: Mapping[str, tuple[EffectKind, ...]]  # by specification
    work: Mapping[str, WorkKind]
    audit: tuple[AuditRule, ...]
    causes: Mapping[str, FailureCause]
    returns: Mapping[str, ReturnReason]
    closing: Mapping[str, EffectKind]  # archives and notices: asked for by name in the process
    processes: Mapping[str, str]  # intake, execution
    policies: Mapping[Policy, feel.Expression]
    decisions: Mapping[str, PinnedDecision]

    def tree_kinds(self) -> frozenset[str]:
        """The kinds of work that a plan may ask people and systems for."""
        areas = {w.id for w in self.work.values() if w.performer is Performer.AREA}
        undone = {e.undo.work for e in self.effects.values() if e.undo}
        return frozenset({e.work for e in self.effects.values()} | undone) - areas


@dataclass(frozen=True)
class ReleaseEntry:
    """A release in the list of all; ``decisions`` are the versions that it pins."""

    id: int
    name: str
    published_at: datetime
    effective_at: datetime
    decisions: Mapping[str, int] | None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "id": self.id,
            "name": self.name,
            "publishedAt": self.published_at.isoformat(),
            "effectiveAt": self.effective_at.isoformat(),
            "decisions": dict(self.decisions or {}),
        }


@dataclass(frozen=True)
class Node:
    """A node of the decomposition: a thing that will exist, with the rule that made it."""

    thing_id: int
    spec: str
    item_key: str
    group: str  # the top-level item: what belongs together
    parent: int | None
    role: str
    characteristics: Mapping[str, Any]
    rule: str | None
    reason: Text
    users: tuple[int, ...] = ()  # products that use a shared thing

    @property
    def level(self) -> str:
        """``product``, ``service`` or ``resource``."""
        return self.spec.partition("/")[0]


@dataclass(frozen=True)
class Tree:
    """The decomposition of a revision, parents before children."""

    nodes: tuple[Node, ...]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def document(self) -> list[dict[str, Any]]:
        """Plain JSON, as it is stored."""
        return [vars(n) | {"characteristics": dict(n.characteristics), "users": list(n.users)} for n in self.nodes]

    @staticmethod
    def parse(document: list[dict[str, Any]]) -> "Tree":
        """The tree of a stored document."""
        return Tree(tuple(Node(**(d | {"users": tuple(d["users"])})) for d in document))
