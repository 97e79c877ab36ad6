"""Writes of customers and accounts."""

from diaodu.kernel.db import Tx
from diaodu.party.errors import CustomerCodeTaken
from diaodu.party.model import Customer


def create_customer(
    tx: Tx, *, code: str, name: str, phone: str, address_id: int | None = None, area: int | None = None
) -> Customer:
    """Create an active residential customer with one account; CustomerCodeTaken."""
    customer_id = tx.new_id(0)
    made = tx.run(
        "insert into party.customer (id, code, name, category, level, status, phone, address_id, area, created_at)"
        " values (%s, %s, %s, 'residential', '1', 'active', %s, %s, %s, %s) on conflict (code) do nothing",
        (customer_id, code, name, phone, address_id, area, tx.now),
    )
    if not made:
        raise CustomerCodeTaken(customer=code)
    tx.run(
        "insert into party.account (id, customer_id, code, status, created_at) values (%s, %s, %s, 'active', %s)",
        (tx.new_id(0), customer_id, f"A{code}", tx.now),
    )
    return Customer(customer_id, code, name, "residential", "1", "active", phone, address_id, area)
