# ruff: noqa: INP001 - no package of ours: it runs where only the peer is installed
"""pgqueuer: eight jobs in a chain for each instance. It keeps no state, no history and no task for a person."""

import asyncio
import json
import sys

import asyncpg  # type: ignore[import-not-found]  # lives in the throw-away environment
from pgqueuer import PgQueuer, Queries  # type: ignore[import-not-found]  # lives in the throw-away environment
from pgqueuer.db import AsyncpgDriver  # type: ignore[import-not-found]  # lives in the throw-away environment
from pgqueuer.models import Job  # type: ignore[import-not-found]  # lives in the throw-away environment
from psycopg.conninfo import conninfo_to_dict

from .turns import VARS, arguments

ENTRYPOINT = "service"
STEPS = 8
BATCH = 10
WARM_UP = 5


async def connect(dsn: str) -> asyncpg.Connection:
    """A connection of its own kind."""
    parts = conninfo_to_dict(dsn)
    return await asyncpg.connect(
        host=parts["host"],
        port=int(parts.get("port") or 5432),
        user=parts["user"],
        password=parts.get("password"),
        database=parts["dbname"],
    )


class Chain:
    """Counts the chains that have come to their end."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._left, self._ended = 0, asyncio.Event()

    async def run(self, instances: int) -> None:
        """Start so many chains at once and wait until all have ended."""
        self._left = instances
        self._ended.clear()
        payload = json.dumps({"step": 1, **VARS}).encode()
        await self._queries.enqueue([ENTRYPOINT] * instances, [payload] * instances, [0] * instances)
        await self._ended.wait()

    async def step(self, job: Job) -> None:
        """One job: a variable more, and the next job."""
        variables = json.loads(job.payload or b"{}")
        variables[f"r_s{variables['step']}"] = len(variables)
        variables["step"] += 1
        if variables["step"] <= STEPS:
            await self._queries.enqueue(ENTRYPOINT, json.dumps(variables).encode())
            return
        self._left -= 1
        if not self._left:
            self._ended.set()


async def turn(told: str) -> None:
    """Say something and wait until it is heard, without standing in the way of the queue."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def main() -> None:
    """Warm up, then run."""
    dsn, instances = arguments()
    queries = Queries(AsyncpgDriver(await connect(dsn)))
    await queries.install()
    queue = PgQueuer(AsyncpgDriver(await connect(dsn)))
    chain = Chain(queries)
    queue.entrypoint(ENTRYPOINT)(chain.step)
    running = asyncio.create_task(queue.run(batch_size=BATCH))
    await chain.run(WARM_UP)
    await turn("ready")
    await chain.run(instances)
    await turn("done")
    queue.shutdown.set()
    await asyncio.wait([running], timeout=10)


if __name__ == "__main__":
    asyncio.run(main())
