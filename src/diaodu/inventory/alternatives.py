"""What may be offered instead of what is missing: other boxes of the building, slower routers; read, never reserved."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diaodu.inventory import queries
from diaodu.inventory.model import Address, Connectivity
from diaodu.inventory.ports import Designer
from diaodu.inventory.requests import Line
from diaodu.kernel.db import Tx

# Within one building: further away is another place.
WITHIN_M = 500.0
ROUTERS_MAX = 3


def alternatives(
    tx: Tx, area: int, net: Connectivity, designer: Designer, *, lines: Iterable[Line], addresses: Mapping[int, Address]
) -> list[dict[str, Any]]:
    """What is free instead, for lines that are missing.

    A line may come from a box of the same place beyond the reach of a drop cable: {"want": "access", "box",
    "distance_m", "free_ports", "needs": "construction"}; a router may be slower: {"want": "router", "model",
    "wan_mbps"}. To wait is always possible.
    """
    found: list[dict[str, Any]] = []
    for line in lines:
        if line.want == "access":
            address = addresses.get(line.address or 0)
            if address and address.box_id is not None and address.box_id in net.nodes:
                found += _boxes(tx, area, net, designer, address.box_id)
        elif line.wan_mbps:
            found += _slower(tx, area, line)
    return found


def _boxes(tx: Tx, area: int, net: Connectivity, designer: Designer, box_id: int) -> list[dict[str, Any]]:
    tried = set(designer.candidates(net, box_id))
    further = {box: metres for metres, box in net.boxes_near(box_id, WITHIN_M) if box not in tried}
    free = queries.free_ports(tx, area, list(further)) if further else {}
    return [
        {
            "want": "access",
            "box": net.nodes[box].code,
            "distance_m": metres,
            "free_ports": len(free[box]),
            "needs": "construction",
        }
        for box, metres in further.items()
        if box in free
    ]


def _slower(tx: Tx, area: int, line: Line) -> Sequence[dict[str, Any]]:
    rows = tx.rows(
        "select distinct attrs->>'model', (attrs->>'wan_mbps')::int4 from inventory.resource"
        " where area = %s and spec = %s and state = 0 and (attrs->>'wan_mbps')::int4 < %s order by 2 desc limit %s",
        (area, line.want, line.wan_mbps, ROUTERS_MAX),
    )
    return [{"want": line.want, "model": model, "wan_mbps": rate} for model, rate in rows]
