"""Standard addresses: 省 市 区 街道 路 小区 楼 单元 室, and the blocks that share distribution boxes."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from diaodu.app.demo import names
from diaodu.app.demo.parameters import Area, Operator
from diaodu.kernel.ids import PART_BITS

# id, area, parent_id, level, name, full_name
Row = tuple[int, int | None, int | None, int, str, str]


@dataclass(frozen=True)
class Block:
    """The addresses behind a group of boxes: the rooms of one 单元, or the houses of one 村民小组.

    ``offset_m`` is where it lies along its building (``place_id``).
    """

    place_id: int
    offset_m: int
    rooms: list[int]


@dataclass
class Estate:
    """What one feeder serves: a 小区 or a village; its boxes are all of one size."""

    box_ratio: int
    far: bool
    blocks: list[Block] = field(default_factory=list)


@dataclass
class Places:
    """Addresses made for an area."""

    rows: list[Row] = field(default_factory=list)
    estates: list[Estate] = field(default_factory=list)
    rooms: int = 0


class Gazetteer:
    """Makes addresses with ids that carry their area in the low bits; provinces, cities and counties belong to none."""

    def __init__(self, operator: Operator) -> None:
        self._next: dict[int, int] = {}
        self.shared: list[Row] = []
        self.counties: dict[tuple[str, str], tuple[int, str]] = {}
        top = self._add(self.shared, None, None, 1, operator.province.name)
        for city in operator.cities:
            city_row = self._add(self.shared, None, top, 2, city.name)
            for county in city.counties:
                row = self._add(self.shared, None, city_row, 3, county)
                self.counties[city.name, county] = (row[0], row[5])

    def make(self, area: Area, rng: random.Random) -> Places:
        """The addresses of an area, until it has as many rooms as its parameters say."""
        made = Places()
        parent_id, full = self.counties[area.city, area.county]
        county: Row = (parent_id, None, None, 3, area.county, full)
        roads: list[Row] = []
        for name, below in area.streets.items():
            street = self._add(made.rows, area.id, county, 4, name)
            roads += [self._add(made.rows, area.id, street, 5, road) for road in below]
        fill = self._villages if area.rural else self._estates
        for estate in fill(area, rng, made, roads):
            made.estates.append(estate)
            if made.rooms >= area.rooms:
                break
        return made

    def _estates(self, area: Area, rng: random.Random, made: Places, roads: list[Row]) -> Iterator[Estate]:
        for name in names.estates(rng):
            road = rng.choice(roads)
            row = self._add(made.rows, area.id, road, 6, name)
            estate = Estate(rng.choice((8, 8, 16)), far=False)
            floors, entrances = (rng.choice((11, 18)), 2) if estate.box_ratio == 16 else (6, rng.randint(2, 4))
            for number in range(1, rng.randint(6, 16)):
                building = self._add(made.rows, area.id, row, 7, f"{number}幢")
                estate.blocks += [self._entrance(area, made, building, n, floors) for n in range(1, entrances + 1)]
            yield estate

    def _entrance(self, area: Area, made: Places, building: Row, number: int, floors: int) -> Block:
        entrance = self._add(made.rows, area.id, building, 8, f"{number}单元")
        rooms = [
            self._add(made.rows, area.id, entrance, 9, f"{floor}{door:02d}室")[0]
            for floor in range(1, floors + 1)
            for door in (1, 2)
        ]
        made.rooms += len(rooms)
        return Block(building[0], 20 * (number - 1), rooms)

    def _villages(self, area: Area, rng: random.Random, made: Places, villages: list[Row]) -> Iterator[Estate]:
        size = area.rooms // len(villages) + 1
        for n, village in enumerate(villages, 1):
            estate = Estate(8, far=n == len(villages))
            before = made.rooms
            group = 0
            while made.rooms - before < size:
                group += 1
                place = self._add(made.rows, area.id, village, 6, f"{group}组")
                houses = range(1, rng.randint(20, 40))
                rooms = [self._add(made.rows, area.id, place, 9, f"{house}号")[0] for house in houses]
                made.rooms += len(rooms)
                estate.blocks.append(Block(place[0], 0, rooms))
            yield estate

    def _add(self, rows: list[Row], area: int | None, parent: Row | None, level: int, name: str) -> Row:
        n = self._next[area or 0] = self._next.get(area or 0, 0) + 1
        parent_id, before = (parent[0], parent[5]) if parent else (None, "")
        row = (n << PART_BITS | (area or 0), area, parent_id, level, name, before + name)
        rows.append(row)
        return row
