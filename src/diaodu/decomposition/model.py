"""What decomposition is given: the ordered products, and the identity of the things that exist already."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class OrderedProduct:
    """One product that the customer shall have when the order is done.

    ``things`` maps specifications to the things of the installed product (empty for a new one); ``names`` are what
    conditions and characteristics may use beside 上级.
    """

    item_key: str
    group: str
    product_id: int
    spec: str
    characteristics: Mapping[str, Any]
    things: Mapping[str, int]
    names: Mapping[str, Any]
