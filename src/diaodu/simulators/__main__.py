"""`python -m diaodu.simulators`: host simulated systems on one loopback port until told to end."""

import argparse
import asyncio
import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path

import orjson

from diaodu.simulators.faults import Faults
from diaodu.simulators.messages import Refused, decode, refusal
from diaodu.simulators.peer import Peer
from diaodu.simulators.rules import RULES
from diaodu.simulators.server import Connection, Desk
from diaodu.simulators.store import Store

NETWORK = ("olt", "aaa", "ims", "iptv", "itms")
SYSTEMS = {"network": NETWORK, "billing": ("billing",), "sla": ("sla",), "sms": ("sms",), "all": tuple(RULES)}


def main() -> None:
    """Parse the command line and serve; a plain sentence and status 1 if it cannot."""
    arguments = _arguments()
    try:
        faults = Faults(decode(arguments.fault.encode()))
        asyncio.run(_serve(arguments, faults))
    except Refused as refused:
        sys.exit(f"--fault: {(refusal(refused).message or {})['en']}")
    except (OSError, sqlite3.OperationalError) as error:
        sys.exit(f"cannot serve from {arguments.state}: {error}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m diaodu.simulators", description=__doc__)
    parser.add_argument("--system", choices=sorted(SYSTEMS), required=True)
    parser.add_argument("--port", type=int, default=0, help="0 = any free port, printed when listening")
    parser.add_argument("--state", type=Path, required=True, help="directory of the SQLite files, one a system")
    parser.add_argument("--fault", default="{}", metavar="JSON", help="misbehaviour from the start")
    parser.add_argument("--not-idempotent", action="store_true", help="apply a key again each time it comes")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input is closed")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace, faults: Faults) -> None:
    loop = asyncio.get_running_loop()
    arguments.state.mkdir(parents=True, exist_ok=True)
    peers = {
        name: Peer(RULES[name], Store(arguments.state / f"{name}.sqlite"), idempotent=not arguments.not_idempotent)
        for name in SYSTEMS[arguments.system]
    }
    desk = Desk(peers, faults)
    # A batch that cannot be applied is a bug or a full disk: end at once, so that nothing of it is ever committed.
    loop.set_exception_handler(lambda _, context: desk.end(context.get("exception")))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, desk.end)
    if arguments.with_parent:
        threading.Thread(target=_await_end_of_input, args=(loop, desk), daemon=True).start()
    server = await loop.create_server(lambda: Connection(desk), "127.0.0.1", arguments.port)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(orjson.dumps({"system": arguments.system, "port": port}).decode() + "\n")
    sys.stdout.flush()
    try:
        await desk.ended
    finally:
        server.close()
        for peer in peers.values():
            peer.store.close()


def _await_end_of_input(loop: asyncio.AbstractEventLoop, desk: Desk) -> None:
    # os.read and not sys.stdin: a thread inside a buffered reader breaks the interpreter's shutdown.
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(desk.end)


if __name__ == "__main__":
    main()
