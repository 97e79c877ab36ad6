"""Who acts and what they may do: the port that every edge asks and that ``organization`` answers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from diaodu.kernel.db import Tx


@dataclass(frozen=True)
class Principal:
    """An authenticated caller: a person or a system, with the scopes of its token.

    ``covered`` reads the worklists that it may see when they are first asked for: most requests are about none.
    """

    id: int
    name: str
    scopes: frozenset[str] = frozenset()
    person_id: int | None = None
    covered: Callable[[], frozenset[int] | None] = lambda: None

    @cached_property
    def pools(self) -> frozenset[int] | None:
        """The worklists as interned pool ids; None means all of them. Asked within the transaction of the request."""
        return self.covered()


class AccessPolicy(Protocol):
    """Answers for rights; deny by default."""

    def authenticate(self, tx: "Tx", token: str) -> Principal:
        """The principal of an API token; NotAuthenticated when it is unknown, expired or revoked."""

    def require(self, principal: Principal, scope: str) -> None:
        """Pass when the principal holds ``scope`` (``room:read`` or ``room:write``), else NotAllowed."""
