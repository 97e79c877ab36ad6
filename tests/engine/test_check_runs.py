"""What all runs of a net can do; and that taking the sound parts out of a net does not change the answer."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diaodu.engine.check_net import Net, _sinks, inside, net_of, reduced
from diaodu.engine.check_runs import WORK_MAX, Runs, runs_of
from diaodu.engine.graph import Flow, Graph, Kind, Node

KINDS = {"s": Kind.START, "e": Kind.END, "t": Kind.PASS, "x": Kind.EXCLUSIVE, "p": Kind.PARALLEL, "i": Kind.INCLUSIVE}
TERMINATE = "e9"


def graph(arrows: str, boundary: str = "") -> Graph:
    """A graph of ``s > t1 > e`` chains; the kind of a node is the first letter of its name, ``h > b?`` hangs b on h.

    A boundary event is written ``host:event`` with ``!`` if it does not interrupt.
    """
    pairs = [pair for line in arrows.split(";") for pair in _pairs(line.split(">"))]
    hung = [re.fullmatch(r"(\w+):(\w+)(!?)", word) for word in boundary.split()]
    events = {m[2]: (m[1], not m[3]) for m in hung if m}
    names = sorted({name for pair in pairs for name in pair} | set(events))
    index = {name: n for n, name in enumerate(names)}
    nodes = []
    for name in names:
        flows = tuple(Flow(n, index[b], None) for n, (a, b) in enumerate(pairs) if a == name)
        incoming = tuple(n for n, (_, b) in enumerate(pairs) if b == name)
        kind = Kind.BOUNDARY if name in events else Kind.TERMINATE if name == TERMINATE else KINDS[name[0]]
        on = tuple(index[e] for e, (host, _) in events.items() if host == name)
        interrupting = events[name][1] if name in events else True
        nodes.append(
            Node(
                index[name],
                name,
                name,
                kind,
                -1,
                flows=flows,
                incoming=incoming,
                boundary=on,
                interrupting=interrupting,
            )
        )
    nodes.append(Node(len(nodes), "process", "process", Kind.PROCESS, -1))
    return Graph(
        "process",
        "process",
        tuple(nodes),
        index,
        index["s"],
        frozenset(),
        signals=False,
        opening={},
        schedules=(),
        joins={},
    )


def _pairs(chain: list[str]) -> Iterator[tuple[str, str]]:
    names = [name.strip() for name in chain]
    yield from pairwise(names)


def net(arrows: str, boundary: str = "") -> Net:
    made = graph(arrows, boundary)
    return net_of(made, -1, inside(made)[-1], {})


def found(arrows: str, boundary: str = "") -> tuple[set[str], set[str], set[str], bool]:
    """Joins never passed, joins that may wait for ever, nodes that may run twice, and whether a run ends."""
    runs = runs_of(reduced(net(arrows, boundary)))
    assert runs.complete
    return set(runs.never), set(runs.stuck), set(runs.doubled), runs.ends


SOUND: tuple[set[str], set[str], set[str], bool] = (set(), set(), set(), True)


@pytest.mark.parametrize(
    "arrows",
    [
        "s > t1 > e",
        "s > p1 > t1 > p2 > e; p1 > t2 > p2",
        "s > x1 > t1 > x2 > e; x1 > t2 > x2",
        "s > i1 > t1 > i2 > e; i1 > t2 > i2; i1 > t3 > i2",
        "s > p1 > t1 > i2 > e; p1 > t2 > i2",
        "s > x1 > t1 > i2 > e; x1 > t2 > i2",
        "s > x1 > t1 > x2 > x1; x2 > e",
        "s > p1 > t1 > e; p1 > t2 > e",
        "s > x1 > e; x1 > t1 > e",
        "s > p1 > x1 > t1 > x2 > p2 > e; x1 > t2 > x2; p1 > t3 > p2",
        # not nested, and sound all the same
        "s > p1 > t1 > p2 > t2 > p3 > e; p1 > t3 > p4 > t4 > p3; p2 > t5 > p4",
        "s > t1 > e9",
        "s > p1 > t1 > e9; p1 > t2 > e",
    ],
)
def test_a_sound_graph_is_left_alone(arrows: str) -> None:
    assert found(arrows) == SOUND


@pytest.mark.parametrize(
    ("arrows", "boundary", "never", "stuck", "doubled", "ends"),
    [
        # an exclusive split into a parallel join: no run passes it
        ("s > x1 > t1 > p2 > e; x1 > t2 > p2", "", {"p2"}, set(), set(), False),
        # the same beside a way out
        ("s > x1 > t1 > p2 > e; x1 > t2 > p2; x1 > t3 > e", "", {"p2"}, set(), set(), True),
        # an inclusive split into a parallel join: it depends
        ("s > i1 > t1 > p2 > e; i1 > t2 > p2", "", set(), {"p2"}, set(), True),
        # a parallel split into an exclusive merge
        ("s > p1 > t1 > x2 > t3 > e; p1 > t2 > x2", "", set(), set(), {"x2"}, True),
        # the same where the flows meet in a task
        ("s > p1 > t1 > t3 > e; p1 > t2 > t3", "", set(), set(), {"t3"}, True),
        # an inclusive split into an exclusive merge
        ("s > i1 > t1 > x2 > t3 > e; i1 > t2 > x2", "", set(), set(), {"x2"}, True),
        # one branch may leave
        ("s > p1 > x1 > t1 > p2 > e; p1 > t2 > p2; x1 > e", "", set(), {"p2"}, set(), True),
        # a loop back through a parallel join
        ("s > p1 > t1 > x1 > e; x1 > p1", "", {"p1"}, set(), set(), False),
        # a boundary event that interrupts takes the token that the join needs
        ("s > p1 > t1 > p2 > e; p1 > t2 > p2; t0 > e", "t1:t0", set(), {"p2"}, set(), True),
        # one that does not, and comes back
        ("s > t1 > x1 > t2 > e; t0 > x1", "t1:t0!", set(), set(), {"x1"}, True),
        # one that does not, and ends by itself
        ("s > t1 > t2 > e; t0 > t3 > e", "t1:t0!", set(), set(), set(), True),
        # two inclusive joins that wait for each other
        ("s > p1 > i1 > x1 > e; x1 > i2; p1 > i2 > x2 > e; x2 > i1", "", {"i1", "i2"}, set(), set(), False),
        # a circle without a way out
        ("s > x1 > t1 > x1", "", set(), set(), set(), False),
    ],
)
def test_what_may_go_wrong_is_found(
    arrows: str, boundary: str, never: set[str], stuck: set[str], doubled: set[str], *, ends: bool
) -> None:
    assert found(arrows, boundary) == (never, stuck, doubled, ends)


def test_the_run_is_told() -> None:
    runs = runs_of(reduced(net("s > i1 > t1 > p2 > e; i1 > t2 > p2")))
    assert runs.stuck == {"p2": "i1 (p2)"}


def test_many_parallel_and_nested_branches_are_cheap() -> None:
    text = "s > p1; p2 > e;" + ";".join(
        f"p1 > x{n}0 > t{n}1 > x{n}2 > p2; x{n}0 > t{n}2 > x{n}2; x{n}2 > x{n}0" for n in range(1, 300)
    )
    assert found(text) == SOUND


def test_a_search_that_is_too_long_ends_with_what_it_found() -> None:
    # Twenty branches, each of which may also leave, into one join: too many ways to look at all.
    text = "s > p1; p2 > e;" + ";".join(f"p1 > x{n} > t{n} > p2; x{n} > e" for n in range(1, 21))
    runs = runs_of(reduced(net(text)))
    assert (runs.complete, set(runs.never)) == (False, set())
    assert WORK_MAX < 1_000_000


def _answer(runs: Runs) -> tuple[set[str], bool, bool]:
    """What a reduction must not change: certain deadlocks, whether one may happen, whether a run ends."""
    return set(runs.never), bool(runs.stuck or runs.never), runs.ends


@st.composite
def arrows(draw: st.DrawFn) -> str:
    inner = draw(st.lists(st.sampled_from("txpi"), min_size=1, max_size=5))
    names = [f"{kind}{n}" for n, kind in enumerate(inner)]
    chain = ["s > " + names[0]]
    for n, name in enumerate(names):
        targets = [*names, "e"]
        first = draw(st.sampled_from(targets[n + 1 :]))
        chain.append(f"{name} > {first}")
        if name[0] != "t" or draw(st.booleans()):
            chain.append(f"{name} > {draw(st.sampled_from(targets))}")
    return ";".join(chain)


def whole_net(text: str) -> Net:
    """A net as it is drawn, only that tokens do not pile up before its ends."""
    whole = net(text)
    for index in list(whole.steps):
        if index in whole.steps:
            _sinks(whole, index)
    return whole


@settings(max_examples=300, deadline=None)
@given(arrows())
def test_a_net_and_its_reduced_form_answer_alike(text: str) -> None:
    whole, small = runs_of(whole_net(text)), runs_of(reduced(net(text)))
    if whole.complete and not whole.doubled:
        assert small.complete
        assert _answer(small) == _answer(whole)
    forward = all(a[1:] < b[1:] for a, b in re.findall(r"([txpi]\d) > ([txpi]\d)", text))
    if whole.doubled and forward:
        assert small.doubled


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0) -> list[tuple[str, str]]:
    """A sound process between ``s`` and ``e``: blocks within blocks, as flows with fresh names."""
    made = iter(range(1000))
    pairs: list[tuple[str, str]] = []

    def block(before: str, level: int) -> str:
        """Draw a block after a node; answers with the node where it ends."""
        kind, number = draw(st.sampled_from("txpil" if level < 3 else "t")), next(made)
        if kind == "t":
            pairs.append((before, f"t{number}"))
            return f"t{number}"
        opens, closes = (f"{'x' if kind == 'l' else kind}{number}{side}" for side in "ab")
        pairs.append((before, opens))
        if kind == "l":
            pairs.extend([(block(opens, level + 1), closes), (closes, opens)])
            return closes
        for _ in range(draw(st.integers(2, 3))):
            end = block(opens, level + 1)
            pairs.append((block(end, level + 1) if draw(st.booleans()) else end, closes))
        return closes

    end = block(block("s", depth), depth)
    return [*pairs, (end, "e")]


@settings(max_examples=150, deadline=None)
@given(blocks())
def test_a_process_of_nested_blocks_is_sound(pairs: list[tuple[str, str]]) -> None:
    assert found(";".join(f"{a} > {b}" for a, b in pairs)) == SOUND
