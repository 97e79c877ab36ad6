"""A small operator: two exchanges, a few homes behind few ports, things in stock: for tests and proofs."""

from diaodu.app.installation import example_operator
from diaodu.app.operator import publish
from diaodu.inventory import commands as inventory
from diaodu.kernel.db import Database, Tx

SYSTEMS = ("olt", "aaa", "ims", "iptv", "itms", "billing", "sla", "sms")
CITY_AREA, RURAL_AREA = 7, 8
# Rooms: 601 to 604 are behind box BOX10 in the city; 801 to 803 behind the one port of BOX80 in the country.
NAME = "浙江省杭州市西湖区桂花城1幢1单元{}室"
CITY_ROOMS, RURAL_ROOMS = (601, 602, 603, 604), (801, 802, 803)
CREWS = ("line", "install", "test")
PERSON = 70  # of the line crew in the city


def furnish(db: Database) -> None:
    """Two exchanges with crews, a few boxes and things in stock, seven customers, the demonstration catalogue."""
    with db.transaction() as tx:
        tx.run("insert into organization.unit values (1, null, 'city', 'HZ', '杭州分公司')")
        _exchange(tx, CITY_AREA, "西湖局", CITY_ROOMS, rural=False)
        _exchange(tx, RURAL_AREA, "桐庐局", RURAL_ROOMS, rural=True)
        inventory.add_resources(tx, CITY_AREA, [*_tree(10, 1), *ports(10, 1, 2, 3, 4), *_stock(CITY_AREA)])
        inventory.add_resources(tx, RURAL_AREA, [*_tree(80, 2), *ports(80, 1), *_stock(RURAL_AREA)])
        for room in (*CITY_ROOMS, *RURAL_ROOMS):
            _customer(tx, room)
    publish(db, example_operator())


def _exchange(tx: Tx, area: int, name: str, rooms: tuple[int, ...], *, rural: bool) -> None:
    tx.run("insert into organization.unit values (%s, 1, 'exchange', %s, %s)", (area, f"X{area}", name))
    for n, role in enumerate(CREWS, area * 10):
        tx.run("insert into organization.unit values (%s, %s, 'crew', %s, %s)", (n, area, f"X{area}-{role}", role))
        tx.run("insert into organization.post values (%s, %s, %s, %s)", (n, n, role, role))
        tx.run("insert into organization.person values (%s, %s, %s, null)", (n, f"{role}{area}", f"{role} {area}"))
        tx.run("insert into organization.holding values (%s, %s)", (n, n))
        tx.run("insert into organization.pool (unit_id, role) values (%s, %s)", (n, role))
    tx.run(
        "insert into inventory.area (id, code, name, city, unit_id, rural) values (%s, %s, %s, '杭州市', %s, %s)",
        (area, f"A{area}", name, area, rural),
    )
    for room in rooms:
        tx.run(
            "insert into inventory.address (id, area, level, name, full_name, box_id) values (%s, %s, 9, %s, %s, %s)",
            (room, area, str(room), NAME.format(room), 10 if area == CITY_AREA else 80),
        )


def _tree(box: int, n: int) -> list[inventory.NewResource]:
    """An OLT with one PON port, a splitter and a box of eight."""
    first = 10_000 * n
    return [
        (first, "olt", f"OLT{n}", None, None, {}),
        (first + 1, "pon", f"OLT{n}/1/1/1", first, None, {"tx_dbm": 3.0, "svlan": 1000 + n}),
        (first + 2, "splitter1", f"SPL{n}", first + 1, None, {"ratio": 8, "loss_db": 10.7}),
        (box, "box", f"BOX{box}", first + 2, 500 + n, {"ratio": 8, "loss_db": 10.7, "x": 0, "y": 0}),
    ]


def ports(box: int, *numbers: int) -> list[inventory.NewResource]:
    """Ports of a box, each with its inner VLAN: ids box * 100 + n and + 50."""
    rows: list[inventory.NewResource] = []
    for n in numbers:
        item = box * 100 + n
        rows.append((item, "box_port", f"BOX{box}/{n}", box, None, {"n": n, "length_m": 20, "loss_db": 0.2}))
        rows.append((item + 50, "cvlan", f"{box}.{100 + n}", item, None, {"vlan": 100 + n}))
    return rows


def _stock(area: int) -> list[inventory.NewResource]:
    first = area * 100_000
    rows: list[inventory.NewResource] = []
    for n in range(1, 4):
        rows += [
            (first + n, "number", f"0571-8{area}00000{n}", None, None, {}),
            (first + 10 + n, "onu", f"ONU{area}{n}", None, None, {"pots": 2}),
            (first + 20 + n, "stb", f"STB{area}{n}", None, None, {}),
            (first + 30 + n, "ip", f"203.0.{area}.{n}", None, None, {}),
        ]
    models = (("AR18-20", 10), ("AR28-31", 100), ("AR46-20", 1000))
    for n, (model, rate) in enumerate(models, 1):
        rows.append((first + 40 + n, "router", f"{model}-{area}", None, None, {"model": model, "wan_mbps": rate}))
    return rows


def _customer(tx: Tx, room: int) -> None:
    """The customer C<room>, of star level 3; that of room 604 is on the blacklist."""
    area = CITY_AREA if room in CITY_ROOMS else RURAL_AREA
    status = "blacklisted" if room == 604 else "active"
    tx.run(
        "insert into party.customer (id, code, name, category, level, status, phone, address_id, area, created_at)"
        " values (%s, %s, '王小明', 'household', '3', %s, %s, %s, %s, %s)",
        (room * 256, f"C{room}", status, f"13857100{room}", room, area, tx.now),
    )
    tx.run("insert into party.account values (%s, %s, %s, 'active', %s)", (room * 256, room * 256, f"A{room}", tx.now))
