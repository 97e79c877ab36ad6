"""The token game of BPMN 2.0 (chapter 13): pure moves over instances in memory. No database, no clock.

**State.** A ``World`` holds the active instances of some roots (one is enough): ``World(processes, {root: [...]})``,
where ``processes`` answers which versions are deployed (``Processes``: ``newest``, ``version``, ``all_newest``).
An ``Instance`` (``diaodu.engine.instance``) is its tokens, variables and early messages; ``dump_tokens`` and
``load_tokens`` are its stored form.

**Changes.** A ``Board(now, new_id, facts)`` takes down all that is not in the instances: ``board.changes`` has the new
and cancelled jobs (timers, retries), human tasks offered and closed, incidents, signals for other roots, history.

**One stimulus.** ``game = Game(board, world)``, then ``game.take(stimulus)`` and ``game.settle()``. Stimuli:

- of ``diaodu.engine.model``: ``Start, Message, Broadcast, Nudge, Cancel, AddInstance, RemoveInstance``;
- a claimed ``Job`` of kind ``timer`` (it is due) or ``retry`` (try again what failed at a node).

What a ``Start`` brings must be plain JSON, as read from a job. A completed human task is ``Message(root, TASK,
str(task id), variables)``. A stimulus that comes too late is nothing.

**Asks.** ``settle`` moves all tokens until each of them waits, asks or is gone. What only the outside can answer:

- ``game.dues: list[Due]``               -> ``game.armed(due, moment)``            the calendar;
- ``game.calls: {token id: Pending}``    -> ``game.answer(pending, outcome)``      a service (node kind SERVICE) or a
  decision (kind RULE, ``outcome`` = Done or BusinessError), outcome = Done | Wait | BusinessError | Retry;
- ``game.stages: {token id: (instance, token)}`` -> ``game.advance(instance, token, Advance)``   the driver of a stage.

Who answers takes the ask out of ``dues``, ``calls`` or ``stages`` first, and calls ``settle`` after answers; in any
order, singly or many at once. A token that left in the meantime is passed over. At rest: no asks are left.

Moves never fail a batch: what cannot be executed with the present variables becomes an incident of its token. Only
``Runaway`` (an instance that would never come to rest) and ``UnknownProcess`` (of a ``Start``) are raised.

**Store.** ``diaodu.engine.store.Store`` is what a batch needs of a database (``lock, claim, load, write``); with
any implementation of it ``diaodu.engine.step.Batch(store, handlers).run(jobs)`` folds jobs exactly as a worker does.

Each family of elements is a module: ``tasks``, ``gateways`` (with ``joins``), ``events``, ``scopes``, ``loops``,
``called``. What they have in common stands in ``moves``.
"""

from diaodu.engine.game.moves import ATTEMPTS_MAX, STEPS_MAX, Game, Runaway
from diaodu.engine.game.tasks import TASK
from diaodu.engine.game.world import Due, Pending, Processes, World

__all__ = [
    "ATTEMPTS_MAX",
    "STEPS_MAX",
    "TASK",
    "Due",
    "Game",
    "Pending",
    "Processes",
    "Runaway",
    "World",
]
