"""A simulator process and a client of it, over real TCP."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

SOURCE = Path(__file__).parents[2] / "src"
OLT = "olt:ZJHZ-XH-OLT01"

Json = dict[str, Any]


def command(verb: str, key: str, element: str = OLT, kind: str = "", subject: str = "", /, **params: Any) -> Json:
    return {"key": key, "element": element, "verb": verb, "kind": kind, "subject": subject, "params": params}


def port(key: str, subject: str = "1/1/1:7", **params: Any) -> Json:
    """A do on a port of the OLT, for LOID L1 unless told otherwise."""
    return command("do", key, OLT, "olt.port", subject, **{"loid": "L1", "speed": 200} | params)


class Client:
    """One connection: commands out, replies in."""

    def __init__(self, number: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", number), timeout=10)
        self._lines = self._socket.makefile("rb")

    def send(self, *commands: Json) -> None:
        self.send_raw(b"".join(json.dumps(each).encode() + b"\n" for each in commands))

    def send_raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self) -> Json | None:
        """The next reply; None when the simulator has closed the connection."""
        try:
            line = self._lines.readline()
        except ConnectionError:
            return None
        return json.loads(line) if line else None

    def ask(self, each: Json) -> Json:
        self.send(each)
        reply = self.receive()
        assert reply is not None
        assert (reply["key"], reply["verb"]) == (each["key"], each["verb"])
        return reply

    def records(self, element: str = "*") -> list[Json]:
        records: list[Json] = self.ask(command("dump", "dump", element, limit=10_000))["result"]["records"]
        return records

    def record(self, kind: str, subject: str, element: str = OLT) -> Json:
        return self.ask(command("query", "record", element, kind, subject, subject=subject))

    def fault(self, element: str = "*", **settings: Any) -> None:
        assert self.ask(command("fault", "fault", element, **settings))["status"] == "ok"

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


class Simulator:
    """A process of `python -m diaodu.simulators`, killed at the end of the block if it still runs."""

    def __init__(self, state: Path, *arguments: str, system: str = "all") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "diaodu.simulators", "--system", system, "--state", str(state), *arguments],
            env=os.environ | {"PYTHONPATH": str(SOURCE)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdin
        assert self.process.stdout
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.ready: Json = json.loads(self.stdout.readline())
        self._clients: list[Client] = []

    def connect(self) -> Client:
        self._clients.append(Client(self.ready["port"]))
        return self._clients[-1]

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()
        self.process.kill()
        self.process.wait(10)
        self.stdin.close()
        self.stdout.close()
