"""What decomposition is given: the ordered products, and the identity of the things that exist already."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class OrderedProduct:
    """One product that the customer shall have when the order is done.

    ``things`` maps specifications to the things of the installed product (empty for a new one); ``installed``
    are its characteristics as they are now.
    """

    item_key: str
    group: str
    product_id: int
    spec: str
    characteristics: Mapping[str, Any]
    installed: Mapping[str, Any]
    things: Mapping[str, int]
    customer: Mapping[str, Any]
    address: Mapping[str, Any]

    def names(self) -> dict[str, Any]:
        """The names that a condition may use."""
        return {
            "订单项": self.characteristics,
            "产品": self.installed,
            "客户": self.customer,
            "地址": self.address,
        }
