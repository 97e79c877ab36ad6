"""What decomposition is given: the ordered products, and the identity of the things that exist already."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class OrderedProduct:
    """One product that the customer shall have when the order is done.

    ``things`` maps specifications to the things of the installed product (empty for a new one), ``before`` maps
    specifications and roles to those that an earlier revision made for it; ``names`` are what conditions and
    characteristics may use beside 上级.
    """

    item_key: str
    group: str
    product_id: int
    spec: str
    characteristics: Mapping[str, Any]
    things: Mapping[str, int]
    names: Mapping[str, Any]
    before: Mapping[tuple[str, str], int] = field(default_factory=dict)
