"""Writes: API tokens are opaque random texts of which only the digest is kept."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime

from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound

# 256 bits: guessing is hopeless, so a plain digest without salt is enough.
TOKEN_BYTES = 32


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def issue_token(
    tx: Tx, name: str, scopes: Collection[str], person_id: int | None = None, expires_at: datetime | None = None
) -> str:
    """Make an API token and return it; it is shown once and cannot be read again."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    tx.run(
        "insert into organization.token (id, digest, name, person_id, scopes, created_at, expires_at)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        (tx.new_id(0), digest(token), name, person_id, sorted(scopes), tx.now, expires_at),
    )
    return token


def revoke_token(tx: Tx, token_id: int) -> None:
    """End a token now; NotFound when there is none that is still valid."""
    revoke = "update organization.token set revoked_at = %s where id = %s and revoked_at is null"
    if not tx.run(revoke, (tx.now, token_id)):
        raise NotFound(entity="token", id=token_id)
