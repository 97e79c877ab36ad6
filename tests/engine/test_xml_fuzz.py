"""No file, however malicious or broken, crashes or hangs the reader: it is refused by a typed problem, or compiled."""

import time
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diaodu.engine.errors import Problem, ProcessNotExecutable
from diaodu.engine.examine import examine
from diaodu.engine.parse import MAX_BYTES, parse_all
from diaodu.engine.ports import Handlers

SECONDS = 10.0  # far more than any of these takes, far less than a hang
OPEN = Handlers({}, {}, lenient=True)
HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">'


ERROR_START = '<startEvent id="i{0}"><errorEventDefinition/></startEvent>'
HUNG = '<boundaryEvent id="b" attachedToRef="{0}"><errorEventDefinition/></boundaryEvent>'


def refusal(source: bytes) -> set[str]:
    """The codes with which a file is refused; empty when it is compiled."""
    problems: Sequence[Problem] = ()
    begun = time.monotonic()
    try:
        parse_all(source, OPEN)
    except ProcessNotExecutable as refused:
        problems = refused.problems
    assert all(problem.message("zh") and problem.message("en") for problem in problems)
    assert time.monotonic() - begun < SECONDS
    return {problem.code for problem in problems}


def process(body: str, head: str = "") -> bytes:
    return f'{HEAD}{head}<process id="p"><startEvent id="s"/>{body}</process></definitions>'.encode()


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a0 "ha">{entities}]>{HEAD}&a11;</definitions>'.encode()


def quadratic() -> bytes:
    text = "a" * 100_000
    return f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "{text}">]>{HEAD}{"&a;" * 10_000}</definitions>'.encode()


def outside(where: str) -> bytes:
    return f'<!DOCTYPE d [<!ENTITY x SYSTEM "{where}">]>{HEAD}&x;</definitions>'.encode()


def deep(levels: int) -> bytes:
    return process("".join(f'<subProcess id="n{n}">' for n in range(levels)) + "</subProcess>" * levels)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (laughs, "xml"),
        (quadratic, "xml"),
        (lambda: outside("file:///etc/passwd"), "doctype"),
        (lambda: outside("http://127.0.0.1:9/x"), "doctype"),
        (lambda: b'<!DOCTYPE d SYSTEM "http://127.0.0.1:9/d.dtd">' + process(""), "doctype"),
        (lambda: b"<!DOCTYPE d [<!ENTITY % p SYSTEM 'file:///dev/zero'> %p;]>" + process(""), "doctype"),
        (lambda: b"<!DOCTYPE d>" + process(""), "doctype"),
        (lambda: deep(10_000), "xml"),
        (lambda: deep(100), "no-start"),
        (lambda: process(f'<task id="t" name="{"x" * MAX_BYTES}"/>'), "too-large"),
        (lambda: b" " * (MAX_BYTES + 1), "too-large"),
        (lambda: b"", "xml"),
        (lambda: b"\0" * 100, "xml"),
        (lambda: b"\xff\xfe" + "<a/>".encode("utf-16-le"), "xml"),
        (lambda: '<?xml version="1.0" encoding="UTF-8"?><a b="中"/>'.encode("gbk"), "xml"),
        (lambda: b'<?xml version="1.0" encoding="no-such-code"?><a/>', "xml"),
        (lambda: b'<?xml version="1.0" encoding="UTF-7"?>+ADw-a/>', "xml"),
        (lambda: b"\x1f\x8b\x08" + b"\0" * 50, "xml"),
        (lambda: process("<task/>"), "no-id"),
        (lambda: process('<sequenceFlow id="f" sourceRef="f" targetRef="f"/>'), "bad-reference"),
        (lambda: process(HUNG.format("b")), "bad-reference"),
        (lambda: process(HUNG.format("s")), "bad-reference"),
        (f"{HEAD}<definitions/></definitions>".encode, "no-process"),
    ],
)  # fmt: skip
def test_a_hostile_file_is_refused(make: Callable[[], bytes], code: str) -> None:
    assert code in refusal(make())


def test_a_huge_attribute_below_the_limit_is_read() -> None:
    assert refusal(process(f"<documentation>{'x' * (MAX_BYTES - 1000)}</documentation>")) == set()


def chain(count: int) -> str:
    nodes = "".join(f'<task id="t{n}"/>' for n in range(count))
    flows = "".join(f'<sequenceFlow id="f{n}" sourceRef="t{n}" targetRef="t{n + 1}"/>' for n in range(count - 1))
    return nodes + flows + '<sequenceFlow id="f" sourceRef="s" targetRef="t0"/>'


def scopes(inner: str, opening: str = "subProcess", attributes: str = "") -> Callable[[int], str]:
    """Subprocesses in a row; ``{0}`` in what they hold is the number of each."""

    def drawn(count: int) -> str:
        nodes = "".join(f'<{opening} id="t{n}"{attributes}>{inner.format(n)}</{opening}>' for n in range(count))
        flows = "".join(f'<sequenceFlow id="f{n}" sourceRef="t{n}" targetRef="t{n + 1}"/>' for n in range(count - 1))
        return nodes + ("" if attributes else flows + '<sequenceFlow id="f" sourceRef="s" targetRef="t0"/>')

    return drawn


