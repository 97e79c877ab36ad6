"""What a release that is to be published may name in its expressions; one that was published is taken as it is."""

from collections.abc import Iterable, Iterator

from diaodu import feel
from diaodu.catalog.model import EffectKind, PinnedDecision, Policy, Release
from diaodu.catalog.problems import Problems
from diaodu.feel import ast

LINE = frozenset(("订单项", "动作", "销售品", "客户", "地址", "产品", "订单"))
_EFFECT = LINE | {"节点", "设计"}
_WORK = LINE | {"工作"}
_FORM = frozenset(("值", "参数"))
_OF_POLICIES = {
    Policy.WORK_LIMIT_MINUTES: _WORK,
    Policy.WORK_ROLE: _WORK,
    Policy.WORK_PRIORITY: _WORK,
    Policy.RECALL_MINUTES: _WORK,
    Policy.FALLOUT: _WORK | {"异常"},
}


def check_names(release: Release) -> None:
    """BadCatalogue names every expression that reads a name nobody gives it, or asks a decision in a wrong way."""
    problems = Problems(())
    for stage in ("intake", "execution"):
        if not isinstance(release.processes.get(stage), str):
            problems.add("processes", f"{stage} is missing", f"缺少 {stage}")
    for place, expression, given in _expressions(release):
        problems.known(sorted(expression.names), dict.fromkeys(given | release.decisions.keys()), place)
        for decision, arguments in _calls(expression.tree, release):
            names = [item.name for item in decision.model.inputs(decision.name)]
            fits = sorted(arguments) == sorted(names) if isinstance(arguments, list) else arguments == len(names)
            if not fits:
                wanted = ", ".join(names)
                problems.add(place, f"{decision.key} takes ({wanted})", f"{decision.key} 的参数应为（{wanted}）")
    problems.refuse()


def _calls(node: ast.Node, release: Release) -> Iterator[tuple[PinnedDecision, int | list[str]]]:
    """The decisions that a tree asks: with how many arguments, or with which names."""
    if isinstance(node, (ast.Call, ast.NamedCall)) and isinstance(node.function, ast.Name):
        decision = release.decisions.get(node.function.name)
        if decision is not None and isinstance(node, ast.NamedCall):
            yield decision, [name for name, _ in node.arguments]
        elif decision is not None:
            yield decision, len(node.arguments)
    for child in ast.children(node):
        yield from _calls(child, release)


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
        yield f"policies.{policy}", expression, _OF_POLICIES.get(policy, LINE)


def _of_effect(effect: EffectKind) -> list[feel.Expression | None]:
    return [effect.element, *effect.params.values(), *effect.reads.values()]


def _placed(place: str, expressions: Iterable[feel.Expression | None], given: frozenset[str]) -> Iterator[Placed]:
    return ((place, e, given) for e in expressions if e is not None)
