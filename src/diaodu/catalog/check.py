"""What a release that is to be published may name in its expressions; one that was published is taken as it is."""

from collections.abc import Iterable, Iterator

from diaodu import feel
from diaodu.catalog.errors import BadCatalogue
from diaodu.catalog.model import EffectKind, Policy, Release

LINE = frozenset(("订单项", "动作", "销售品", "客户", "地址", "产品", "订单"))
_EFFECT = LINE | {"节点", "设计"}
_WORK = LINE | {"工作"}
_FORM = frozenset(("值", "参数"))
_WORK_POLICIES = (Policy.WORK_LIMIT_MINUTES, Policy.WORK_ROLE, Policy.WORK_PRIORITY)


def check_names(release: Release) -> None:
    """BadCatalogue names every expression that reads a name nobody gives it."""
    problems = [
        f"{place}: unknown name {name!r}"
        for place, expression, given in _expressions(release)
        for name in sorted(expression.names - given - release.decisions.keys())
    ]
    if problems:
        raise BadCatalogue(problems="; ".join(problems))


Placed = tuple[str, feel.Expression, frozenset[str]]


def _expressions(release: Release) -> Iterator[Placed]:
    for rule in (r for rules in release.rules.values() for r in rules):
        yield from _placed(f"decomposition {rule.id}", [rule.when, *rule.characteristics.values()], LINE | {"上级"})
    for effect in release.effects.values():
        yield from _placed(f"effect {effect.id}", _of_effect(effect), _EFFECT)
    for closing in release.closing.values():
        yield from _placed(f"effect {closing.id}", _of_effect(closing), LINE)
    for work in release.work.values():
        fields = [f for form in work.forms.values() for f in form]
        yield from _placed(f"work {work.id}", [f.valid for f in fields], _FORM)
    for audit in release.audit:
        yield from _placed(f"audit rule {audit.id}", [audit.holds, audit.value, *audit.sets.values()], LINE)
    for policy, expression in release.policies.items():
        yield f"policies.{policy}", expression, _WORK if policy in _WORK_POLICIES else LINE


def _of_effect(effect: EffectKind) -> list[feel.Expression | None]:
    return [effect.element, *effect.params.values(), *effect.reads.values()]


def _placed(place: str, expressions: Iterable[feel.Expression | None], given: frozenset[str]) -> Iterator[Placed]:
    return ((place, e, given) for e in expressions if e is not None)
