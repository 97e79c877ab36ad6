"""The only place where the wall clock is read; everything below the edge is given ``now``."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)
