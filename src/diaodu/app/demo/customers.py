"""Customers at covered addresses, each with an account; no box gets more of them than half its ports."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from diaodu.app.demo import names
from diaodu.app.demo.network import Network
from diaodu.app.demo.parameters import Area
from diaodu.kernel.ids import PART_BITS

BUSINESS_SHARE = 0.05
OLDEST = datetime(2019, 1, 1, tzinfo=UTC)
AGE_DAYS = 7 * 365
# GB 11643: the weights of the first 17 digits and the check character by the remainder.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


@dataclass
class Customers:
    """Rows of the room ``party``."""

    customers: list[tuple[Any, ...]] = field(default_factory=list)
    accounts: list[tuple[Any, ...]] = field(default_factory=list)


def make(area: Area, network: Network, rng: random.Random) -> Customers:
    """As many customers as the area's parameters say."""
    made = Customers()
    homes = sorted(home for rooms in network.usable.values() for home in rng.sample(rooms, len(rooms) // 3))
    for n, home in enumerate(sorted(rng.sample(homes, area.customers)), 1):
        customer_id = n << PART_BITS | area.id
        since = OLDEST + timedelta(days=rng.randrange(AGE_DAYS), seconds=rng.randrange(86400))
        business = rng.random() < BUSINESS_SHARE
        name = names.company(rng, area.city) if business else names.person(rng)
        category = "business" if business else "residential"
        level = str(rng.choices((1, 2, 3, 4, 5), weights=(30, 30, 25, 10, 5))[0])
        number = None if business else identity_number(area.region, rng)
        code = f"{area.code}{n:06d}"
        phone = f"199{area.id:04d}{n:04d}"
        made.customers.append((customer_id, code, name, category, level, "active", phone, number, home, area.id, since))
        made.accounts.append((customer_id, customer_id, f"A{code}", "active", since))
    return made


def identity_number(region: str, rng: random.Random) -> str:
    """An identity number with a right check character, of a person born from 1950 to 2004."""
    born = datetime(1950, 1, 1, tzinfo=UTC) + timedelta(days=rng.randrange(55 * 365))
    digits = f"{region}{born:%Y%m%d}{rng.randrange(1000):03d}"
    return digits + _CHECKS[sum(w * int(d) for w, d in _weighed(digits)) % 11]


def _weighed(digits: str) -> Iterator[tuple[int, str]]:
    return zip(_WEIGHTS, digits, strict=True)
