"""The wire to other systems: one JSON object a line, one kept connection an address, replies matched by key and verb.

Nothing here blocks but ``collect``, and that only as long as it is told to. Doubled, reordered and late replies are
simply replies: who asked decides what to do with them.
"""

import errno
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from diaodu.provisioning.model import Address, Command, Reply, Status, Verb

Ask = tuple[str, Verb]

CONNECT_S = 2.0
CHUNK = 1 << 18
MAX_LINE = 1 << 20


@dataclass(frozen=True)
class Break:
    """A connection that is gone; of the commands posted on it, ``unsent`` never left this process."""

    address: Address
    unsent: frozenset[Ask]


@dataclass
class Arrived:
    """What came in: replies in the order of their arrival, and the connections that broke."""

    replies: list[Reply] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.replies or self.breaks)


class _Line:
    """One connection: what waits to be written and what of it has left."""

    def __init__(self, address: Address) -> None:
        self.address, self.opened_at, self.connected = address, time.monotonic(), False
        try:
            host, port = address.host, address.port
            family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        except OSError:  # no such host: the same as one that does not answer
            family, kind, protocol, place = socket.AF_INET, socket.SOCK_STREAM, 0, None
        self.socket = socket.socket(family, kind, protocol)
        self.socket.settimeout(0)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._out = bytearray()
        self._rest = b""
        # Stream offsets at which the commands begin that have not begun to leave.
        self._starts: deque[tuple[int, Ask]] = deque()
        self._posted = self._written = 0
        self.failed = place is None or self.socket.connect_ex(place) not in (0, errno.EINPROGRESS)

    @property
    def unsent(self) -> frozenset[Ask]:
        return frozenset(ask for _, ask in self._starts)

    @property
    def events(self) -> int:
        waiting = self._out or not self.connected
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if waiting else 0)

    def post(self, commands: Iterable[Command]) -> None:
        for c in commands:
            self._starts.append((self._posted, (c.key, c.verb)))
            self._out += (line := _encode(c))
            self._posted += len(line)
        if self.connected:
            self.write()

    def write(self) -> None:
        try:
            while self._out:
                sent = self.socket.send(self._out)
                self.connected = True
                del self._out[:sent]
                self._written += sent
        except BlockingIOError:
            pass
        except OSError:
            self.failed = True
        while self._starts and self._starts[0][0] < self._written:
            self._starts.popleft()

    def finish_connect(self) -> None:
        self.failed |= self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
        self.connected = not self.failed

    def read(self) -> list[Reply]:
        chunks = [self._rest]
        try:
            while chunk := self.socket.recv(CHUNK):
                chunks.append(chunk)
            self.failed = True
        except BlockingIOError:
            pass
        except OSError:
            self.failed = True
        *lines, self._rest = b"".join(chunks).split(b"\n")
        self.failed |= len(self._rest) > MAX_LINE
        try:
            return [reply for line in lines if (reply := _decode(line))]
        except ValueError:  # not the protocol: nothing more can be believed of this stream
            self.failed = True
            return []


class Wire:
    """The connections of one sender."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._lines: dict[Address, _Line] = {}

    def post(self, address: Address, commands: Iterable[Command]) -> None:
        """Send commands without waiting; a fault of the connection shows at the next ``collect``."""
        line = self._lines.get(address)
        if line is None:
            line = self._lines[address] = _Line(address)
            self._selector.register(line.socket, line.events, line)
        line.post(commands)
        self._selector.modify(line.socket, line.events, line)

    def collect(self, timeout_s: float) -> Arrived:
        """What has arrived; waits up to ``timeout_s`` for the first of it."""
        arrived = Arrived()
        ready = self._selector.select(0 if any(line.failed for line in self._lines.values()) else timeout_s)
        for key, mask in ready:
            line: _Line = key.data
            if mask & selectors.EVENT_WRITE and not line.connected:
                line.finish_connect()
            if mask & selectors.EVENT_WRITE and line.connected:
                line.write()
            if mask & selectors.EVENT_READ:
                arrived.replies += line.read()
            self._selector.modify(line.socket, line.events, line)
        now = time.monotonic()
        for line in list(self._lines.values()):
            if line.failed or (not line.connected and now > line.opened_at + CONNECT_S):
                arrived.breaks.append(Break(line.address, line.unsent))
                self._drop(line)
        return arrived

    def exchange(self, address: Address, commands: Iterable[Command], timeout_s: float) -> dict[Ask, Reply]:
        """Send commands and wait for their replies; what is missing in the answer did not come in time.

        Late replies to others, which arrive meanwhile, are dropped.
        """
        told = list(commands)
        missing = {(c.key, c.verb) for c in told}
        answers: dict[Ask, Reply] = {}
        self.post(address, told)
        end = time.monotonic() + timeout_s
        while missing and (left := end - time.monotonic()) > 0:
            arrived = self.collect(left)
            answers |= {(r.key, r.verb): r for r in arrived.replies if (r.key, r.verb) in missing}
            missing -= answers.keys()
            if any(b.address == address for b in arrived.breaks):
                break
        return answers

    def close(self) -> None:
        """Close all connections."""
        for line in list(self._lines.values()):
            self._drop(line)
        self._selector.close()

    def _drop(self, line: _Line) -> None:
        self._selector.unregister(line.socket)
        line.socket.close()
        del self._lines[line.address]


def _encode(c: Command) -> bytes:
    body = {
        "key": c.key,
        "element": c.element,
        "verb": c.verb,
        "kind": c.kind,
        "subject": c.subject,
        "params": c.params,
    }
    return orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)


def _decode(line: bytes) -> Reply | None:
    """The reply on a line; None for one that answers nobody; ValueError for what is no reply."""
    told = orjson.loads(line)
    if not isinstance(told, dict):
        raise ValueError("a reply is a JSON object")  # noqa: TRY004 - one error for all that is no reply
    if told.get("key") is None or told.get("verb") is None:
        return None
    return Reply(
        str(told["key"]),
        Verb(told["verb"]),
        Status(told.get("status", "none")),
        told.get("code"),
        told.get("message") or {},
        told.get("result") or {},
    )
