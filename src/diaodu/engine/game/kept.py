"""What comes for a suspended instance is kept as jobs, which are ready again when it is resumed."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from diaodu.engine.instance import KEPT, READY, Instance, Job
from diaodu.engine.model import EXTERNAL, AddInstance, Answer, Broadcast, Message, RemoveInstance, Signal, Start
from diaodu.engine.signals import body_of

if TYPE_CHECKING:
    from diaodu.engine.game.moves import Game

LOOK_AGAIN = timedelta(minutes=1)


def job(game: "Game", due: Job) -> bool:
    """Keep a timer or retry of a suspended instance; whether it was one."""
    suspended = any(i.id == due.instance_id for i in game.world.suspended(due.root_id))
    if suspended:
        game.board.changes.tries[due.id] = (KEPT, due.attempts, due.due_at)
    return suspended


def message(game: "Game", sent: Message, *, waiting: bool) -> bool:
    """Keep a message that a suspended instance waits for, or (not ``waiting``) may come to wait for."""
    for instance in game.world.suspended(sent.root_id):
        if sent.name in instance.graph.messages if not waiting else _waits(instance, sent.name, sent.key):
            _keep(game, instance, sent)
            return True
    return False


def signal(game: "Game", thrown: Broadcast) -> None:
    """Keep a signal for each suspended instance that waits for it."""
    for instance in game.world.suspended(thrown.root_id):
        if _waits(instance, thrown.name, None):
            _keep(game, instance, replace(thrown, beyond=False, instance_id=instance.id))


def turns(game: "Game", asked: AddInstance | RemoveInstance) -> bool:
    """Keep a change of a multi-instance activity; whether its instance is suspended."""
    for instance in game.world.suspended(asked.root_id):
        if asked.token_id in instance.tokens:
            _keep(game, instance, asked)
            return True
    return False


def answer(game: "Game", said: Answer) -> None:
    """Keep what an external worker said for a suspended instance."""
    for instance in game.world.suspended(said.root_id):
        if _waits(instance, EXTERNAL, str(said.task_id)):
            _keep(game, instance, said)


def _waits(instance: Instance, name: str, key: str | None) -> bool:
    return any(n == name and k == key for t in instance.tokens.values() for _, n, k in t.waits)


def until_resumed(game: "Game", asked: Start | Message) -> None:
    """What would start an instance of a suspended version is looked at again later."""
    due = game.board.now + LOOK_AGAIN
    _write(game, asked, None, READY, due)


def _keep(game: "Game", instance: Instance, signal: Signal) -> None:
    _write(game, signal, instance.id, KEPT, game.board.now)


def _write(game: "Game", signal: Signal, instance: int | None, state: int, due: datetime) -> None:
    board, root = game.board, signal.root_id
    made = board.new_id(root)
    kind, name, body = body_of(signal)
    board.changes.jobs[made] = Job(made, root, instance, None, kind, name, None, body, state, due, 0, board.now)
