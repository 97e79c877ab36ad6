"""The rights of API tokens: the implementation of ``kernel.access.AccessPolicy``."""

from diaodu.kernel.access import Principal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotAllowed, NotAuthenticated
from diaodu.organization import queries
from diaodu.organization.commands import digest
from diaodu.organization.model import holds


class TokenPolicy:
    """Rights from the token's scopes, worklists from the posts of its person; a system's token sees all worklists."""

    def authenticate(self, tx: Tx, token: str) -> Principal:
        """The principal of an API token; NotAuthenticated when it is unknown, expired or revoked."""
        row = tx.row(
            "select id, name, scopes, person_id from organization.token"
            " where digest = %s and revoked_at is null and (expires_at is null or expires_at > %s)",
            (digest(token), tx.now),
        )
        if row is None:
            raise NotAuthenticated
        token_id, name, scopes, person_id = row
        if person_id is None:
            return Principal(token_id, name, frozenset(scopes))
        return Principal(token_id, name, frozenset(scopes), person_id, lambda: queries.pools_of(tx, person_id))

    def require(self, principal: Principal, scope: str) -> None:
        """Pass when the principal holds ``scope``, else NotAllowed."""
        if not holds(principal.scopes, scope):
            raise NotAllowed(action=scope, right=scope)
