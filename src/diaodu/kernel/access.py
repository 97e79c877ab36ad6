"""Who acts and what they may do: the port that every edge asks and that ``organization`` answers."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from diaodu.kernel.db import Tx


@dataclass(frozen=True)
class Principal:
    """An authenticated caller: a person or a system, with the scopes of its token.

    ``pools`` are the worklists that it may see, as interned pool ids; None means all of them.
    """

    id: int
    name: str
    scopes: frozenset[str] = frozenset()
    person_id: int | None = None
    pools: frozenset[int] | None = field(default=None)


class AccessPolicy(Protocol):
    """Answers for rights; deny by default."""

    def authenticate(self, tx: "Tx", token: str) -> Principal:
        """The principal of an API token; NotAuthenticated when it is unknown, expired or revoked."""

    def require(self, principal: Principal, scope: str) -> None:
        """Pass when the principal holds ``scope`` (``room:read`` or ``room:write``), else NotAllowed."""
