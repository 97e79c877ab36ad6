"""Writes of where other systems are."""

from collections.abc import Mapping

from diaodu.kernel import sets
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.provisioning.model import Address

_ELEMENT = {"name": "text", "system": "text", "host": "text", "port": "int4"}


def set_addresses(tx: Tx, addresses: Mapping[str, Address]) -> None:
    """Tell where systems listen, by the name that their elements begin with; known ones move."""
    sets.insert(
        tx,
        "provisioning.element",
        _ELEMENT,
        [(name, name, address.host, address.port) for name, address in addresses.items()],
        on_conflict="(name) do update set host = excluded.host, port = excluded.port",
    )


def set_manner(tx: Tx, system: str, *, queryable: bool, idempotent: bool) -> None:
    """Tell whether a system can be asked about a key, and whether a key sent twice is carried out once; NotFound."""
    done = tx.run(
        "update provisioning.element set queryable = %s, idempotent = %s where name = %s",
        (queryable, idempotent, system),
    )
    if not done:
        raise NotFound(entity="system", id=system)
