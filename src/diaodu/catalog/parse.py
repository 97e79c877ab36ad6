"""From a catalogue document (plain JSON or YAML data) to a compiled release; every problem is found at once."""

from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import Any, TypeVar

from diaodu import feel
from diaodu.catalog.model import (
    COUNTER,
    DESIGN,
    AuditRule,
    CauseClass,
    Characteristic,
    DecompositionRule,
    EffectKind,
    FailureCause,
    FormField,
    Offering,
    OnChange,
    Performer,
    PinnedDecision,
    Policy,
    Release,
    ReturnReason,
    Specification,
    Undo,
    WorkKind,
)
from diaodu.catalog.policies import DEFAULTS
from diaodu.catalog.problems import Problems

Entry = Mapping[str, Any]
NO_DECISIONS: Mapping[str, PinnedDecision] = MappingProxyType({})
T = TypeVar("T")


def parse_release(
    document: Mapping[str, Any],
    *,
    release_id: int,
    name: str,
    decisions: Mapping[str, PinnedDecision] = NO_DECISIONS,
) -> Release:
    """Compile a catalogue document with the decisions that it pins; BadCatalogue names every problem."""
    problems = Problems(decisions)

    def table(section: str, make: Callable[[Entry, Problems], T]) -> dict[str, T]:
        made: dict[str, T] = {}
        for n, entry in enumerate(document.get(section, []), 1):
            if not isinstance(entry, Mapping):
                problems.add(f"{section} {n}", "is no entry", "不是条目")
                continue
            place = f"{section} {entry.get('id', n)}"
            if entry.get("id") in made:
                problems.add(place, "stands twice", "重复出现")
            try:
                made[entry["id"]] = make(entry, problems)
            except KeyError as missing:
                problems.add(place, f"{missing} is missing", f"缺少 {missing}")
            except (ValueError, TypeError, AttributeError) as error:
                problems.add(place, str(error), f"取值无效（{error}）")
        return made

    specifications = table("specifications", _specification)
    rules = table("decomposition", _rule)
    effects = table("effects", _effect)
    release = Release(
        id=release_id,
        name=name,
        offerings=table("offerings", _offering),
        specifications=specifications,
        rules=_grouped(rules.values(), lambda r: r.of),
        effects=effects,
        effects_of=_grouped(effects.values(), lambda e: e.of),
        work=table("work", _work),
        audit=tuple(table("audit", _audit).values()),
        causes=table("causes", _cause),
        returns=table("returns", _return),
        closing=table("closing", _effect),
        processes=document.get("processes", {}),
        policies=_policies(document.get("policies", {}), problems),
        decisions=decisions,
    )
    _check_references(release, problems)
    problems.refuse()
    return release


def _grouped(entries: Iterable[T], key: Callable[[T], str]) -> dict[str, tuple[T, ...]]:
    groups: dict[str, list[T]] = {}
    for entry in entries:
        groups.setdefault(key(entry), []).append(entry)
    return {name: tuple(members) for name, members in groups.items()}


def _check_references(release: Release, problems: Problems) -> None:
    for o in release.offerings.values():
        problems.known(o.members, release.offerings, f"offering {o.id}")
        problems.known([o.product] if o.product else [], release.specifications, f"offering {o.id}")
    for rules in release.rules.values():
        for r in rules:
            problems.known([r.of, r.yields], release.specifications, f"decomposition {r.id}")
    _check_ends(release, problems)
    for e in release.effects.values():
        problems.known([e.of], release.specifications, f"effect {e.id}")
    for e in (*release.effects.values(), *release.closing.values()):
        problems.known([e.work, *([e.undo.work] if e.undo else [])], release.work, f"effect {e.id}")
        problems.known(e.after, release.effects, f"effect {e.id}")
    stages: dict[str, object] = {**release.work, COUNTER: None, DESIGN: None}
    for back in release.returns.values():
        problems.known([*sorted(back.work), back.to], stages, f"return reason {back.id}")
    for a in release.audit:
        problems.known(sorted(a.offerings), release.offerings, f"audit rule {a.id}")


def _check_ends(release: Release, problems: Problems) -> None:
    """A breakdown that comes back to where it began would never end."""
    yielded = {of: {r.yields for r in rules} for of, rules in release.rules.items()}
    try:
        TopologicalSorter(yielded).prepare()
    except CycleError as loop:
        way = " -> ".join(reversed(loop.args[1]))
        problems.add("decomposition", f"never ends, {way}", f"分解没有终点，{way}")


