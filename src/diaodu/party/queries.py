"""Reads of customers and accounts."""

from collections.abc import Collection

from diaodu.kernel.db import Tx
from diaodu.party.errors import CustomerUnknown
from diaodu.party.model import Account, Customer

_CUSTOMER = "select id, code, name, category, level, status, phone, address_id, area from party.customer"
# Ids are bigint: longer digits are a code, never an id.
_ID_DIGITS = 18


def get_customer(tx: Tx, customer: int | str) -> Customer:
    """A customer by id or code; CustomerUnknown."""
    text = str(customer)
    row = tx.row(f"{_CUSTOMER} where code = %s", (text,))
    if row is None and text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS:
        row = tx.row(f"{_CUSTOMER} where id = %s", (int(text),))
    if row is None:
        raise CustomerUnknown(customer=customer)
    return Customer(*row)


def customers_in(tx: Tx, area: int, limit: int, after: int = 0) -> list[Customer]:
    """The customers whose address lies in an area, by id, from the one after ``after``."""
    found = tx.rows(f"{_CUSTOMER} where area = %s and id > %s order by id limit %s", (area, after, limit))
    return [Customer(*r) for r in found]


def accounts_of(tx: Tx, customer_id: int) -> list[Account]:
    """The accounts of a customer, by id."""
    found = tx.rows(
        "select id, customer_id, code, status, created_at from party.account where customer_id = %s order by id",
        (customer_id,),
    )
    return [Account(*r) for r in found]


def customers_by_ref(tx: Tx, refs: Collection[str]) -> dict[str, dict[str, object]]:
    """The facts of customers that rules and archives use, by id or code; CustomerUnknown names the first missing.

    Keys: id, code, name, category, level, status, phone, account (code of the oldest account).
    """
    ids = [int(r) for r in refs if r.isascii() and r.isdigit() and len(r) <= _ID_DIGITS]
    rows = tx.rows(
        "select c.id, c.code, c.name, c.category, c.level, c.status, c.phone, a.code from party.customer c"
        " left join lateral (select code from party.account where customer_id = c.id order by id limit 1) a on true"
        " where c.code = any(%s) or c.id = any(%s::int8[])",
        (list(refs), ids),
    )
    names = ("id", "code", "name", "category", "level", "status", "phone", "account")
    found: dict[str, dict[str, object]] = {}
    for row in rows:
        facts = dict(zip(names, row, strict=True))
        found |= {str(row[0]): facts, row[1]: facts}
    for ref in refs:
        if ref not in found:
            raise CustomerUnknown(customer=ref)
    return {ref: found[ref] for ref in refs}
