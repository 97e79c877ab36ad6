"""The TCP side: all lines that have arrived are applied in one transaction a system, committed, then answered."""

import asyncio
from typing import cast

from diaodu.simulators.faults import UNHARMED, Fate, Faults
from diaodu.simulators.messages import MAX_LINE, Command, Outcome, Params, Refused, command, decode, encode, refusal
from diaodu.simulators.peer import Peer

REORDER_SECONDS = 0.05
PAGE = 1_000
MAX_PAGE = 10_000


class Connection(asyncio.Protocol):
    """One client: cuts the stream into lines for the desk and carries its replies back."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._rest = b""
        self._out: list[bytes] = []
        self._held: list[bytes] = []
        self.closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._desk.connections.add(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._desk.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._desk.receive(self, lines)
        if len(self._rest) > MAX_LINE:
            self.put(encode(None, None, refusal(Refused("malformed", field="line length"))), UNHARMED)
            self.closing = True
            self.flush()

    def pause_writing(self) -> None:
        # A client that does not read its replies may not send more commands either.
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def put(self, reply: bytes, fate: Fate) -> None:
        """Send a reply as its fate has it, at the next flush or later."""
        if fate.delay:
            asyncio.get_running_loop().call_later(fate.delay, self._arrive, reply, fate)
        else:
            self._order(reply, fate)

    def flush(self) -> None:
        """Write what is ready in one piece and close if this connection is to end."""
        if self._out and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()
        if self.closing:
            self._transport.close()

    def _arrive(self, reply: bytes, fate: Fate) -> None:
        self._order(reply, fate)
        self.flush()

    def _order(self, reply: bytes, fate: Fate) -> None:
        copies = [reply, reply] if fate.double else [reply]
        if fate.reorder:
            self._held += copies
            asyncio.get_running_loop().call_later(REORDER_SECONDS, self._let_go)
        else:
            self._out += copies + self._held
            self._held.clear()

    def _let_go(self) -> None:
        self._out += self._held
        self._held.clear()
        self.flush()


class Desk:
    """Where the commands of all connections are gathered, applied and answered, batch by batch.

    `ended` is done when the process is to end; it holds the error if a batch could not be applied, which is then
    not committed.
    """

    def __init__(self, peers: dict[str, Peer], faults: Faults) -> None:
        self._peers = peers
        self._faults = faults
        self._inbox: list[tuple[Connection, bytes]] = []
        self.connections: set[Connection] = set()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self, error: Exception | None = None) -> None:
        """Serve no further batch."""
        if self.ended.done():
            return
        if error:
            self.ended.set_exception(error)
        else:
            self.ended.set_result(None)

    def receive(self, connection: Connection, lines: list[bytes]) -> None:
        """Take the lines in; they are served together with all others that arrive in this turn of the loop."""
        if lines and not self._inbox:
            asyncio.get_running_loop().call_soon(self._serve)
        self._inbox += [(connection, line) for line in lines]

    def _serve(self) -> None:
        batch, self._inbox = self._inbox, []
        if self.ended.done():
            return
        replies = [(connection, *self._handle(connection, line)) for connection, line in batch]
        for peer in self._peers.values():
            peer.store.commit()
        for connection, reply, fate in replies:
            if reply:
                connection.put(reply, fate)
        for connection in {connection for connection, _ in batch} | {c for c in self.connections if c.closing}:
            connection.flush()

    def _handle(self, connection: Connection, line: bytes) -> tuple[bytes | None, Fate]:
        """Apply one command: the reply (None = none is sent) and the fate that the reply is sent under."""
        if connection.closing:
            return None, UNHARMED
        fields: Params = {}
        fate = UNHARMED
        try:
            fields = decode(line)
            told = command(fields)
            if told.verb in ("fault", "dump"):
                outcome = self._fault(told, connection) if told.verb == "fault" else self._dump(told)
            else:
                peer = self._peer(told)
                fate = self._faults.fate(told)
                connection.closing = fate.down
                if fate.down or fate.lost:
                    return None, fate
                outcome = peer.answer(told, broken=fate.refuse)
        except Refused as refused:
            outcome = refusal(refused)
        return (None if fate.drop else encode(fields.get("key"), fields.get("verb"), outcome)), fate

    def _peer(self, told: Command) -> Peer:
        peer = self._peers.get(told.element.partition(":")[0])
        if peer is None:
            raise Refused("unknown-element", element=told.element)
        return peer

    def _fault(self, told: Command, connection: Connection) -> Outcome:
        """Set the misbehaviour of `*`, a system or an element; the asking connection stays, so that it can lift it."""
        if told.element != "*":
            self._peer(told)
        self._faults.set(told.element.removesuffix(":"), told.params)
        if told.element == "*" and told.params.get("down"):
            for other in self.connections - {connection}:
                other.closing = True
        return Outcome("ok")

    def _dump(self, told: Command) -> Outcome:
        """A page of records of `*`, a system or an element; `next` is the `after` of the next page, null at the end."""
        limit = told.params.get("limit", PAGE)
        if not isinstance(limit, int) or not 1 <= limit <= MAX_PAGE:
            raise Refused("invalid-parameter", field="limit", value=limit)
        after = told.params.get("after") or ["", "", ""]
        if not (isinstance(after, list) and len(after) == 3 and all(isinstance(part, str) for part in after)):
            raise Refused("invalid-parameter", field="after", value=after)
        peers = [self._peers[name] for name in sorted(self._peers)] if told.element == "*" else [self._peer(told)]
        element = told.element if told.element.partition(":")[2] else None
        records: list[Params] = []
        for peer in peers:
            if len(records) < limit:
                start = (after[0], after[1], after[2])
                records += peer.store.page(None if told.element == "*" else element, start, limit - len(records))
        last = records[-1] if len(records) == limit else None
        following = [last["element"], last["kind"], last["subject"]] if last else None
        return Outcome("ok", result={"records": records, "next": following})
