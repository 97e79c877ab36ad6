"""The doctor names what is wrong with an installation."""

import socket
from datetime import timedelta
from pathlib import Path

from diaodu.app.doctor import Finding, examine
from diaodu.kernel.config import Settings
from diaodu.kernel.db import Database
from diaodu.provisioning import commands as provisioning
from diaodu.provisioning.model import Address


def wrong(dsn: str, tmp_path: Path) -> list[str]:
    return [f.en for f in findings(dsn, tmp_path) if not f.ok]


def findings(dsn: str, tmp_path: Path) -> list[Finding]:
    return list(examine(Settings(database_url=dsn, data_dir=tmp_path)))


def test_an_empty_installation_lacks_a_catalogue_and_workers(db_dsn: str, tmp_path: Path) -> None:
    catalogue, workers = wrong(db_dsn, tmp_path)
    assert catalogue == "No catalogue is published: no order can be taken. Run 'diaodu load'."
    missing = "32 of 32 (engine:0, engine:1, engine:2, engine:3, engine:4 …)"
    assert workers == f"Workers: nobody works on {missing}. Run 'diaodu serve' or 'diaodu worker'."
    assert [f.zh for f in findings(db_dsn, tmp_path)][3] == "订单分区数：16"


def test_a_healthy_installation_has_nothing_wrong(db: Database, db_dsn: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as system:
        with db.transaction() as tx:
            release = "insert into catalog.release (name, digest, document, published_at, effective_at)"
            tx.run(f"{release} values ('z', 'd', '{{}}', %s, %s)", (tx.now, tx.now))
            names = [f"{kind}:{part}" for kind in ("engine", "hub") for part in range(16)] + ["element:olt"]
            until = tx.now + timedelta(hours=1)
            tx.run("insert into kernel.lease select u, 'worker', %s, false from unnest(%s::text[]) u", (until, names))
            provisioning.set_addresses(tx, {"olt": Address("127.0.0.1", system.getsockname()[1])})
        assert wrong(db_dsn, tmp_path) == []


def test_late_jobs_incidents_and_silent_systems_are_named(db: Database, db_dsn: str, tmp_path: Path) -> None:
    with db.transaction() as tx:
        tx.run("insert into kernel.root values (1, 257, 'productOrder', %s)", (tx.now,))
        tx.run(
            "insert into engine.job (part, id, root_id, kind, name, body, state, due_at, created_at)"
            " values (1, 513, 257, 'start', 'x', '{}', 0, %s, %s)",
            (tx.now - timedelta(minutes=5), tx.now),
        )
        tx.run(
            "insert into engine.incident (part, id, root_id, node, job_id, code, message, detail, created_at)"
            " values (1, 769, 257, 'audit', 513, 'c', 'it broke', '{}', %s)",
            (tx.now,),
        )
        provisioning.set_addresses(tx, {"olt": Address("127.0.0.1", 1)})
    found = wrong(db_dsn, tmp_path)
    assert found[2:4] == [
        "Jobs: 1 wait for more than 60 s, for example of order 257.",
        "Incident 769 of order 257: c: it broke",
    ]
    assert found[4].startswith("Systems olt at 127.0.0.1:1 cannot be reached: ")


def test_an_unreachable_database_is_the_only_complaint(tmp_path: Path) -> None:
    assert [f.ok for f in findings("postgresql://127.0.0.1:1/none", tmp_path)] == [True, False]
