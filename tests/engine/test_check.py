"""What deployment finds wrong or doubtful about the structure of a process, all at once and by element id."""

import pytest
from tests.engine.kit import Service, bpmn, flows

from diaodu.engine.check import unknown_calls
from diaodu.engine.errors import _PROBLEMS, WARNINGS, ProcessNotExecutable
from diaodu.engine.examine import deploy_together, examine
from diaodu.engine.parse import parse
from diaodu.engine.ports import Handlers
from diaodu.kernel.db import Tx

BOUND = Handlers({"check": Service()}, {}, lenient=True)
START = '<startEvent id="s"/>'


def found(body: str, arrows: str, *, handlers: Handlers = BOUND) -> set[tuple[str, str]]:
    """The findings about a process, each with what it is: (element, code)."""
    (problems,) = examine([bpmn(START + body, arrows)], handlers)
    for problem in problems:
        assert problem.message("zh") != problem.message("en")
    return {(p.element, p.code) for p in problems}


def test_every_warning_has_its_words() -> None:
    assert set(_PROBLEMS) > WARNINGS


def test_all_findings_come_at_once() -> None:
    body = (
        '<exclusiveGateway id="x"/><task id="a"/><task id="b"/><parallelGateway id="j"/><serviceTask id="v"'
        ' diaodu:type="nobody"/><task id="lost"/><scriptTask id="c"><script>1 +</script></scriptTask><endEvent id="e"/>'
        '<complexGateway id="k"/>'
    )
    arrows = "s -> x\n x -> a if q\n x -> b\n a -> j\n b -> j\n j -> v\n v -> c\n c -> e"
    assert found(body, arrows) == {
        ("x", "no-condition"),
        ("v", "unbound-type"),
        ("c", "bad-feel"),
        ("k", "unsupported"),
        ("lost", "unreachable"),
    }


SPLIT = '<{0}Gateway id="x"{1}/><task id="a"/><task id="b"/><{2}Gateway id="y"/><task id="c"/><endEvent id="e"/>'
TWO = "s -> x\n x -> a{0}\n x -> b\n a -> y\n b -> y\n y -> c\n c -> e"


@pytest.mark.parametrize(
    ("split", "join", "findings"),
    [
        ("parallel", "parallel", set()),
        ("exclusive", "exclusive", set()),
        ("inclusive", "inclusive", set()),
        ("parallel", "inclusive", set()),
        ("exclusive", "inclusive", set()),
        ("exclusive", "parallel", {("y", "never-joins")}),
        ("inclusive", "parallel", {("y", "may-deadlock")}),
        ("parallel", "exclusive", {("y", "may-run-twice")}),
        ("inclusive", "exclusive", {("y", "may-run-twice")}),
    ],
)
def test_a_split_needs_its_own_kind_of_join(split: str, join: str, findings: set[tuple[str, str]]) -> None:
    chooses = split != "parallel"
    body = SPLIT.format(split, ' default="x_b"' if chooses else "", join)
    assert found(body, TWO.format(" if q > 1" if chooses else "")) == findings


def test_the_run_that_leads_there_is_told() -> None:
    body = SPLIT.format("parallel", "", "exclusive")
    (problems,) = examine([bpmn(START + body, TWO.format(""))], BOUND)
    (problem,) = problems
    assert problem.message("en").endswith("(run: x)")
    assert problem.warning


def test_a_certain_deadlock_is_refused_and_a_possible_one_is_not() -> None:
    certain = bpmn(START + SPLIT.format("exclusive", ' default="x_b"', "parallel"), TWO.format(" if q"))
    possible = bpmn(START + SPLIT.format("inclusive", ' default="x_b"', "parallel"), TWO.format(" if q"))
    with pytest.raises(ProcessNotExecutable) as refused:
        parse(certain, BOUND)
    assert [(p.element, p.code) for p in refused.value.problems] == [("y", "never-joins")]
    assert parse(possible, BOUND).key == "p"


ENDLESS = (
    f'<subProcess id="u"><startEvent id="i"/><task id="a"/><task id="b"/>{flows("i -> a")}{flows("a -> b")}'
    f'{flows("b -> a")}</subProcess><endEvent id="e"/><boundaryEvent id="t" attachedToRef="u"><timerEventDefinition>'
    "<timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>"
)
CAUGHT = (
    '<subProcess id="u"><startEvent id="i"/><endEvent id="x"><errorEventDefinition errorRef="e_bad"/></endEvent>'
    f'{flows("i -> x")}</subProcess><endEvent id="e"/>'
    '<boundaryEvent id="b" attachedToRef="u"><errorEventDefinition errorRef="e_bad"/></boundaryEvent>'
)
SURPLUS = (
    '<parallelGateway id="f"/><exclusiveGateway id="m"/><parallelGateway id="j"/><task id="a"/><task id="b"/>'
    '<task id="c"/><endEvent id="e"/>'
)


