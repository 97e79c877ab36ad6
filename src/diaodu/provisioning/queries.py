"""Reads of where other systems are."""

from diaodu.kernel.db import Tx
from diaodu.provisioning.model import Address


def addresses(tx: Tx) -> dict[str, Address]:
    """The address of each system, by the name that its elements begin with (``olt`` of ``olt:ZJHZ-01``)."""
    found = tx.rows("select name, host, port, queryable, idempotent from provisioning.element")
    return {name: Address(*where) for name, *where in found}
