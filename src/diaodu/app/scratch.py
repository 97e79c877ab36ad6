"""A server on a throw-away database, with the demonstration operator or empty; nothing of it is left behind."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass

from diaodu.app.installation import example_operator, initialise, opened
from diaodu.app.operator import install
from diaodu.app.serve import serve
from diaodu.kernel import postgres
from diaodu.kernel.config import Settings


@dataclass(frozen=True)
class Scratch:
    """A server that is ready: where it is and how to get in."""

    url: str
    token: str
    database_url: str


def announce(scratch: Scratch) -> None:
    """Tell whoever started the server, on one line of standard output."""
    sys.stdout.write(json.dumps(vars(scratch)) + "\n")
    sys.stdout.flush()


def serve_scratch(settings: Settings, ready: Callable[[Scratch], None], *, empty: bool = False) -> None:
    """Serve until told to end; ``ready`` is told when requests are answered."""
    with postgres.scratch() as server:
        token = initialise(server.dsn, parts=settings.parts)
        assert token is not None
        # Inside the scratch directory: whoever sweeps that up after a kill -9 takes it away too.
        state = server.home / "simulators"
        if not empty:
            with opened(server.dsn) as db:
                install(db, example_operator(), network=state)
        serve(settings, server.dsn, state, lambda url: ready(Scratch(url, token, server.dsn)))
