"""One simulated system: its rules and its state, answering do, undo and query."""

from dataclasses import replace

from diaodu.simulators.messages import Command, Outcome, Refused, refusal
from diaodu.simulators.rules import Claim, Identity, Rule, Terms
from diaodu.simulators.store import Entry, Record, Store

NOTHING_TO_UNDO = refusal(Refused("nothing-to-undo"), status="absent")


class Peer:
    """A system that applies commands to its store; durable once the store is committed."""

    def __init__(self, rule: Rule, store: Store, *, idempotent: bool) -> None:
        self._rule = rule
        self.store = store
        self._idempotent = idempotent

    def answer(self, command: Command, *, broken: bool = False) -> Outcome:
        """Carry out a do, undo or query; `broken` = the equipment refuses whatever it has not yet applied."""
        if command.verb == "query":
            return self._query(command)
        identity = Identity(command.element, command.kind, command.subject)
        known = self.store.entry(command.key)
        if known and (known.verb, known.identity) != (command.verb, identity):
            return refusal(Refused("key-reused", key=command.key))
        if known and known.times and self._idempotent:
            return known.outcome
        try:
            if broken:
                raise Refused("equipment-failure")
            outcome, before = (self._do if command.verb == "do" else self._undo)(identity, command)
        except Refused as refused:
            outcome, before = refusal(refused), None
        self._enter(Entry(command.key, command.verb, identity, command.params, outcome, 1, before), known)
        return outcome

    def _enter(self, entry: Entry, known: Entry | None) -> None:
        """An applied key stays applied, with what it replaced first; a rejected one may yet be applied."""
        if entry.outcome.status == "absent":
            return
        if known and known.times:
            if entry.outcome.status == "ok":
                self.store.enter(replace(known, times=known.times + 1, undone_by=None))
        else:
            self.store.enter(replace(entry, times=int(entry.outcome.status == "ok")))

    def _do(self, identity: Identity, command: Command) -> tuple[Outcome, Record | None]:
        present = self.store.record(identity)
        terms = self._rule(identity, command.params)
        self._check(identity, terms)
        record = Record(command.key, command.key, 1, command.params)
        if present:
            record = replace(record, born=present.born, version=present.version + 1)
        self._set(identity, present, record)
        result = {"subject": command.subject, "version": record.version, "replaced": present.key if present else None}
        return Outcome("ok", result=result), present

    def _undo(self, identity: Identity, command: Command) -> tuple[Outcome, Record | None]:
        """Take back the do under params.of; without `of`, remove the thing whoever wrote it."""
        if "of" not in command.params:
            present = self.store.record(identity)
            if present is None:
                return NOTHING_TO_UNDO, None
            self._set(identity, present, None)
            return Outcome("ok", result={"removed": present.key}), present
        done = self.store.entry(str(command.params["of"]))
        if done is None or done.verb != "do" or not done.times or done.undone_by:
            return NOTHING_TO_UNDO, None
        target = done.identity
        # The kind may differ: an undo can be an effect of a kind of its own.
        if (target.element, target.subject) != (identity.element, identity.subject):
            raise Refused("undo-mismatch", key=done.key)
        present = self.store.record(target)
        # The thing may have been removed, and even made anew by somebody else.
        if present is None or present.born != (done.before.born if done.before else done.key):
            return NOTHING_TO_UNDO, None
        if done.before and present.key != done.key:
            raise Refused("superseded", key=done.key)
        if done.before:
            self._check(target, self._rule(target, done.before.params))
        self._set(target, present, done.before)
        self.store.enter(replace(done, undone_by=command.key))
        outcome = {"restored": done.before.key} if done.before else {"removed": present.key}
        return Outcome("ok", result=outcome), present

    def _check(self, identity: Identity, terms: Terms) -> None:
        for need in terms.needs:
            if not self.store.holders(need.scope, need.name):
                raise Refused(need.code, name=need.name)
        for claim in terms.claims:
            for holder, loid in self.store.holders(claim.scope, claim.name):
                rival = holder.kind == identity.kind and holder != identity
                if rival or (loid and claim.loid and loid != claim.loid):
                    raise Refused(claim.code, name=claim.name)

    def _set(self, identity: Identity, present: Record | None, wanted: Record | None) -> None:
        for claim in self._claims(identity, present):
            self.store.release(identity, claim)
        for claim in self._claims(identity, wanted):
            self.store.claim(identity, claim)
        if wanted:
            self.store.put(identity, wanted)
        else:
            self.store.remove(identity)

    def _claims(self, identity: Identity, record: Record | None) -> tuple[Claim, ...]:
        return self._rule(identity, record.params).claims if record else ()

    def _query(self, command: Command) -> Outcome:
        """What became of the key; with params.subject, the present record of (element, kind, subject) instead."""
        if "subject" in command.params:
            record = self.store.record(Identity(command.element, command.kind, str(command.params["subject"])))
            if record is None:
                return Outcome("absent")
            place = {"element": command.element, "kind": command.kind, "subject": command.params["subject"]}
            return Outcome("ok", result=place | {"key": record.key, "version": record.version, "params": record.params})
        entry = self.store.entry(command.key)
        if entry is None:
            return Outcome("absent")
        if not entry.times:
            return entry.outcome
        result = {
            "verb": entry.verb,
            "element": entry.identity.element,
            "kind": entry.identity.kind,
            "subject": entry.identity.subject,
            "params": entry.params,
            "times": entry.times,
            "undone_by": entry.undone_by,
            "result": entry.outcome.result,
        }
        return Outcome("ok", result=result)