def fan(gateway: str) -> Callable[[int], str]:
    def drawn(count: int) -> str:
        ends = f'<{gateway} id="a"/><{gateway} id="b"/><sequenceFlow id="f" sourceRef="s" targetRef="a"/>'
        nodes = "".join(f'<task id="t{n}"/>' for n in range(count))
        flows = "".join(
            f'<sequenceFlow id="f{n}" sourceRef="a" targetRef="t{n}"/>'
            f'<sequenceFlow id="g{n}" sourceRef="t{n}" targetRef="b"/>'
            for n in range(count)
        )
        return ends + nodes + flows

    return drawn


def ladder(gateway: str) -> Callable[[int], str]:
    """Two rails of gateways with a rung at each step: nothing nests, so nothing can be taken out."""

    def drawn(count: int) -> str:
        count //= 2
        nodes = "".join(f'<{gateway} id="a{n}"/><{gateway} id="b{n}"/>' for n in range(count))
        pairs = [(f"a{n}", f"b{n}") for n in range(count)]
        pairs += [(f"{rail}{n}", f"{rail}{n + 1}") for n in range(count - 1) for rail in "ab"]
        flows = "".join(
            f'<sequenceFlow id="{a}_{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in [("s", "a0"), *pairs]
        )
        return nodes + flows

    return drawn


@pytest.mark.parametrize(
    ("draw", "count", "allowed"),
    [
        (chain, 4_000, set()),
        (fan("parallelGateway"), 4_000, set()),
        (fan("inclusiveGateway"), 4_000, set()),
        (fan("exclusiveGateway"), 4_000, {"no-condition"}),
        (ladder("parallelGateway"), 4_000, set()),
        (ladder("inclusiveGateway"), 4_000, set()),
        (ladder("exclusiveGateway"), 4_000, {"no-condition"}),
        (scopes('<startEvent id="i{0}"/>'), 15_000, set()),
        (scopes('<task id="i{0}"/>', "adHocSubProcess"), 12_000, set()),
        (scopes(ERROR_START, attributes=' triggeredByEvent="true"'), 12_000, set()),
    ],
)
def test_thousands_of_elements_are_read_in_time(draw: Callable[[int], str], count: int, allowed: set[str]) -> None:
    assert refusal(process(draw(count))) <= allowed


def test_findings_of_a_large_file_come_in_time() -> None:
    begun = time.monotonic()
    (found,) = examine([process(ladder("inclusiveGateway")(4_000))], OPEN)
    assert time.monotonic() - begun < SECONDS
    assert {problem.code for problem in found} <= {"not-searched", "may-deadlock", "may-run-twice"}


NAMES = ["process", "startEvent", "endEvent", "task", "userTask", "boundaryEvent", "subProcess", "exclusiveGateway",
         "inclusiveGateway", "sequenceFlow", "timerEventDefinition", "timeCycle", "messageEventDefinition", "message",
         "multiInstanceLoopCharacteristics", "loopCardinality", "ioSpecification", "dataInputAssociation", "lane",
         "laneSet", "flowNodeRef", "callActivity", "eventBasedGateway", "linkEventDefinition", "intermediateCatchEvent",
         "adHocSubProcess", "standardLoopCharacteristics", "extensionElements", "signal", "script"]  # fmt: skip
ATTRIBUTES = ["id", "sourceRef", "targetRef", "attachedToRef", "default", "messageRef", "name", "calledElement",
              "triggeredByEvent", "cancelActivity", "loopMaximum", "isSequential"]  # fmt: skip
VALUES = ["a", "b", "p", "s", "", "true", "false", "-1", "=", "= 1 +", "R/PT0S", "P1D", "９", "中"]


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> str:
    name = draw(st.sampled_from(NAMES))
    given = draw(st.dictionaries(st.sampled_from(ATTRIBUTES), st.sampled_from(VALUES), max_size=4))
    attributes = "".join(f' {key}="{value}"' for key, value in given.items())
    inner = "".join(draw(st.lists(elements(depth=depth + 1), max_size=3))) if depth < 3 else ""
    return f"<{name}{attributes}>{inner or draw(st.sampled_from(VALUES))}</{name}>"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(elements(), max_size=6).map("".join))
def test_any_heap_of_elements_is_refused_or_compiled(body: str) -> None:
    refusal(process(body))
    refusal(f"{HEAD}{body}</definitions>".encode())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 40))
def test_damaged_bytes_are_refused_or_compiled(noise: bytes, at: int, gone: int) -> None:
    whole = process(chain(3))
    refusal(whole[:at] + noise + whole[at + gone :])


@pytest.mark.parametrize(("codec", "bom"), [*product(["utf-16-le", "utf-16-be", "utf-8"], [True, False])])
def test_other_encodings_are_read_when_they_say_so(codec: str, bom: Any) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", "utf-8": b"\xef\xbb\xbf"}[codec] if bom else b""
    text = process(chain(2)).decode()
    declared = "" if codec == "utf-8" else '<?xml version="1.0" encoding="UTF-16"?>'
    assert refusal(mark + (declared + text).encode(codec)) <= {"xml"}
    if bom or codec == "utf-8":
        assert refusal(mark + (declared + text).encode(codec)) == set()