def _policies(texts: Mapping[str, Any], problems: Problems) -> dict[Policy, feel.Expression]:
    problems.known(list(texts), {str(p): p for p in Policy}, "policies")
    return {p: problems.required(texts.get(p, DEFAULTS[p]), f"policies.{p}") for p in Policy}


def _offering(e: Entry, problems: Problems) -> Offering:
    place = f"offering {e['id']}"
    limits = e.get("limit_hours", {"urban": 48, "rural": 72})
    if not all(isinstance(limits.get(where), (int, float)) for where in ("urban", "rural")):
        problems.add(place, "limit_hours needs urban and rural", "limit_hours 须有 urban 和 rural")
    return Offering(
        id=e["id"],
        name=problems.words(e["name"], f"{place}.name"),
        members=tuple(e.get("members", ())),
        product=e.get("product"),
        tariff=e.get("tariff", {}),
        discount=e.get("discount"),
        limit_hours=limits,
        actions=tuple(e.get("actions", ("add", "modify", "delete"))),
        cancel_together=bool(e.get("cancel_together", False)),
    )


def _specification(e: Entry, problems: Problems) -> Specification:
    listed = [
        Characteristic(
            name=c["name"],
            type=c.get("type", "string"),
            required=c.get("required", False),
            allowed=tuple(c.get("allowed", ())),
            default=c.get("default"),
            unit=c.get("unit"),
        )
        for c in e.get("characteristics", [])
    ]
    name = problems.words(e["name"], f"specification {e['id']}.name")
    return Specification(id=e["id"], name=name, characteristics={c.name: c for c in listed})


def _rule(e: Entry, problems: Problems) -> DecompositionRule:
    place = f"decomposition {e['id']}"
    return DecompositionRule(
        id=e["id"],
        of=e["of"],
        yields=e["yields"],
        role=e.get("role", "carries"),
        when=problems.expression(e.get("when"), place),
        characteristics=problems.expressions(e.get("characteristics"), place),
        shared=e.get("shared", False),
        reason=problems.words(e["reason"], f"{place}.reason"),
    )


def _effect(e: Entry, problems: Problems) -> EffectKind:
    place = f"effect {e['id']}"
    undo = e.get("undo")
    return EffectKind(
        id=e["id"],
        of=e.get("of", ""),
        work=e["work"],
        element=problems.expression(e.get("element"), place),
        params=problems.expressions(e.get("params"), place),
        reads=problems.expressions(e.get("reads"), place),
        after=tuple(e.get("after", ())),
        on_change=OnChange(e.get("on_change", "in_place")),
        undo=Undo(undo["kind"], undo["work"], tuple(undo.get("after", ()))) if undo else None,
        recall=e.get("recall", "never"),
        ponr=e.get("ponr", "none"),
        priority=int(e.get("priority", 5)),
    )


def _field(f: Entry, problems: Problems, place: str) -> FormField:
    return FormField(
        name=f["name"],
        type=f.get("type", "string"),
        required=f.get("required", False),
        valid=problems.expression(f.get("valid"), f"{place}.{f['name']}"),
        message=problems.words(
            f.get("message", {"zh": "取值无效", "en": "the value is not valid"}), f"{place}.{f['name']}.message"
        ),
    )


def _work(e: Entry, problems: Problems) -> WorkKind:
    place = f"work {e['id']}"
    forms = {kind: tuple(_field(f, problems, place) for f in fields) for kind, fields in e.get("forms", {}).items()}
    return WorkKind(
        id=e["id"],
        name=problems.words(e["name"], f"{place}.name"),
        performer=Performer(e["performer"]),
        role=e.get("role"),
        limit_minutes=int(e.get("limit_minutes", 60)),
        forms=forms,
        on_site=e.get("on_site", False),
    )


def _return(e: Entry, problems: Problems) -> ReturnReason:
    name = problems.words(e["name"], f"return reason {e['id']}.name")
    return ReturnReason(e["id"], name, frozenset(e["work"]), e["to"])


def _cause(e: Entry, problems: Problems) -> FailureCause:
    return FailureCause(e["id"], CauseClass(e["class"]), problems.words(e["name"], f"cause {e['id']}.name"))


def _audit(e: Entry, problems: Problems) -> AuditRule:
    place = f"audit rule {e['id']}"
    return AuditRule(
        id=e["id"],
        offerings=frozenset(e["offerings"]),
        actions=frozenset(e.get("actions", ("add", "modify", "delete"))),
        holds=problems.required(e["holds"], place),
        field=e["field"],
        value=problems.required(e.get("value", "null"), place),
        message=problems.words(e["message"], f"{place}.message"),
        mend=problems.words(e["mend"], f"{place}.mend"),
        sets=problems.expressions(e.get("sets"), place),
    )
