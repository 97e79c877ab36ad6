"""The web process of the engine's benchmark: the real edge, and one more endpoint that does nothing.

``python -m diaodu.app.bench.engine_web DSN`` says on which port of loopback it listens, and ends with its input.
"""

import sys
import threading

import uvicorn
from fastapi import Response

from diaodu.app.asgi import create_app
from diaodu.app.serve import WEB_POOL_MAX, listen
from diaodu.kernel import collector
from diaodu.kernel.db import Database
from diaodu.organization.policy import TokenPolicy

NOTHING = "/nothing"


def nothing(entity_id: str) -> Response:  # noqa: ARG001 - the path is that of a real resource
    """Answer without looking at anything; in a thread of the pool, as all handlers of the edge."""
    return Response(b"{}", media_type="application/json")


def main() -> None:
    """Serve until the input ends."""
    db = Database(sys.argv[1], pool_max=WEB_POOL_MAX)
    collector.rarely()  # as every web process does
    app = create_app(db, TokenPolicy())
    app.add_api_route(NOTHING + "/{entity_id}", nothing, methods=["POST"])
    with listen("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, server_header=False))
        serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        serving.start()
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        sys.stdin.read()
        server.should_exit = True
        serving.join()
    db.close()


if __name__ == "__main__":
    main()
