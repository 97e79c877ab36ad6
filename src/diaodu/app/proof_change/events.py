"""All that may happen, and how often: an event is named, and all that is chance in it follows from a number."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random

from diaodu.app.installation import example_operator
from diaodu.app.proof_change import customers, staff
from diaodu.app.proof_change.world import World, one_of
from diaodu.app.wiring import handlers
from diaodu.engine import commands as engine
from diaodu.engine import queries

Event = Callable[[World, Random], None]
_FAULTS = (
    {"lost": 0.3}, {"drop": 0.3}, {"double": 0.5}, {"reorder": 0.5}, {"down": True},
    {"refuse": {"kind": "aaa.account"}}, {"refuse": {"kind": "olt.port"}}, {"refuse": {"kind": "iptv.account"}},
)  # fmt: skip


def install(world: World, rng: Random) -> None:
    """An order that goes to its end without trouble: what is changed later is there."""
    if world.captured == 0:
        customers.capture(world, rng)
        world.everybody()


def step(world: World, rng: Random) -> None:
    """The engine runs a batch."""
    world.crew.step(rng)


def serve(world: World, rng: Random) -> None:
    """An area serves a batch."""
    world.crew.serve(rng)


def send(world: World, rng: Random) -> None:
    """The sender sends, hears and reports."""
    del rng
    world.crew.send()


def go_on(world: World, rng: Random) -> None:
    """Whatever goes on by itself goes on."""
    del rng
    world.crew.all_but_people()


def misbehave(world: World, rng: Random) -> None:
    """The systems lose, double, hold back or refuse."""
    world.site.misbehave("*", rng.choice(_FAULTS) | {"seed": rng.randint(0, 999)})


def behave(world: World, rng: Random) -> None:
    """The systems are well again."""
    del rng
    world.site.misbehave("*", {})


def wait(world: World, rng: Random) -> None:
    """Time passes: a minute, an hour, days."""
    world.site.pass_time(rng.choice((timedelta(minutes=1), timedelta(hours=1), timedelta(days=4))))


def migrate(world: World, rng: Random) -> None:
    """A version of the process is deployed, and that of an order goes over to it."""
    order_id = one_of(rng, world.orders())
    source = (example_operator() / "processes/execution.bpmn").read_text(encoding="utf-8")
    if rng.random() < 0.5:
        source = source.replace('name="竣工"', 'name="竣工归档"')
    with world.db.transaction(actor="publish") as tx:
        version = engine.deploy(tx, source.encode(), handlers()).version
    running = world.rows(
        "select i.id, d.version from engine.instance i join engine.definition d on d.id = i.definition_id"
        " where i.root_id = %s and d.key = 'execution' and i.state = 0",
        order_id,
    )
    for instance, old in running:
        with world.db.transaction(actor="boss") as tx:
            mapping = queries.propose_migration(tx, "execution", old, version).mapping
            engine.operate.migrate(tx, instance, version, mapping, "boss")


# How often each comes; those of people are what this is about, those of workers make them meet anywhere.
EVENTS: Mapping[str, tuple[int, Event]] = {
    "install": (2, install), "capture": (6, customers.capture), "amend": (8, customers.amend),
    "cancel": (5, customers.ask_to_cancel), "say": (4, customers.say), "pause": (3, customers.pause),
    "resume": (3, customers.resume), "urge": (1, customers.urge), "agree": (2, customers.agree),
    "park": (1, customers.park), "migrate": (1, migrate), "claim": (9, staff.claim),
    "report": (8, staff.report), "write-down": (2, staff.write_down), "hand-in": (3, staff.hand_in),
    "send-back": (2, staff.send_back),
    "clear": (2, staff.clear), "answer-recall": (4, staff.answer_recall), "repair": (3, staff.repair),
    "build": (1, staff.build), "step": (12, step), "serve": (6, serve), "send": (6, send), "go-on": (8, go_on),
    "misbehave": (2, misbehave), "behave": (3, behave), "wait": (2, wait),
}  # fmt: skip
