"""Time-ordered 63-bit ids that carry their partition in the low 8 bits.

Layout from the high end: 40 bits of milliseconds since 2024-01-01 (34 years), 10 bits of node (leased from a
database sequence when a process starts), 5 bits of counter, 8 bits of partition.
"""

import hashlib
import threading
import time
from datetime import UTC, datetime

EPOCH_MS = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000)
PART_BITS, COUNTER_BITS, NODE_BITS = 8, 5, 10
NODES = 1 << NODE_BITS
_COUNTER = (1 << COUNTER_BITS) - 1
_TIME_SHIFT = PART_BITS + COUNTER_BITS + NODE_BITS


class IdMaker:
    """Makes ids for one process; two live processes never share a ``node``.

    More than 32 ids in one millisecond borrow from the next one: the logical clock may run ahead of the wall
    clock during a burst and never goes back.
    """

    def __init__(self, node: int) -> None:
        self._node = node % NODES << COUNTER_BITS + PART_BITS
        self._last = 0
        self._lock = threading.Lock()

    def new(self, part: int) -> int:
        """A new id in partition ``part`` (0..255)."""
        wall = (int(time.time() * 1000) - EPOCH_MS) << COUNTER_BITS
        with self._lock:
            tick = self._last + 1
            self._last = tick = max(wall, tick)
        return tick >> COUNTER_BITS << _TIME_SHIFT | self._node | (tick & _COUNTER) << PART_BITS | part


def part_of(entity_id: int) -> int:
    """The partition that an id carries."""
    return entity_id & ((1 << PART_BITS) - 1)


def part_for(key: str, parts: int) -> int:
    """The partition of a serialisation key: a stable hash, the same in every process and release."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) % parts


def first_id_at(moment: datetime) -> int:
    """The smallest id that can be made at ``moment``: the bound of a monthly cohort."""
    return (int(moment.timestamp() * 1000) - EPOCH_MS) << _TIME_SHIFT
