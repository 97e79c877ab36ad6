"""The design of an access line: from the address to its box, a free port, and up to the OLT.

The rule: the nearest box first, then the least loss, then the lowest port number, among the ports whose optical
budget holds. A pure function over the tree that is kept in memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diaodu.inventory.model import Connectivity, FreePort, Node
from diaodu.inventory.ports import Design, Shortfall

# GPON class B+ receivers need about -27 dBm; 2 dB are kept for ageing and repairs.
RX_MIN_DBM = -25.0
# More users share one PON port only at the price of reach and bandwidth.
SPLIT_MAX = 64
# A drop cable is not run further along the building than this.
DROP_MAX_M = 60.0
# Loss of the drop cable from another box of the building: bend-insensitive fibre at 1310 nm.
DROP_DB_PER_M = 0.0004


@dataclass(frozen=True)
class _Option:
    distance_m: float
    loss_db: float
    port: FreePort

    @property
    def rank(self) -> tuple[float, float, int, int]:
        return self.distance_m, self.loss_db, self.port.number, self.port.id


class NearestBox:
    """The ``Designer`` with the rule above."""

    def candidates(self, net: Connectivity, box_id: int) -> Sequence[int]:
        """The boxes of the same place within reach of a drop cable, nearest first."""
        return [box for _, box in net.boxes_near(box_id, DROP_MAX_M)]

    def choose(self, net: Connectivity, box_id: int, free: Mapping[int, Sequence[FreePort]]) -> Design | Shortfall:
        """The best free port whose budget holds, with its explanation; else what is missing."""
        options = [
            _Option(metres, fixed_db + port.loss_db, port)
            for metres, box in net.boxes_near(box_id, DROP_MAX_M)
            for fixed_db in [_loss_db(net.path(box)) + metres * DROP_DB_PER_M]
            for port in free.get(box, ())
        ]
        box = net.nodes[box_id]
        if not options:
            return Shortfall("no-free-port", {"box": box.code})
        shared = [o for o in options if _split_holds(net, o.port.box_id)]
        if not shared:
            return Shortfall("split-limit", {"box": box.code, "limit": SPLIT_MAX})
        best = min((o for o in shared if _rx_dbm(net, o) >= RX_MIN_DBM), key=lambda o: o.rank, default=None)
        if best is None:
            strongest = max(_rx_dbm(net, o) for o in shared)
            return Shortfall("optical-budget", {"box": box.code, "rx_dbm": strongest, "least_dbm": RX_MIN_DBM})
        return Design(best.port, _facts(net, best))


def _loss_db(path: Sequence[Node]) -> float:
    return sum(float(n.attrs.get("loss_db", 0)) for n in path)


def _rx_dbm(net: Connectivity, option: _Option) -> float:
    return round(float(net.pon(option.port.box_id).attrs["tx_dbm"]) - option.loss_db, 2)


def _split(path: Sequence[Node]) -> int:
    total = 1
    for node in path:
        total *= int(node.attrs.get("ratio", 1))
    return total


def _split_holds(net: Connectivity, box_id: int) -> bool:
    return _split(net.path(box_id)) <= SPLIT_MAX and net.ports_below(net.pon(box_id).id) <= SPLIT_MAX


def _facts(net: Connectivity, option: _Option) -> dict[str, Any]:
    """What the order is told about a line: dBm, dB, metres."""
    port, path = option.port, net.path(option.port.box_id)
    pon, olt, box = net.pon(port.box_id), path[-1], path[0]
    rx, split = _rx_dbm(net, option), _split(path)
    return {
        "olt": olt.code,
        "pon": pon.code,
        "svlan": pon.attrs["svlan"],
        "cvlan": port.cvlan,
        "box": box.code,
        "port": port.number,
        "split": split,
        "tx_dbm": pon.attrs["tx_dbm"],
        "loss_db": round(option.loss_db, 2),
        "rx_dbm": rx,
        "path": [_step(port.code, "box_port", port.loss_db, port.length_m + option.distance_m)]
        + [_step(n.code, n.spec, n.attrs.get("loss_db", 0), n.attrs.get("length_m", 0)) for n in path],
        "explain": {
            "zh": f"{box.code} 距离 {option.distance_m:g} 米,{port.number} 号端口;上联 {pon.code},分光比 1:{split},"
            f"发光 {pon.attrs['tx_dbm']:g} dBm,总衰耗 {option.loss_db:.2f} dB,预计收光 {rx:.2f} dBm"
            f"(要求不低于 {RX_MIN_DBM:g} dBm)",
            "en": f"{box.code} at {option.distance_m:g} m, port {port.number}; fed by {pon.code}, split 1:{split},"
            f" sent {pon.attrs['tx_dbm']:g} dBm, lost {option.loss_db:.2f} dB, expected {rx:.2f} dBm"
            f" (at least {RX_MIN_DBM:g} dBm)",
        },
    }


def _step(code: str, spec: str, loss_db: float, length_m: float) -> dict[str, Any]:
    return {"code": code, "spec": spec, "loss_db": loss_db, "length_m": length_m}
