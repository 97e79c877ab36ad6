"""Reads of units, posts, people and the worklists that they cover."""

from diaodu.kernel.db import Tx
from diaodu.kernel.errors import NotFound
from diaodu.organization.model import SUPERVISOR, Person, Post, Unit, UnitKind

_POOLS_OF = """
with recursive covered (unit_id, role) as (
  select p.unit_id, p.role from organization.holding h
    join organization.post p on p.id = h.post_id where h.person_id = %s
  union
  select u.id, c.role from covered c join organization.unit u on u.parent_id = c.unit_id
)
select distinct p.id from organization.pool p join covered c on c.unit_id = p.unit_id and c.role in (p.role, %s)
"""
# Distance 0 is the unit itself, positive below it, negative above it.
_POOL_FOR = """
with recursive down (id, distance) as (
  select %(unit)s::int4, 0 union all
  select u.id, d.distance + 1 from down d join organization.unit u on u.parent_id = d.id
), up (id, distance) as (
  select parent_id, -1 from organization.unit where id = %(unit)s union all
  select u.parent_id, a.distance - 1 from up a join organization.unit u on u.id = a.id
)
select p.id from (select * from down union all select * from up) n join organization.pool p on p.unit_id = n.id
 where p.role = %(role)s order by n.distance < 0, abs(n.distance), p.unit_id limit 1
"""


def get_unit(tx: Tx, unit_id: int) -> Unit:
    """A unit by id; NotFound."""
    row = tx.row("select id, parent_id, kind, code, name from organization.unit where id = %s", (unit_id,))
    if row is None:
        raise NotFound(entity="unit", id=unit_id)
    return Unit(row[0], row[1], UnitKind(row[2]), row[3], row[4])


def top_unit(tx: Tx) -> int | None:
    """The unit that stands above all; None before an operator is loaded."""
    row = tx.row("select id from organization.unit where parent_id is null order by id limit 1")
    return int(row[0]) if row else None


def get_person(tx: Tx, person_id: int) -> Person:
    """A person by id; NotFound."""
    row = tx.row("select id, code, name, phone from organization.person where id = %s", (person_id,))
    if row is None:
        raise NotFound(entity="person", id=person_id)
    return Person(*row)


def find_person(tx: Tx, code: str) -> Person:
    """A person by code; NotFound."""
    row = tx.row("select id, code, name, phone from organization.person where code = %s", (code,))
    if row is None:
        raise NotFound(entity="person", id=code)
    return Person(*row)


def posts_of(tx: Tx, person_id: int) -> list[Post]:
    """The posts that a person holds, by id."""
    found = tx.rows(
        "select p.id, p.unit_id, p.role, p.name from organization.holding h"
        " join organization.post p on p.id = h.post_id where h.person_id = %s order by p.id",
        (person_id,),
    )
    return [Post(*r) for r in found]


def pools_of(tx: Tx, person_id: int) -> frozenset[int]:
    """The worklists that a person's posts cover: same role at or below the unit; a supervisor covers every role."""
    return frozenset(r[0] for r in tx.rows(_POOLS_OF, (person_id, SUPERVISOR)))


def pool_for(tx: Tx, unit_id: int, role: str) -> int:
    """The worklist for work of ``role`` in a unit: its own, else the nearest below it, else the nearest above it.

    Raises NotFound when nobody on that line has the role.
    """
    row = tx.row(_POOL_FOR, {"unit": unit_id, "role": role})
    if row is None:
        raise NotFound(entity=f"worklist for {role}", id=unit_id)
    return int(row[0])


def people_of(tx: Tx, pool_id: int) -> list[Person]:
    """The people who hold exactly the post behind a worklist, by code."""
    found = tx.rows(
        "select n.id, n.code, n.name, n.phone from organization.pool l"
        " join organization.post p on p.unit_id = l.unit_id and p.role = l.role"
        " join organization.holding h on h.post_id = p.id join organization.person n on n.id = h.person_id"
        " where l.id = %s order by n.code",
        (pool_id,),
    )
    return [Person(*r) for r in found]
