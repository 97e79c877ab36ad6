"""A sender is killed again and again under load; every effect is carried out exactly once all the same."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.fulfilment import sending
from tests.fulfilment.sending import SYSTEMS
from tests.simulators.wire import SOURCE, Simulator

from diaodu.fulfilment.send import Sender
from diaodu.kernel.db import Database

CHILD = """
import sys, threading
from diaodu.fulfilment.send import Sender
from diaodu.kernel.db import Database
print("up", flush=True)
Sender(Database(sys.argv[1]), sys.argv[2], sys.argv[3].split(","), answer_s=0.3).run(threading.Event())
"""


@pytest.mark.crash
def test_killed_senders_lose_nothing_and_do_nothing_twice(db: Database, db_dsn: str, tmp_path: Path) -> None:
    with Simulator(tmp_path / "state", "--not-idempotent") as simulator:
        sending.wire_up(db, simulator.ready["port"])
        client = simulator.connect()
        client.fault(lost=0.02, drop=0.02, double=0.05, reorder=0.05, seed=7)
        made = []
        for n in range(500):
            with db.transaction() as tx:
                made += sending.broadband(tx, n, n % 4)
        for life in range(5):
            _live_until_sent(db, db_dsn, f"sender-{life}", (life + 1) * len(made) // 10)
        client.fault()
        left = set(sending.states(db, [e.id for e in made]))
        assert {"intent", "sent"} <= left  # else the senders were not killed in the middle of it
        last = Sender(db, "last", SYSTEMS)
        while set(sending.states(db, [e.id for e in made])) != {"confirmed"}:
            last.run_until_idle()
            sending.land(db)
            sending.make_due(db)
        last.close()
        assert {r["key"] for r in client.records()} == {str(e.id) for e in made}
        assert {sending.times(client, e.id, str(e.element)) for e in made} == {1}


def _live_until_sent(db: Database, dsn: str, owner: str, count: int) -> None:
    """A sender process that is killed as soon as so many effects have been sent in all."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, dsn, owner, ",".join(SYSTEMS)],
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
    )
    assert child.stdout
    child.stdout.readline()
    until = time.monotonic() + 60
    while _sent(db) < count:
        assert child.poll() is None
        assert time.monotonic() < until
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    child.stdout.close()
    with db.transaction() as tx:  # the next one need not wait for the lease to run out
        tx.run("update kernel.lease set until = now() - interval '1 second'")


def _sent(db: Database) -> int:
    with db.transaction() as tx:
        ((count,),) = tx.rows("select count(*) from planning.effect where sent_at is not null")
    return int(count)
