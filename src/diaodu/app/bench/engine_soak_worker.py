"""A worker of the soak test, with its leases.

``python -m diaodu.app.bench.engine_soak_worker DSN`` works until its input ends.
"""

import os
import sys
import threading

from diaodu.app.bench.engine_item import MODES
from diaodu.engine.worker import Worker
from diaodu.kernel.db import Database


def main() -> None:
    """Work in a thread, and wait for the end."""
    db = Database(sys.argv[1], pool_max=2, plan_anew=True)
    stop = threading.Event()
    worker = threading.Thread(target=Worker(db, MODES["together"], f"soak-{os.getpid()}").run, args=(stop,))
    worker.start()
    sys.stdout.write('"ready"\n')
    sys.stdout.flush()
    sys.stdin.read()
    stop.set()
    worker.join()
    db.close()


if __name__ == "__main__":
    main()