@pytest.mark.parametrize(
    ("body", "arrows", "findings"),
    [
        # a loop without a way out
        ('<task id="a"/><task id="b"/>', "s -> a\n a -> b\n b -> a", {("s", "dead"), ("a", "dead"), ("b", "dead")}),
        # the same inside a subprocess that a timer ends
        (ENDLESS, "s -> u\n u -> e\n t -> e", set()),
        # nobody gives the default, and each condition may be false
        ('<exclusiveGateway id="x"/><task id="a"/><task id="b"/>', "s -> x\n x -> a if q = 1\n x -> b if q = 2",
         {("x", "no-default")}),
        ('<inclusiveGateway id="x"/><task id="a"/><task id="b"/>', "s -> x\n x -> a if q = 1\n x -> b if q = 2",
         {("x", "no-default")}),
        ('<task id="x"/><task id="a"/>', "s -> x\n x -> a if q = 1", {("x", "no-default")}),
        # a condition that nobody would ask for
        ('<parallelGateway id="x"/><task id="a"/><task id="b"/>', "s -> x\n x -> a if q\n x -> b",
         {("x", "stray-condition")}),
        ('<task id="a"/>', "s -> a if q", {("s", "stray-condition")}),
        # an error that nothing catches, and one that something does
        ('<endEvent id="e"><errorEventDefinition errorRef="e_bad"/></endEvent>', "s -> e", {("e", "uncaught-error")}),
        (CAUGHT, "s -> u\n u -> e\n b -> e", set()),
        # what is called must be there
        ('<callActivity id="c" calledElement="other"/>', "s -> c", {("c", "not-deployed")}),
        ('<callActivity id="c" calledElement="= which"/>', "s -> c", set()),
        # a function that does not exist
        ('<scriptTask id="c" diaodu:result="r"><script>total(prices) + sum(prices)</script></scriptTask>', "s -> c",
         {("c", "unknown-function")}),
        ('<serviceTask id="c"/>', "s -> c", {("c", "unnamed-type")}),
        ('<eventBasedGateway id="g"/><receiveTask id="r" messageRef="m_paid"/>', "s -> g\n g -> r",
         {("g", "lonely-event")}),
        # a surplus token that nobody ever fetches
        (
            SURPLUS,
            "s -> f\n f -> a\n f -> b\n f -> c\n a -> m\n b -> m\n m -> j\n c -> j\n j -> e",
            {("m", "may-run-twice"), ("p", "never-ends")},
        ),
    ],
)  # fmt: skip
def test_doubtful_and_wrong_structures_are_told(body: str, arrows: str, findings: set[tuple[str, str]]) -> None:
    assert found(body, arrows) == findings


def test_an_inner_scope_that_never_ends_stops_what_follows() -> None:
    # given: inside, only an exclusive split into a parallel join; outside, a join behind the subprocess
    inner = (
        '<startEvent id="i"/><exclusiveGateway id="x" default="x_b"/><task id="a"/><task id="b"/>'
        f'<parallelGateway id="y"/><endEvent id="z"/>{flows("i -> x")}{flows("x -> a if q")}{flows("x -> b")}'
        f"{flows('a -> y')}{flows('b -> y')}{flows('y -> z')}"
    )
    body = f'<parallelGateway id="f"/><subProcess id="u">{inner}</subProcess><task id="t"/><parallelGateway id="j"/>'
    assert found(body, "s -> f\n f -> u\n f -> t\n u -> j\n t -> j") == {("y", "never-joins"), ("j", "never-joins")}


def test_a_file_too_large_for_the_search_is_told_so_and_not_refused() -> None:
    many = range(1, 21)
    body = '<parallelGateway id="f"/><parallelGateway id="j"/><endEvent id="e"/>' + "".join(
        f'<exclusiveGateway id="x{n}" default="x{n}_e"/><task id="t{n}"/>' for n in many
    )
    arrows = "s -> f\n j -> e\n" + "\n".join(f"f -> x{n}\n x{n} -> t{n} if q\n x{n} -> e\n t{n} -> j" for n in many)
    findings = found(body, arrows)
    assert ("p", "not-searched") in findings
    assert all(code in WARNINGS for _, code in findings)


def calling(key: str, called: str) -> bytes:
    return bpmn(f'{START}<callActivity id="c" calledElement="{called}"/>', "s -> c", key=key)


def test_files_of_one_call_may_call_each_other(tx: Tx) -> None:
    one, two = calling("one", "two"), calling("two", "one")
    assert examine([one, two], BOUND) == [[], []]
    with pytest.raises(ProcessNotExecutable) as refused:
        deploy_together(tx, [one], BOUND)
    assert [(p.element, p.code, p.what) for p in refused.value.problems] == [("c", "unknown-process", "two")]
    assert tx.rows("select * from engine.definition") == []
    first = deploy_together(tx, [one, two], BOUND)
    assert [(d.key, d.version) for d in first] == [("one", 1), ("two", 1)]
    # then: what is deployed may be called, and the same bytes are the same version
    assert deploy_together(tx, [one], BOUND) == first[:1]


def test_a_process_may_call_itself() -> None:
    assert unknown_calls(parse(calling("one", "one"), BOUND), ()) == []
