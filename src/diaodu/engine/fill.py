"""What each kind of element says about itself, read into the fields of its node."""

from collections.abc import Callable, Mapping, Sequence

from diaodu.engine.drafts import SOME_DAY, Draft, Notes
from diaodu.engine.elements import EXTENSION, LINK, MODEL, local_name
from diaodu.engine.graph import ACTIVITIES, Flow, Kind, Timer, Trigger
from diaodu.engine.mapping import read_loop, read_mapping
from diaodu.engine.model import EXTERNAL
from diaodu.engine.times import cycle_of, is_duration

Drafts = Sequence[Draft]


def fill(notes: Notes, draft: Draft, drafts: Drafts, by_id: Mapping[str, int]) -> None:
    """Read what a node says about itself."""
    if draft.kind is Kind.BOUNDARY:
        _attach(notes, draft, drafts, by_id)
    elif draft.kind is Kind.START:
        _start(notes, draft, drafts)
    if draft.trigger is not Trigger.NONE:
        _TRIGGERS[draft.trigger](notes, draft)
    if (special := _KINDS.get(draft.kind)) is not None:
        special(notes, draft, drafts)
    if draft.kind in ACTIVITIES or draft.element.find(MODEL + "extensionElements") is not None:
        read_mapping(notes, draft)
    if draft.kind in ACTIVITIES:
        draft.fields["loop"] = read_loop(notes, draft)


# Events -------------------------------------------------------------------------------------------------------


def _start(notes: Notes, draft: Draft, drafts: Drafts) -> None:
    element, scope = draft.element, draft.scope
    outer = drafts[scope].kind if scope >= 0 else Kind.PROCESS
    interrupting = element.get("isInterrupting", "true") == "true"
    if outer is Kind.EVENT_SUBPROCESS:
        wrong = draft.trigger is Trigger.NONE or (draft.trigger is Trigger.ERROR and not interrupting)
        draft.fields["interrupting"] = interrupting
    elif outer is Kind.PROCESS:
        wrong = draft.trigger in (Trigger.ERROR, Trigger.ESCALATION) or not interrupting
    else:
        wrong = draft.trigger is not Trigger.NONE or not interrupting
    if wrong:
        notes.problem(element, "wrong-start", f"{draft.trigger.name.lower()}{'' if interrupting else ', parallel'}")


def _attach(notes: Notes, draft: Draft, drafts: Drafts, by_id: Mapping[str, int]) -> None:
    element = draft.element
    host = by_id.get(element.get("attachedToRef") or "")
    if host is None or drafts[host].scope != draft.scope or drafts[host].kind not in ACTIVITIES:
        notes.problem(element, "bad-reference", str(element.get("attachedToRef")))
        return
    if local_name(drafts[host].element).endswith("Event"):
        notes.problem(element, "bad-host", str(element.get("attachedToRef")))
    draft.fields["attached"] = host
    draft.fields["interrupting"] = element.get("cancelActivity", "true") != "false"
    if draft.trigger is Trigger.ERROR and not draft.fields["interrupting"]:
        notes.problem(element, "unsupported-attribute", 'cancelActivity="false"')
    fields = drafts[host].fields
    fields["boundary"] = (*fields.get("boundary", ()), draft.index)


def _message(notes: Notes, draft: Draft) -> None:
    reference = draft.event.get("messageRef")
    name = notes.messages.get(reference)
    if not name:
        notes.problem(draft.element, "bad-reference", f"messageRef {reference}")
    draft.fields["event"] = name or ""
    key = draft.element.get(EXTENSION + "key")
    if key is not None and (expression := notes.feel(draft.element, key)) is not None:
        draft.fields["key"] = expression


def _signal(notes: Notes, draft: Draft) -> None:
    reference = draft.event.get("signalRef")
    name = notes.signals.get(reference)
    if not name:
        notes.problem(draft.element, "bad-reference", f"signalRef {reference}")
    draft.fields["event"] = name or ""


def _code(notes: Notes, draft: Draft) -> None:
    """An error or an escalation; without a reference a start or boundary event catches every code."""
    error = draft.trigger is Trigger.ERROR
    name = "errorRef" if error else "escalationRef"
    reference = draft.event.get(name)
    if reference is None and draft.kind in (Kind.BOUNDARY, Kind.START):
        return
    code = (notes.errors if error else notes.escalations).get(reference)
    if not code:
        notes.problem(draft.element, "bad-reference", f"{name} {reference}")
    draft.fields["event"] = code or ""


