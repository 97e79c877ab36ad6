"""A real HTTP server on loopback around an application, for tests."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from fastapi import FastAPI


@contextmanager
def serving(app: FastAPI, token: str) -> Iterator[httpx.Client]:
    """A client of the application with a token; its requests go through real HTTP."""
    listener = socket.create_server(("127.0.0.1", 0))
    # Inherited by each connection; without it every answer waits 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    headers = {"Authorization": f"Bearer {token}"}
    try:
        # The socket listens already: the first request waits until the server is up.
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=20) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
