"""The access network of an area: OLT, PON port, ODF, feeder, splitter 1:n, distribution fibre, box, ports; and stock.

``up_id`` leads from the port of a box to the exchange. Losses in dB: a splitter 1:4 7.4, 1:8 10.7, 1:16 14.0;
fibre 0.35 per km, two splices 0.2, a connector 0.2 to 0.5.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from diaodu.app.demo.parameters import Area
from diaodu.app.demo.places import Block, Estate, Places
from diaodu.inventory.model import ResourceState
from diaodu.kernel.ids import PART_BITS

SPLIT = 64
SPLITTER_DB = {4: 7.4, 8: 10.7, 16: 14.0}
FIBRE_DB_PER_M, SPLICES_DB, CONNECTOR_DB, ODF_DB = 0.00035, 0.2, 0.2, 0.5
SLOTS, PORTS_PER_SLOT = 8, 16
FIRST_SVLAN, FIRST_CVLAN = 1001, 101
# A box carries about nine tenths of the homes behind it.
PORTS_PER_HOME = 0.9
ROUTERS = (("AR18-20", 10), ("AR28-31", 100), ("AR46-20", 1000))

# area, id, spec, code, state, up_id, place_id, holder, attrs
Row = tuple[int, int, str, str, int, int | None, int | None, int | None, dict[str, Any]]


@dataclass
class Network:
    """What was made: resources, the box of each covered address, and the addresses fit for customers by box."""

    rows: list[Row] = field(default_factory=list)
    coverage: dict[int, int] = field(default_factory=dict)
    usable: dict[int, list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Box:
    block: Block
    rooms: list[int]
    height_m: int
    full: bool


def make(area: Area, places: Places, rng: random.Random) -> Network:
    """The network and stock of an area."""
    maker = _Maker(area, rng)
    for estate in places.estates:
        maker.estate(estate)
    maker.stock()
    return maker.made


class _Maker:
    def __init__(self, area: Area, rng: random.Random) -> None:
        self._area, self._rng = area, rng
        self.made = Network()
        self._ids = itertools.count(1)
        self._count = dict.fromkeys(("pon", "splitter", "box", "fibre"), 0)
        self._olt = 0

    def estate(self, estate: Estate) -> None:
        """Boxes for the buildings of an estate, and as many PON ports as they need."""
        boxes = [box for block in estate.blocks for box in self._boxes_of(block, estate.box_ratio)]
        fan_out = SPLIT // estate.box_ratio
        low, high = self._area.feeder_m
        feeder_m = self._rng.randint(low, high)
        if estate.far and self._area.far_m:
            feeder_m = self._area.far_m
        for start in range(0, len(boxes), fan_out):
            group = boxes[start : start + fan_out]
            pon, svlan, splitter_ports = self._feeder(feeder_m, fan_out, len(group))
            cvlans = itertools.count(FIRST_CVLAN)
            for port, box in zip(splitter_ports, group, strict=True):
                box_id = self._box(port, box, estate.box_ratio, f"{pon}:{svlan}", cvlans)
                if not box.full and not estate.far:
                    self.made.usable[box_id] = box.rooms

    def stock(self) -> None:
        """Numbers, static addresses and customer premises equipment of the area."""
        area = self._area
        numbers = area.numbers
        for n in range(numbers.count):
            self._add("number", f"{numbers.prefix}{n:0{numbers.digits}d}", {})
        for n in range(area.ips.count):
            self._add(
                "ip",
                f"{area.ips.prefix}.{n // 250 + 1}.{n % 250 + 2}",
                {"gateway": f"{area.ips.prefix}.{n // 250 + 1}.1"},
            )
        for n in range(area.stock["onu"]):
            self._add("onu", f"ZTEG{area.id:02X}{n:06X}", {"model": "F660", "pots": 2, "lan": 4})
        for n in range(area.stock["stb"]):
            self._add("stb", f"STB{area.id:02d}{n:08d}", {"model": "B860AV2.1", "4k": n % 2 == 0})
        for n in range(area.stock["router"]):
            model, wan_mbps = ROUTERS[n % len(ROUTERS)]
            self._add("router", f"{model}-{area.id:02d}{n:06d}", {"model": model, "wan_mbps": wan_mbps})

    def _boxes_of(self, block: Block, ratio: int) -> Iterator[_Box]:
        chance = self._rng.random()
        if chance < self._area.uncovered:
            return
        full = chance < self._area.uncovered + self._area.full
        count = max(1, round(len(block.rooms) * PORTS_PER_HOME / ratio))
        for n in range(count):
            rooms = block.rooms[n * len(block.rooms) // count : (n + 1) * len(block.rooms) // count]
            yield _Box(block, rooms, 9 * n, full)

    def _feeder(self, length_m: int, fan_out: int, boxes: int) -> tuple[str, int, list[int]]:
        """A PON port, ODF port, feeder and first splitter; the PON's code and SVLAN, the splitter's ports in use."""
        n = self._count["pon"]
        self._count["pon"] += 1
        shelf, place = divmod(n, SLOTS * PORTS_PER_SLOT)
        slot, port = divmod(place, PORTS_PER_SLOT)
        olt = f"{self._area.code}-OLT{shelf + 1:02d}"
        if place == 0:
            self._olt = self._used("olt", olt, None, {"model": "C300", "slots": SLOTS})
        code, svlan = f"{olt}/1/{slot + 1}/{port + 1}", FIRST_SVLAN + n
        pon = self._used("pon", code, self._olt, {"tx_dbm": self._area.tx_dbm, "svlan": svlan})
        odf = self._used("odf", f"{self._area.code}-ODF{n // 144 + 1:02d}-{n % 144 + 1:03d}", pon, {"loss_db": ODF_DB})
        fibre = self._fibre(odf, length_m)
        self._count["splitter"] += 1
        name = f"{self._area.code}-SPL{self._count['splitter']:04d}"
        splitter = self._used("splitter1", name, fibre, {"ratio": fan_out, "loss_db": SPLITTER_DB[fan_out]})
        ports = [self._splitter_port(splitter, f"{name}/{k}", k, used=k <= boxes) for k in range(1, fan_out + 1)]
        return code, svlan, ports[:boxes]

    def _splitter_port(self, splitter: int, code: str, number: int, *, used: bool) -> int:
        state = ResourceState.IN_USE if used else ResourceState.FREE
        return self._add("splitter1_port", code, {"n": number, "loss_db": CONNECTOR_DB}, up=splitter, state=state)

    def _box(self, splitter_port: int, box: _Box, ratio: int, vlan_code: str, cvlans: Iterator[int]) -> int:
        """A box on its distribution fibre, with all its ports and their inner VLANs."""
        fibre = self._fibre(splitter_port, self._rng.randint(40, 600))
        self._count["box"] += 1
        name = f"{self._area.code}-BOX{self._count['box']:05d}"
        where = {"x": box.block.offset_m, "y": box.height_m}
        attrs = {"ratio": ratio, "loss_db": SPLITTER_DB[ratio], **where}
        box_id = self._add("box", name, attrs, up=fibre, place=box.block.place_id, state=ResourceState.IN_USE)
        self.made.coverage |= dict.fromkeys(box.rooms, box_id)
        state = ResourceState.IN_USE if box.full else ResourceState.FREE
        for n in range(1, ratio + 1):
            drop_m = self._rng.randint(10, 60)
            port_attrs = {"n": n, "length_m": drop_m, "loss_db": round(CONNECTOR_DB + drop_m * 0.0004, 3)}
            port = self._add("box_port", f"{name}/{n}", port_attrs, up=box_id, state=state)
            vlan = next(cvlans)
            self._add("cvlan", f"{vlan_code}.{vlan}", {"vlan": vlan}, up=port, state=state)
        return box_id

    def _fibre(self, up: int, length_m: int) -> int:
        self._count["fibre"] += 1
        loss = round(length_m * FIBRE_DB_PER_M + SPLICES_DB, 3)
        name = f"{self._area.code}-F{self._count['fibre']:06d}"
        return self._used("fibre", name, up, {"length_m": length_m, "loss_db": loss})

    def _used(self, spec: str, code: str, up: int | None, attrs: dict[str, Any]) -> int:
        return self._add(spec, code, attrs, up=up, state=ResourceState.IN_USE)

    def _add(
        self,
        spec: str,
        code: str,
        attrs: dict[str, Any],
        *,
        up: int | None = None,
        place: int | None = None,
        state: ResourceState = ResourceState.FREE,
    ) -> int:
        item = next(self._ids) << PART_BITS | self._area.id
        # The ports of a full box were in use before this system: the port itself stands for the line that holds it.
        holder = item if state is ResourceState.IN_USE and spec in ("box_port", "cvlan") else None
        self.made.rows.append((self._area.id, item, spec, code, int(state), up, place, holder, attrs))
        return item
