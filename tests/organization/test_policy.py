"""API tokens, scopes, and the worklists that posts cover."""

from datetime import timedelta

import pytest

from diaodu.kernel.access import AccessPolicy, Principal
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotAllowed, NotAuthenticated, NotFound
from diaodu.organization import commands, queries
from diaodu.organization.policy import TokenPolicy

POLICY: AccessPolicy = TokenPolicy()


def organize(tx: Tx) -> None:
    """City 1 > exchange 2 > crews 3 and 4; city 5. Pools are numbered 10 * unit + (1 install, 2 line, 3 noc)."""
    for unit, parent in ((1, None), (2, 1), (3, 2), (4, 2), (5, None)):
        tx.run(
            "insert into organization.unit values (%s, %s, 'crew', %s, %s)", (unit, parent, f"U{unit}", f"单位{unit}")
        )
    posts = [(1, 1, "noc"), (2, 2, "supervisor"), (3, 3, "install"), (4, 4, "line"), (5, 2, "install"), (6, 5, "noc")]
    for post, unit, role in posts:
        tx.run("insert into organization.post values (%s, %s, %s, %s)", (post, unit, role, role))
    for unit, role, pool in ((1, "noc", 13), (3, "install", 31), (4, "line", 42), (4, "install", 41), (5, "noc", 53)):
        tx.run(
            "insert into organization.pool (id, unit_id, role) overriding system value values (%s, %s, %s)",
            (pool, unit, role),
        )
    for person, post in ((100, 1), (200, 2), (300, 3), (400, 5)):
        tx.run("insert into organization.person values (%s, %s, %s, null)", (person, f"P{person}", f"员工{person}"))
        tx.run("insert into organization.holding values (%s, %s)", (person, post))


def test_a_token_names_its_principal_and_only_its_digest_is_stored(tx: Tx) -> None:
    token = commands.issue_token(tx, "crm", ["ordering:write", "inventory:read"])
    principal = POLICY.authenticate(tx, token)
    assert (principal.name, principal.scopes) == ("crm", frozenset({"ordering:write", "inventory:read"}))
    assert (principal.person_id, principal.pools) == (None, None)
    assert tx.rows("select digest from organization.token") == [(commands.digest(token),)]
    assert len(token) == 43


def test_unknown_expired_and_revoked_tokens_are_refused(tx: Tx) -> None:
    expired = commands.issue_token(tx, "old", ["admin"], expires_at=tx.now)
    valid = commands.issue_token(tx, "new", ["admin"], expires_at=tx.now + timedelta(seconds=1))
    revoked = commands.issue_token(tx, "bad", ["admin"])
    commands.revoke_token(tx, POLICY.authenticate(tx, revoked).id)
    assert POLICY.authenticate(tx, valid).name == "new"
    for token in ("", "guess", expired, revoked):
        with pytest.raises(NotAuthenticated):
            POLICY.authenticate(tx, token)


def test_a_token_is_revoked_once(tx: Tx) -> None:
    with pytest.raises(NotFound):
        commands.revoke_token(tx, 1)


@pytest.mark.parametrize(
    ("scopes", "granted"),
    [
        ({"ordering:write"}, True),
        ({"admin"}, True),
        ({"ordering:read"}, False),
        ({"workforce:write"}, False),
        (set(), False),
    ],
)
def test_a_scope_must_be_held(scopes: set[str], granted: bool) -> None:  # noqa: FBT001 - a case of the table
    principal = Principal(1, "x", frozenset(scopes))
    if granted:
        POLICY.require(principal, "ordering:write")
        POLICY.require(principal, "ordering:read")
    else:
        with pytest.raises(NotAllowed) as refusal:
            POLICY.require(principal, "ordering:write")
        assert refusal.value.message("zh") == "无权执行ordering:write:缺少权限 ordering:write。"


@pytest.mark.parametrize(
    ("person", "pools"),
    [(100, {13}), (200, {31, 41, 42}), (300, {31}), (400, {31, 41})],
    ids=["same role in the unit", "a supervisor sees every role below", "a crew", "the same role below the unit"],
)
def test_a_post_covers_its_role_in_its_unit_and_below(tx: Tx, person: int, pools: set[int]) -> None:
    organize(tx)
    token = commands.issue_token(tx, "phone", ["workforce:write"], person_id=person)
    assert POLICY.authenticate(tx, token).pools == frozenset(pools)


@pytest.mark.parametrize(
    ("unit", "role", "pool"),
    [(3, "install", 31), (2, "line", 42), (2, "install", 31), (3, "noc", 13)],
    ids=["its own", "below", "of several below the first", "above"],
)
def test_work_goes_to_the_nearest_unit_with_the_role(tx: Tx, unit: int, role: str, pool: int) -> None:
    organize(tx)
    assert queries.pool_for(tx, unit, role) == pool


def test_work_that_nobody_does_has_no_worklist(tx: Tx) -> None:
    organize(tx)
    with pytest.raises(NotFound):
        queries.pool_for(tx, 5, "install")


def test_the_people_and_posts_behind_a_worklist(tx: Tx) -> None:
    organize(tx)
    assert [p.name for p in queries.people_of(tx, 31)] == ["员工300"]
    assert [(p.unit_id, p.role) for p in queries.posts_of(tx, 400)] == [(2, "install")]
    assert queries.get_person(tx, 300).code == "P300"
    assert queries.get_unit(tx, 3).parent_id == 2
