"""What this room asks of those above it."""

from collections.abc import Collection
from typing import Protocol

from diaodu.kernel.db import Tx


class Fit(Protocol):
    """Whether what is deployed still fits those who rely on it; the catalogue does."""

    def __call__(self, tx: Tx, processes: Collection[str]) -> None:
        """Look at the newest versions of these processes; a Rejected says what they lack."""