def _timer(notes: Notes, draft: Draft) -> None:
    given = [c for c in draft.event if local_name(c) in ("timeDate", "timeDuration", "timeCycle")]
    if len(given) != 1:
        notes.problem(draft.element, "missing", "timeDate | timeDuration | timeCycle")
        return
    name, text = local_name(given[0]), (given[0].text or "").strip()
    calendar = draft.element.get(EXTENSION + "calendar") or ""
    if calendar and name != "timeDuration":
        notes.problem(draft.element, "unsupported-attribute", f"diaodu:calendar, {name}")
    if name != "timeCycle":
        value = notes.moment(given[0], text)
        if calendar and isinstance(value, str) and not is_duration(value):
            notes.problem(draft.element, "bad-timer", value)
    else:
        value = notes.value(given[0], text)
        if draft.kind is Kind.CATCH:
            notes.problem(draft.element, "unsupported", "timeCycle")
        if isinstance(value, str) and not text.startswith("="):
            try:
                cycle_of(value, SOME_DAY)
            except (ValueError, OverflowError):
                notes.problem(draft.element, "bad-timer", value)
    draft.fields["timer"] = Timer(value, name == "timeCycle", calendar)


_TRIGGERS: Mapping[Trigger, Callable[[Notes, Draft], None]] = {
    Trigger.MESSAGE: _message,
    Trigger.SIGNAL: _signal,
    Trigger.ERROR: _code,
    Trigger.ESCALATION: _code,
    Trigger.TIMER: _timer,
}


def link(notes: Notes, drafts: Drafts, first: int) -> None:
    """Make a flow of each pair of link events; ``first`` is the first free flow number."""
    links = [d for d in drafts if d.element.find(MODEL + LINK) is not None]
    ends: dict[tuple[int, str | None, bool], list[Draft]] = {}
    for draft in links:
        ends.setdefault((draft.scope, draft.event.get("name"), _throws(draft)), []).append(draft)
    for index, draft in enumerate(links):
        name = draft.event.get("name")
        others = ends.get((draft.scope, name, not _throws(draft)), [])
        if not name or not others or (_throws(draft) and len(others) > 1):
            notes.problem(draft.element, "bad-link", str(name))
        elif _throws(draft):
            draft.flows.append(Flow(first + index, others[0].index, None))
            others[0].incoming.append(first + index)


def _throws(draft: Draft) -> bool:
    return local_name(draft.element) == "intermediateThrowEvent"


# Tasks --------------------------------------------------------------------------------------------------------


def _script(notes: Notes, draft: Draft, _drafts: Drafts) -> None:
    script, language = draft.element.find(MODEL + "script"), draft.element.get("scriptFormat") or "feel"
    if "feel" not in language.lower():
        notes.problem(draft.element, "unsupported-attribute", f'scriptFormat="{language}"')
        return
    draft.fields["script"] = notes.feel(draft.element, None if script is None else script.text)
    draft.fields["result"] = draft.element.get(EXTENSION + "result") or ""


def _rule(notes: Notes, draft: Draft, _drafts: Drafts) -> None:
    draft.fields["type"] = notes.needed(draft.element, "decision")
    draft.fields["result"] = draft.element.get(EXTENSION + "result") or ""


def _service(notes: Notes, draft: Draft, _drafts: Drafts) -> None:
    topic = draft.element.get(EXTENSION + "topic") or ""
    notes.short(draft.element, topic)
    draft.fields["type"] = EXTERNAL if topic else notes.needed(draft.element, "type")
    settings: dict[str, str] = {"topic": topic} if topic else {}
    text = draft.element.get(EXTENSION + "settings") or ""
    for part in filter(None, (p.strip() for p in text.split(";"))):
        name, sign, value = part.partition("=")
        if not sign:
            notes.problem(draft.element, "missing", f"'=' in diaodu:settings '{part}'")
        settings[name.strip()] = value.strip()
    draft.fields["settings"] = settings


def _user(notes: Notes, draft: Draft, drafts: Drafts) -> None:
    element = draft.element
    if draft.scope >= 0 and drafts[draft.scope].kind is Kind.STAGE and not draft.incoming:
        # Its driver says all of this, and starts it as one task.
        for tag in ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics", "dataInputAssociation"):
            if element.find(MODEL + tag) is not None:
                notes.problem(element, "unsupported", tag)
        if element.find(f"{MODEL}extensionElements/{EXTENSION}input") is not None:
            notes.problem(element, "unsupported", "diaodu:input")
        return
    for name, fallback in (("pool", "0" if notes.lenient else ""), ("priority", "50")):
        text = element.get(EXTENSION + name) or fallback
        value = notes.value(element, text)
        if not text:
            notes.problem(element, "missing", "diaodu:pool")
        elif isinstance(value, str) and not value.strip().isdigit():
            notes.problem(element, "bad-value", value)
        draft.fields[name] = value
    draft.fields["due"] = notes.moment(element, element.get(EXTENSION + "due") or "P1D")


