"""A running instance goes over to another version of its process, as a whole or not at all."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from diaodu.engine.board import NodeError
from diaodu.engine.game import events
from diaodu.engine.graph import Kind, Node, Process, Trigger
from diaodu.engine.instance import PROCESS, Instance, Token
from diaodu.engine.model import Migrate
from diaodu.engine.times import cycle_of
from diaodu.engine.versions import Passage, Report, examine

if TYPE_CHECKING:
    from diaodu.engine.game.moves import Game


def migrate(game: "Game", asked: Migrate) -> None:
    """Migrate an instance; what keeps it from that is recorded, and then nothing has changed."""
    instance = game.world.find(asked.root_id, asked.instance_id)
    if instance is None or instance.version == asked.version:
        return
    process = game.world.processes.version(instance.graph.key, asked.version)
    if process is None:
        _refuse(game, instance, asked, ["the version is not deployed"])
        return
    report = examine(instance, process.graph, asked.mapping, recompute=asked.recompute)
    problems = [f"{p.node}: {p.detail}" for p in report.problems] or _unready(game, instance, process, report, asked)
    if problems:
        _refuse(game, instance, asked, problems)
    else:
        _apply(game, instance, process, report, asked)


def _refuse(game: "Game", instance: Instance, asked: Migrate, problems: list[str]) -> None:
    game.board.record(instance, "migration.refused", version=asked.version, by=asked.by, problems=problems)


def _unready(game: "Game", instance: Instance, process: Process, report: Report, asked: Migrate) -> list[str]:
    """What the new events cannot be opened with: their times and keys are tried before anything changes."""
    problems = []
    for passage in report.passages:
        for index in (*passage.added, *passage.changed, *(_timers(passage) if asked.recompute else ())):
            event = process.graph.nodes[index]
            try:
                _try(game, instance, passage.token, event)
            except NodeError as error:
                problems.append(f"{event.id}: {error.text}")
    return problems


def _try(game: "Game", instance: Instance, token: Token, event: Node) -> None:
    if event.trigger is Trigger.MESSAGE:
        game.board.key(instance, token, event)
    timer = event.timer
    if timer is None:
        return
    if not timer.cycle and not timer.calendar:
        game.board.moment(instance, token, timer.value)
    elif timer.cycle:
        text = str(game.board.value(instance, token, timer.value))
        try:
            cycle_of(text, game.board.now)
        except (ValueError, OverflowError):
            raise NodeError("engine.no-moment", f"{text!r} is not a cycle") from None


def _timers(passage: Passage) -> list[int]:
    return [passage.events[index] for index, _ in passage.token.timers if index in passage.events]


def _apply(game: "Game", instance: Instance, process: Process, report: Report, asked: Migrate) -> None:
    old = instance.graph
    game.board.record(
        instance,
        "instance.migrated",
        version=asked.version,
        before=instance.version,
        by=asked.by,
        mapping={a: b for a, b in asked.mapping.items() if a != b},
    )
    instance.graph, instance.version, instance.definition_id = process.graph, process.version, process.id
    game.board.changes.migrated[instance.id] = process.id
    opened: list[tuple[Token, list[int]]] = []
    for passage in report.passages:
        again = _carry(game, passage, recompute=asked.recompute)
        token, node = passage.token, process.graph.nodes[passage.node]
        if token.task is not None and node.id != old.nodes[token.node].id:
            game.board.changes.renamed[token.task] = (node.id, node.name)
        token.node, token.via = passage.node, passage.via
        opened.append((token, [*again, *passage.added]))
        if node.kind is Kind.STAGE:
            game.stages[token.id] = (instance, token)
    if instance.graph.nodes[-1].handlers and PROCESS not in instance.tokens:
        token = Token(PROCESS, len(instance.graph.nodes) - 1, -1)
        instance.tokens[PROCESS] = token
        opened.append((token, list(instance.graph.nodes[-1].handlers)))
    game.stir(instance)
    for token, indexes in opened:
        if indexes and instance.tokens.get(token.id) is token:
            game.guarded(instance, token, "enter", _opening(indexes))


def _opening(indexes: list[int]) -> Callable[["Game", Instance, Token, Node], None]:
    def move(game: "Game", instance: Instance, token: Token, _node: Node) -> None:
        events.open_all(game, instance, token, indexes)

    return move


def _carry(game: "Game", passage: Passage, *, recompute: bool) -> list[int]:
    """Keep what a token waits for, and take back what has gone; returns what it has to wait for anew."""
    token, again, waits, timers = passage.token, [], [], []
    for index, name, key in token.waits:
        target = passage.events.get(index)
        if target in passage.changed:
            again.append(target)
        elif target is not None:
            waits.append([target, name, key])
    for index, job in token.timers:
        target = passage.events.get(index)
        if target is not None and not recompute:
            timers.append([target, job])
            continue
        if job:
            game.board.changes.cancel(job)
            game.board.changes.mended.add(job)
        if target is not None:
            again.append(target)
    token.waits, token.timers = waits, timers
    return again
