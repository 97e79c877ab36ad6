"""The server: web, workers and simulators as child processes of one supervisor that owns the listening socket.

The socket outlives the web process, so that a restart of it loses no connection attempt and keeps the port.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import structlog
import uvicorn

from diaodu.app.asgi import create_app
from diaodu.app.installation import connect_systems, opened, simulated
from diaodu.app.processes import DIAODU, Child, Supervisor
from diaodu.kernel import collector
from diaodu.kernel.cohorts import extend_history
from diaodu.kernel.config import Settings
from diaodu.kernel.errors import Rejected
from diaodu.organization.policy import TokenPolicy
from diaodu.provisioning.model import Address

BACKLOG = 512
READY_S = 60.0
WEB_POOL_MAX = 12
log = structlog.get_logger(__name__)


class PortInUse(Rejected):
    """409: the address to listen on is not to be had."""

    code, status = "app.port-in-use", 409
    en = "Cannot listen on {host}:{port}: {reason}. Choose another one with --port (0 = any free port)."
    zh = "无法监听 {host}:{port}：{reason}。请用 --port 选择其他端口（0 表示任选空闲端口）。"


class NotReady(Rejected):
    """503: a child process does not come up."""

    code, status = "app.not-ready", 503
    en = "The {what} was not ready in time; the log says why."
    zh = "{what} 未能按时就绪，原因见日志。"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; PortInUse."""
    try:
        listener = socket.create_server((host, port), backlog=BACKLOG, family=_family(host))
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise PortInUse(host=host, port=port, reason=reason) from error
    # Inherited by each connection; without it every answer waits 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def url_of(host: str, listener: socket.socket) -> str:
    """Where clients find a listening socket."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{name}:{listener.getsockname()[1]}"


def serve(settings: Settings, dsn: str, state: Path, ready: Callable[[str], None]) -> None:
    """Run the server on a migrated database until an exception (SystemExit of a signal) ends it.

    ``state`` is the directory of the simulators' files; ``ready`` is told the URL once requests are answered.
    """
    with listen(settings.host, settings.port) as listener, Supervisor() as children:
        url = url_of(settings.host, listener)
        environment = settings.model_copy(
            update={"database_url": dsn, "port": listener.getsockname()[1], "public_url": settings.public_url or url}
        ).environment()
        simulators = _start_simulators(children, state) if simulated(settings.systems) else None
        with opened(dsn) as db:
            connect_systems(db, settings.systems, simulators)
            with db.transaction(actor="serve") as tx:
                extend_history(tx.conn, tx.now)
        fd = listener.fileno()
        children.add(Child("web", [*DIAODU, "web", "--fd", str(fd)], environment, [fd]))
        for n in range(settings.workers):
            children.add(Child(f"worker-{n + 1}", [*DIAODU, "worker"], environment))
        _await(url, children)
        log.info("serve.ready", url=url)
        ready(url)
        children.run()


def run_web(settings: Settings, dsn: str, fd: int) -> None:
    """Answer HTTP requests on an inherited listening socket until SIGTERM; what is under way is finished."""
    with opened(dsn, pool_max=WEB_POOL_MAX) as db, socket.socket(fileno=fd) as listener:
        collector.rarely()
        application = create_app(db, TokenPolicy(), callback_hosts=settings.hub_allow)
        config = uvicorn.Config(
            application, log_config=None, access_log=False, timeout_graceful_shutdown=10, server_header=False
        )
        uvicorn.Server(config).run(sockets=[listener])


def _start_simulators(children: Supervisor, state: Path) -> Address:
    command = [sys.executable, "-m", "diaodu.simulators", "--system", "all", "--state", str(state), "--with-parent"]
    child = Child("simulators", [*command, "--port", "0"])
    told = children.add(child, told=True)
    if not told:
        raise NotReady(what="simulators")
    port = int(json.loads(told)["port"])
    child.command = [*command, "--port", str(port)]  # a restarted one is found where it was
    return Address("127.0.0.1", port)


def _await(url: str, children: Supervisor) -> None:
    end = time.monotonic() + READY_S
    with httpx.Client(trust_env=False, timeout=5) as client:
        while time.monotonic() < end:
            children.look()
            try:
                if client.get(f"{url}/health").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
    raise NotReady(what="web server")


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