def _called(notes: Notes, draft: Draft, _drafts: Drafts) -> None:
    element = draft.element
    key, version = element.get("calledElement") or "", element.get(EXTENSION + "version")
    if not key:
        notes.problem(element, "missing", "calledElement")
    prefix, _, name = key.rpartition(":")
    # A QName: its prefix names the file's own namespace.
    draft.fields["called"] = notes.value(element, name if prefix and not key.startswith("=") else key)
    if version is not None:
        if not version.isdigit():
            notes.problem(element, "bad-value", version)
        draft.fields["version"] = int(version) if version.isdigit() else None


def _events(notes: Notes, draft: Draft, drafts: Drafts) -> None:
    for flow in draft.flows:
        target = drafts[flow.target]
        waits = target.kind is Kind.CATCH and len(target.incoming) == 1
        # The gateway waits in their place, so they cannot do it several times or with variables of their own.
        more = [c for c in target.element.iter() if "oopCharacteristics" in str(c.tag) or c.tag == EXTENSION + "input"]
        if not waits or more or target.element.get("id") in notes.hosts:
            notes.problem(draft.element, "bad-target", str(target.element.get("id")))


# Scopes -------------------------------------------------------------------------------------------------------


def _locals(notes: Notes, draft: Draft) -> tuple[str, ...]:
    """The variables of a subprocess's own data objects and properties."""
    own = {e.get("id") for tag in ("dataObject", "property") for e in draft.element.findall(MODEL + tag)}
    references = [e for e in draft.element.findall(MODEL + "dataObjectReference") if e.get("dataObjectRef") in own]
    # What is drawn is the reference: it names the object.
    shown = own - {e.get("dataObjectRef") for e in references} | {e.get("id") for e in references}
    return tuple(sorted({notes.data[key] for key in shown if key in notes.data}))


def _inside(notes: Notes, draft: Draft, drafts: Drafts) -> None:
    draft.fields["own"] = _locals(notes, draft)
    starts = [d.index for d in draft.inner if d.kind is Kind.START]
    if len(starts) != 1:
        notes.problem(draft.element, "no-start", str(len(starts)))
    draft.fields["entries"] = tuple(starts)
    if draft.kind is Kind.EVENT_SUBPROCESS and starts:
        holder = drafts[draft.scope] if draft.scope >= 0 else None
        if holder is not None and holder.kind in (Kind.STAGE, Kind.ADHOC):
            notes.problem(draft.element, "unsupported", "subProcess triggeredByEvent")
        if holder is not None:
            holder.fields["handlers"] = (*holder.fields.get("handlers", ()), starts[0])
        if draft.incoming or draft.flows:
            notes.problem(draft.element, "into-start")


def _entries(draft: Draft) -> list[Draft]:
    """What may begin in an ad-hoc subprocess."""
    others = (Kind.BOUNDARY, Kind.EVENT_SUBPROCESS)
    return [d for d in draft.inner if not d.incoming and d.kind not in others]


def _stage(notes: Notes, draft: Draft, _drafts: Drafts) -> None:
    activities: dict[str, int] = {}
    for inner in _entries(draft):
        kinds = (inner.element.get(EXTENSION + "kind") or "").split()
        if not kinds:
            notes.problem(inner.element, "no-kind")
        for kind in kinds:
            if kind in activities:
                notes.problem(inner.element, "double-kind", kind)
            activities[kind] = inner.index
    draft.fields["activities"] = activities
    for name in ("ordering", "cancelRemainingInstances"):
        if draft.element.get(name) is not None:
            notes.problem(draft.element, "unsupported-attribute", name)
    if draft.element.find(MODEL + "completionCondition") is not None:
        notes.problem(draft.element, "unsupported", "completionCondition")


def _adhoc(notes: Notes, draft: Draft, _drafts: Drafts) -> None:
    element, condition = draft.element, draft.element.find(MODEL + "completionCondition")
    entries = _entries(draft)
    for inner in (d for d in draft.inner if d.kind in (Kind.START, Kind.END)):
        notes.problem(inner.element, "in-adhoc")
    if not entries:
        notes.problem(element, "missing", "activity")
    draft.fields["entries"] = tuple(d.index for d in entries)
    draft.fields["own"] = _locals(notes, draft)
    draft.fields["sequential"] = element.get("ordering") == "Sequential"
    draft.fields["cancel"] = element.get("cancelRemainingInstances", "true") == "true"
    if condition is not None:
        draft.fields["completion"] = notes.feel(condition, condition.text)


_KINDS: Mapping[Kind, Callable[[Notes, Draft, Drafts], None]] = {
    Kind.SCRIPT: _script,
    Kind.RULE: _rule,
    Kind.SERVICE: _service,
    Kind.USER: _user,
    Kind.CALL: _called,
    Kind.EVENTS: _events,
    Kind.SUBPROCESS: _inside,
    Kind.EVENT_SUBPROCESS: _inside,
    Kind.STAGE: _stage,
    Kind.ADHOC: _adhoc,
}
