"""The organisation: units from the province down to crews, posts, and the people who hold them."""

import random
from dataclasses import dataclass, field

from diaodu.app.demo import names
from diaodu.app.demo.parameters import Operator
from diaodu.organization.model import SUPERVISOR, UnitKind


@dataclass
class Organization:
    """Rows of the room ``organization``; ``exchanges`` finds a unit by (city, name)."""

    units: list[tuple[int, int | None, str, str, str]] = field(default_factory=list)
    posts: list[tuple[int, int, str, str]] = field(default_factory=list)
    people: list[tuple[int, str, str, str]] = field(default_factory=list)
    holdings: list[tuple[int, int]] = field(default_factory=list)
    exchanges: dict[tuple[str, str], int] = field(default_factory=dict)


def make(operator: Operator, rng: random.Random) -> Organization:
    """The whole organisation."""
    maker = _Maker(operator, rng)
    maker.province()
    return maker.made


class _Maker:
    def __init__(self, operator: Operator, rng: random.Random) -> None:
        self._operator, self._rng = operator, rng
        self.made = Organization()

    def province(self) -> None:
        place = self._operator.province
        top = self._unit(None, UnitKind.PROVINCE, place.code, f"{place.name.removesuffix('省')}公司")
        for city in self._operator.cities:
            code = f"{place.code}-{city.code}"
            city_id = self._unit(top, UnitKind.CITY, code, f"{city.name.removesuffix('市')}分公司")
            for n, county in enumerate(city.counties, 1):
                self._county(city_id, f"{code}-{n:02d}", city.name, county)

    def _county(self, city_id: int, code: str, city: str, county: str) -> None:
        county_id = self._unit(city_id, UnitKind.COUNTY, code, county)
        own = [f"{short_name(county)}局"]
        also = [a.name for a in self._operator.areas if (a.city, a.county) == (city, county) and a.name not in own]
        for n, exchange in enumerate(own + also, 1):
            exchange_code = f"{code}-{n}"
            exchange_id = self._unit(county_id, UnitKind.EXCHANGE, exchange_code, exchange)
            self.made.exchanges[city, exchange] = exchange_id
            for m, crew in enumerate(self._operator.crews, 1):
                name = f"{exchange}{crew.name}"
                crew_id = self._unit(exchange_id, UnitKind.CREW, f"{exchange_code}-{m}", name)
                self._staff(crew_id, name, {crew.role: crew.people, SUPERVISOR: 1})

    def _unit(self, parent: int | None, kind: UnitKind, code: str, name: str) -> int:
        unit_id = len(self.made.units) + 1
        self.made.units.append((unit_id, parent, kind.value, code, name))
        self._staff(unit_id, name, self._operator.staff.get(kind.value, {}))
        return unit_id

    def _staff(self, unit_id: int, unit: str, staff: dict[str, int]) -> None:
        for role, count in staff.items():
            post_id = len(self.made.posts) + 1
            self.made.posts.append((post_id, unit_id, role, f"{unit}{self._operator.roles[role]}"))
            for _ in range(count):
                n = len(self.made.people) + 1
                # A block of mobile numbers that nobody is given.
                self.made.people.append((n << 8, f"ZJ{n:06d}", names.person(self._rng), f"1990000{n:04d}"))
                self.made.holdings.append((n << 8, post_id))


def short_name(county: str) -> str:
    """A county's name without its kind: 西湖区 -> 西湖, 安吉县 -> 安吉."""
    return county.removesuffix("畲族自治县")[: -1 if not county.endswith("自治县") else None]
