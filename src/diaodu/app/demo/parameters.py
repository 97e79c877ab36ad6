"""The parameters of the demonstration operator as they stand in ``operator.yaml``."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Named(_Parameters):
    """A code and a name."""

    code: str
    name: str


class City(Named):
    """A city and its counties; ``code`` is the telephone area code without the leading 0."""

    counties: list[str]


class Crew(_Parameters):
    """A crew that every exchange has."""

    name: str
    role: str
    people: int


class Numbers(_Parameters):
    """A block of telephone numbers: ``prefix`` and then ``digits`` digits."""

    prefix: str
    digits: int
    count: int


class Addresses(_Parameters):
    """A block of static IPv4 addresses inside a /16."""

    prefix: str
    count: int


class Area(_Parameters):
    """An exchange area whose network is made in full; lengths in metres, shares from 0 to 1."""

    id: int
    code: str
    name: str
    city: str
    county: str
    region: str
    rural: bool
    rooms: int
    customers: int
    tx_dbm: float
    feeder_m: tuple[int, int]
    far_m: int | None = None
    uncovered: float
    full: float
    numbers: Numbers
    ips: Addresses
    stock: dict[str, int]
    streets: dict[str, list[str]]


class Operator(_Parameters):
    """The whole operator."""

    seed: int
    province: Named
    roles: dict[str, str]
    staff: dict[str, dict[str, int]]
    crews: list[Crew]
    cities: list[City]
    areas: list[Area]


def read(directory: Path) -> Operator:
    """Read and check ``operator.yaml`` of a directory; raises pydantic.ValidationError that names the wrong field."""
    return Operator.model_validate(yaml.safe_load((directory / "operator.yaml").read_text(encoding="utf-8")))
