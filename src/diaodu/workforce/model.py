"""Work orders and what is reported on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class WorkLine:
    """One effect that a work order carries."""

    effect: int
    kind: str
    item: str | None
    params: Mapping[str, Any]


@dataclass(frozen=True)
class WorkOrder:
    """A detail row of a human task; its state is a function of the task."""

    id: int  # that of the human task
    order_id: int
    kind: str
    lines: tuple[WorkLine, ...]
    release_id: int
    place: Mapping[str, Any]


@dataclass(frozen=True)
class EffectOutcome:
    """What a technician reports of one effect."""

    effect_id: int
    ok: bool
    data: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True)
class WorkReport:
    """A report on a work order; ``report_id`` is made by the client, so that it enters once."""

    work_order_id: int
    report_id: str
    outcomes: tuple[EffectOutcome, ...]
