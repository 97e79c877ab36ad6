"""What is wrong with an installation, in plain words."""

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from diaodu.app.installation import (
    check_server,
    database_of,
    head,
    opened,
    place_of,
    schema_version,
)
from diaodu.kernel.config import Settings
from diaodu.kernel.db import Tx
from diaodu.kernel.errors import Rejected
from diaodu.provisioning import queries as provisioning

DISK_FREE_MIN = 1 << 30  # bytes: below this PostgreSQL is near to stopping
STUCK_AFTER_S = 60  # due work that nobody has taken for so long waits for a worker that is not there
CONNECT_S = 2.0
SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, in both languages."""

    ok: bool
    en: str
    zh: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything; what rests on something broken is left out."""
    yield _disk(settings)
    try:
        with database_of(settings) as dsn:
            version = check_server(dsn)
            place = place_of(dsn)
            yield Finding(ok=True, en=f"Database {place}: {version}", zh=f"数据库 {place}：{version}")
            yield _schema(dsn)
            with opened(dsn) as db, db.transaction(actor="doctor") as tx:
                for look in _LOOKS:
                    yield from look(tx)
    except Rejected as refusal:
        yield Finding(ok=False, en=refusal.message("en"), zh=refusal.message("zh"))


def _disk(settings: Settings) -> Finding:
    place = next(p for p in (settings.data_dir.absolute(), *settings.data_dir.absolute().parents) if p.exists())
    free = shutil.disk_usage(place).free
    mb = free >> 20
    return Finding(free >= DISK_FREE_MIN, f"Disk of {place}: {mb} MB free", f"{place} 所在磁盘：剩余 {mb} MB")


def _schema(dsn: str) -> Finding:
    found, wanted = schema_version(dsn), head()
    if found == wanted:
        return Finding(ok=True, en=f"Schema: {found}", zh=f"数据库结构版本：{found}")
    return Finding(
        ok=False,
        en=f"Schema: {found or 'none'}, this version needs {wanted}. Run 'diaodu migrate' ('diaodu init' if new).",
        zh=f"数据库结构版本：{found or '无'}，本程序需要 {wanted}。请执行 diaodu migrate（新库请执行 diaodu init）。",
    )


def _parts(tx: Tx) -> Iterator[Finding]:
    yield Finding(ok=True, en=f"Partitions of orders: {tx.parts}", zh=f"订单分区数：{tx.parts}")


def _operator(tx: Tx) -> Iterator[Finding]:
    release = tx.row("select id, name from catalog.release order by id desc limit 1")
    if release is None:
        yield Finding(
            ok=False,
            en="No catalogue is published: no order can be taken. Run 'diaodu load'.",
            zh="尚未发布产品目录，无法受理订单。请执行 diaodu load。",
        )
    else:
        yield Finding(
            ok=True,
            en=f"Catalogue: {release[1]}, release {release[0]}",
            zh=f"产品目录：{release[1]}，第 {release[0]} 版",
        )


def _leases(tx: Tx) -> Iterator[Finding]:
    wanted = [f"engine:{p}" for p in range(tx.parts)] + [f"hub:{p}" for p in range(tx.parts)]
    wanted += [f"area:{r[0]}" for r in tx.rows("select id from inventory.area order by id")]
    wanted += [f"element:{name}" for name in sorted(provisioning.addresses(tx))]
    held = {r[0] for r in tx.rows("select name from kernel.lease where owner is not null and until >= %s", (tx.now,))}
    missing = [name for name in wanted if name not in held]
    if not missing:
        yield Finding(
            ok=True, en=f"Workers: all {len(wanted)} leases are held", zh=f"工作进程：{len(wanted)} 个租约均有人持有"
        )
        return
    some = ", ".join(missing[:SHOWN]) + (" …" if len(missing) > SHOWN else "")
    yield Finding(
        ok=False,
        en=f"Workers: nobody works on {len(missing)} of {len(wanted)} ({some}). Run 'diaodu serve' or 'diaodu worker'.",
        zh=f"工作进程：{len(wanted)} 项中有 {len(missing)} 项无人处理（{some}）。请启动 diaodu serve 或 worker。",
    )


def _jobs(tx: Tx) -> Iterator[Finding]:
    row = tx.row(
        "select count(*), min(root_id) from engine.job where state = 0 and due_at < %s - make_interval(secs => %s)",
        (tx.now, STUCK_AFTER_S),
    )
    assert row is not None
    if row[0] == 0:
        yield Finding(ok=True, en="Jobs: none is late", zh="任务：没有滞留")
    else:
        yield Finding(
            ok=False,
            en=f"Jobs: {row[0]} wait for more than {STUCK_AFTER_S} s, for example of order {row[1]}.",
            zh=f"任务：{row[0]} 个等待超过 {STUCK_AFTER_S} 秒，例如订单 {row[1]}。",
        )


def _incidents(tx: Tx) -> Iterator[Finding]:
    rows = tx.rows(
        "select id, root_id, code, message from engine.incident where resolved_at is null order by created_at limit %s",
        (SHOWN,),
    )
    if not rows:
        yield Finding(ok=True, en="Incidents: none is open", zh="异常：无")
    for incident, order, code, message in rows:
        yield Finding(
            ok=False,
            en=f"Incident {incident} of order {order}: {code}: {message}",
            zh=f"异常 {incident}（订单 {order}）：{code}：{message}",
        )


def _elements(tx: Tx) -> Iterator[Finding]:
    by_address: dict[tuple[str, int], list[str]] = {}
    for name, address in provisioning.addresses(tx).items():
        by_address.setdefault((address.host, address.port), []).append(name)
    for (host, port), names in sorted(by_address.items()):
        systems = ", ".join(sorted(names))
        try:
            socket.create_connection((host, port), timeout=CONNECT_S).close()
        except OSError as error:
            yield Finding(
                ok=False,
                en=f"Systems {systems} at {host}:{port} cannot be reached: {error}",
                zh=f"系统 {systems}（{host}:{port}）无法连接：{error}",
            )
        else:
            yield Finding(
                ok=True, en=f"Systems {systems}: {host}:{port} answers", zh=f"系统 {systems}：{host}:{port} 正常"
            )


_LOOKS: tuple[Callable[[Tx], Iterator[Finding]], ...] = (_parts, _operator, _leases, _jobs, _incidents, _elements)
