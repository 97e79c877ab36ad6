"""A system that hears everything and answers only when it is told to."""

import json
import socket
import threading
from contextlib import suppress
from typing import Any


class Silent:
    """Listens on ``port`` of loopback; takes one connection."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._heard: list[dict[str, Any]] = []
        self._answered = 0
        self._told = threading.Event()
        self._peer: socket.socket | None = None
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()

    def _hear(self) -> None:
        self._peer, _ = self._listener.accept()
        with self._peer, self._peer.makefile("rb") as lines, suppress(ConnectionError):
            for line in lines:
                self._heard.append(json.loads(line))
                if self._heard[-1]["verb"] == "do":
                    self._told.set()

    def close(self) -> None:
        """Once the sender has hung up."""
        self._thread.join()
        self._listener.close()

    def answer(self) -> None:
        """Say yes to all that was heard and not answered yet, and show each record as it was ordered."""
        self._told.wait()
        assert self._peer is not None
        heard = self._heard[self._answered :]
        self._answered += len(heard)
        ordered = next(c["params"] for c in self._heard if c["verb"] == "do")
        for c in heard:
            reply = {"key": c["key"], "verb": c["verb"], "status": "ok", "result": {"params": ordered}}
            self._peer.sendall(json.dumps(reply).encode() + b"\n")
