"""Customers and accounts as they are read."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Customer:
    """A customer; ``level`` is its star level 1 to 5 as text, ``area`` the exchange area of its address."""

    id: int
    code: str
    name: str
    category: str
    level: str
    status: str
    phone: str
    address_id: int | None
    area: int | None


@dataclass(frozen=True)
class Account:
    """The account that bills a customer's products."""

    id: int
    customer_id: int
    code: str
    status: str
    created_at: datetime
