"""An instance that goes over to the same process, drawn in another order, runs on as if it had stayed."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.engine.proof import stand
from tests.engine.proof.explore import budget, possible
from tests.engine.proof.generator import generate
from tests.engine.proof.stand import InMemory

from diaodu.engine.elements import MODEL
from diaodu.engine.instance import ACTIVE
from diaodu.engine.model import Migrate

BEFORE, AFTER = 6, 15
SEEDS = st.integers(0, 2**32 - 1)
FLOW = MODEL + "sequenceFlow"


def redrawn(bpmn: bytes, rng: random.Random) -> bytes:
    """The same processes with their elements in another order, so that every one has another number.

    The flows out of one element keep their order: that is the order of their conditions.
    """
    root = etree.fromstring(bpmn)
    for scope in root.iter(MODEL + "process", MODEL + "subProcess"):
        nodes = [e for e in scope if e.get("id") and e.tag != FLOW]
        rank: dict[str | None, float] = {}
        flows = sorted(scope.iterfind(FLOW), key=lambda f: rank.setdefault(f.get("sourceRef"), rng.random()))
        for element in [*rng.sample(nodes, len(nodes)), *flows]:
            scope.remove(element)
            scope.append(element)
    return etree.tostring(root)


def migrate(engine: InMemory) -> int:
    """Let all running instances go over; returns how many there were."""
    running = [v for v in engine.picture().instances if v.state == ACTIVE]
    for view in running:
        same = {n.id: n.id for n in view.graph.nodes[:-1]}
        engine.hand_in(Migrate(engine.root, view.id, 2, same, recompute=False, by="boss"))
    engine.work()
    return len(running)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(SEEDS)
def test_a_migrated_instance_runs_on_as_if_it_had_stayed(seed: int) -> None:
    rng = random.Random(seed)
    case = generate(rng.randrange)
    stays = InMemory()
    stays.deploy(*case.files)
    stand.begin(stays, case.process, case.vars)
    left, goes = budget(case), None
    for step in range(BEFORE + AFTER):
        if goes is None and step == seed % BEFORE:
            goes = stays.branch()
            goes.deploy(*(redrawn(f, rng) for f in case.files))
            count = migrate(goes)
            assert [e["t"] for e in goes.entries()].count("instance.migrated") == count
        picture = stays.picture()
        chosen = [
            (stimulus, number, after)
            for stimulus, after in possible(case, stand.observed(picture), left)
            for number in range(len(stand.targets(picture, stimulus)))
        ]
        if not chosen:
            break
        stimulus, number, left = rng.choice(chosen)
        for engine in (stays,) if goes is None else (stays, goes):
            at = engine.picture()
            stand.prepare(engine, at, stimulus, stand.targets(at, stimulus)[number])
            engine.work()
        if goes is not None:
            assert stand.observed(goes.picture()) == stand.observed(stays.picture())
            assert stand.litter(goes.picture()) == []
