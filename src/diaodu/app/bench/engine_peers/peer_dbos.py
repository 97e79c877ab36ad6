# ruff: noqa: INP001 - no package of ours: it runs where only the peer is installed
"""DBOS: a workflow of eight steps that then waits for a message with a time limit, which stands for the person."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import psycopg
from dbos import DBOS  # type: ignore[import-not-found]  # lives in the throw-away environment
from psycopg.conninfo import conninfo_to_dict

from .turns import VARS, arguments, take_turns

THREADS = 8


@DBOS.step()  # type: ignore[untyped-decorator]  # as above
def service(n: int, variables: dict[str, Any]) -> dict[str, Any]:
    """Each step adds a variable."""
    return {f"r_s{n}": len(variables)}


@DBOS.workflow()  # type: ignore[untyped-decorator]  # as above
def workflow(variables: dict[str, Any]) -> Any:
    """The work item."""
    variables = dict(variables)
    for n in range(1, 9):
        variables.update(service(n, variables))
    return DBOS.recv("check", timeout_seconds=86_400) if variables["amount"] > 100 else None


def one(_: int) -> None:
    """Start, tell that the task is done, and wait for the end."""
    handle = DBOS.start_workflow(workflow, VARS)
    DBOS.send(handle.workflow_id, {"result": "ok"}, "check")
    handle.get_result()


def run_all(pool: ThreadPoolExecutor, instances: int) -> None:
    """So many instances on all threads."""
    for _ in pool.map(one, range(instances)):
        pass


def url(dsn: str) -> str:
    """The form of a DSN that DBOS takes."""
    parts = {name: quote(str(value), safe="") for name, value in conninfo_to_dict(dsn).items()}
    password = ":" + parts["password"] if "password" in parts else ""
    port = "&port=" + parts["port"] if "port" in parts else ""
    return f"postgresql://{parts['user']}{password}@/{parts['dbname']}?host={parts['host']}{port}"


def main() -> None:
    """Warm up, then run on threads."""
    dsn, instances = arguments()
    psycopg.connect(dsn).close()
    DBOS(
        config={
            "name": f"bench-{os.getpid()}",
            "system_database_url": url(dsn),
            "log_level": "ERROR",
            "run_admin_server": False,
            "enable_otlp": False,
        }
    )
    DBOS.launch()
    with ThreadPoolExecutor(THREADS) as pool:
        run_all(pool, THREADS)
        take_turns(lambda: run_all(pool, instances))
    os._exit(0)  # its own threads would keep it for some seconds


if __name__ == "__main__":
    main()
