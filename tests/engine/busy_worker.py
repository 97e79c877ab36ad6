"""A worker process for a test: it works until it is killed.

python busy_worker.py DSN OWNER
"""

import sys
import threading

from diaodu.engine.ports import Handlers
from diaodu.engine.worker import Worker
from diaodu.kernel.db import Database

if __name__ == "__main__":
    Worker(Database(sys.argv[1], pool_max=3), Handlers({}, {}), sys.argv[2]).run(threading.Event())
