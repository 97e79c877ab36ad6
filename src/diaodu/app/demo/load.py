"""Loading the demonstration operator into an empty database, all or nothing."""

import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from diaodu.app.demo import customers, network, people, places
from diaodu.app.demo.parameters import Area, Operator, read
from diaodu.kernel.db import Database, Tx
from diaodu.kernel.errors import Rejected

Progress = Callable[[str, int], None]
_UNIT = "organization.unit (id, parent_id, kind, code, name)"
_POST = "organization.post (id, unit_id, role, name)"
_PERSON = "organization.person (id, code, name, phone)"
_HOLDING = "organization.holding (person_id, post_id)"
_AREA = "inventory.area (id, code, name, city, unit_id, rural)"
_ADDRESS = "inventory.address (id, area, parent_id, level, name, full_name, box_id)"
_RESOURCE = "inventory.resource (area, id, spec, code, state, up_id, place_id, holder, attrs)"
_CUSTOMER = "party.customer (id, code, name, category, level, status, phone, id_number, address_id, area, created_at)"
_ACCOUNT = "party.account (id, customer_id, code, status, created_at)"


class OperatorLoaded(Rejected):
    """409: the database holds an operator already."""

    code, status = "app.operator-loaded", 409
    en = "The database already holds an operator (seed {seed}). Use an empty database to load another one."
    zh = "数据库中已有运营商数据(种子 {seed})。如需另行装载,请使用空数据库。"


def load_operator(
    db: Database, directory: Path, *, seed: int | None = None, progress: Progress = lambda _what, _rows: None
) -> dict[str, int]:
    """Make the operator of ``directory`` and load it in one transaction; returns the rows by table.

    Loading the same seed again changes nothing and returns {}; another seed is OperatorLoaded. ``progress`` is told
    each table and its rows.
    """
    operator = read(directory)
    chosen = operator.seed if seed is None else seed
    with db.transaction(actor="load") as tx:
        row = tx.row("select value from kernel.setting where name = 'operator'")
        if row is not None:
            if row[0]["seed"] != chosen:
                raise OperatorLoaded(seed=row[0]["seed"])
            return {}
        tx.run("insert into kernel.setting values ('operator', %s)", (orjson.dumps({"seed": chosen}).decode(),))
        loader = _Loader(tx, progress)
        _load(loader, operator, chosen)
        return loader.rows


class _Loader:
    def __init__(self, tx: Tx, progress: Progress) -> None:
        self._tx, self._progress = tx, progress
        self.rows: dict[str, int] = {}

    def copy(self, target: str, rows: Iterable[Sequence[Any]]) -> None:
        table = target.split(" ", 1)[0]
        count = 0
        with self._tx.conn.cursor().copy(f"copy {target} from stdin".encode()) as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
        self.rows[table] = self.rows.get(table, 0) + count
        self._progress(table, count)

    def run(self, statement: str) -> None:
        self._tx.run(statement)


def _load(loader: _Loader, operator: Operator, seed: int) -> None:
    organization = people.make(operator, random.Random(f"{seed}:people"))
    loader.copy(_UNIT, organization.units)
    loader.copy(_POST, organization.posts)
    loader.copy(_PERSON, organization.people)
    loader.copy(_HOLDING, organization.holdings)
    # A worklist for every post there is.
    loader.run("insert into organization.pool (unit_id, role) select unit_id, role from organization.post order by id")
    gazetteer = places.Gazetteer(operator)
    loader.copy(_AREA, [_area(a, organization) for a in operator.areas])
    loader.copy(_ADDRESS, ((*row, None) for row in gazetteer.shared))
    for area in operator.areas:
        _load_area(loader, area, gazetteer, seed)
    for table in loader.rows:
        loader.run(f"analyze {table}")


def _load_area(loader: _Loader, area: Area, gazetteer: places.Gazetteer, seed: int) -> None:
    found = gazetteer.make(area, random.Random(f"{seed}:{area.code}:places"))
    net = network.make(area, found, random.Random(f"{seed}:{area.code}:network"))
    loader.copy(_ADDRESS, ((*row, net.coverage.get(row[0])) for row in found.rows))
    loader.copy(_RESOURCE, ((*row[:-1], orjson.dumps(row[-1]).decode()) for row in net.rows))
    party = customers.make(area, net, random.Random(f"{seed}:{area.code}:customers"))
    loader.copy(_CUSTOMER, party.customers)
    loader.copy(_ACCOUNT, party.accounts)


def _area(area: Area, organization: people.Organization) -> tuple[Any, ...]:
    unit_id = organization.exchanges[area.city, area.name]
    return area.id, area.code, area.name, area.city, unit_id, area.rural
