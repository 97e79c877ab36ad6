"""schema.sql is what the migrations make, and what stood in the database before a migration stands there after it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from psycopg.conninfo import make_conninfo

from diaodu.migrations import HERE, migrate

SCHEMA = Path(__file__).parents[2] / "schema.sql"
# What is made as time passes, and what Alembic keeps for itself.
_OWN = (
    "n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and c.relname !~ '^(history_2|schema_version)'"
)
FACTS = {
    "columns": f"""
        select n.nspname, c.relname, c.relkind::text, c.reloptions, a.attname, format_type(a.atttypid, a.atttypmod),
               a.attnotnull, a.attidentity::text, pg_get_expr(d.adbin, d.adrelid)
          from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
          left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
         where c.relkind in ('r', 'p', 'v') and a.attnum > 0 and {_OWN} order by 1, 2, 5""",
    "constraints": f"""
        select n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)
          from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
         where {_OWN} order by 1, 2, 3""",
    "indexes": f"""
        select n.nspname, c.relname, pg_get_indexdef(i.indexrelid)
          from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
         where {_OWN} order by 1, 2, 3""",
    "views": f"""
        select n.nspname, c.relname, pg_get_viewdef(c.oid)
          from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'v' and {_OWN} order by 1, 2""",
    "sequences": """
        select schemaname, sequencename, data_type::text, min_value, max_value, increment_by, cycle
          from pg_sequences order by 1, 2""",
    "partitions": f"""
        select n.nspname, c.relname, pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid)
          from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where (c.relkind = 'p' or c.relispartition) and c.relkind <> 'i' and {_OWN} order by 1, 2""",
}
_name = count(1)


@pytest.fixture
def empty_dsn(postgres_dsn: str) -> Iterator[Callable[[], str]]:
    """Makes databases with nothing in them."""
    made: list[str] = []

    def make() -> str:
        made.append(f"empty_{next(_name)}")
        with psycopg.connect(postgres_dsn, autocommit=True) as conn:
            conn.execute(f"create database {made[-1]}".encode())
        return make_conninfo(postgres_dsn, dbname=made[-1])

    yield make
    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        for name in made:
            conn.execute(f"drop database {name} with (force)".encode())


def facts(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    with psycopg.connect(dsn) as conn:
        return {what: conn.execute(query.encode()).fetchall() for what, query in FACTS.items()}


def upgrade(dsn: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes.update(dsn=dsn, parts=4)
    command.upgrade(config, revision)


def test_the_checked_in_schema_is_that_of_a_migrated_database(empty_dsn: Callable[[], str]) -> None:
    written, migrated = empty_dsn(), empty_dsn()
    with psycopg.connect(written) as conn:
        conn.execute(SCHEMA.read_bytes())
    migrate(migrated)
    found, expected = facts(written), facts(migrated)
    for what in FACTS:
        assert found[what] == expected[what], f"{what}: run python tools/schema.py"


def test_what_stood_in_the_database_before_the_rules_stands_there_after(empty_dsn: Callable[[], str]) -> None:
    dsn = empty_dsn()
    upgrade(dsn, "0001")
    at = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    release = ("浙江", b"\x01", '{"offerings": [{"id": "宽带"}]}', at)
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "insert into catalog.release (name, digest, document, published_at) values (%s, %s, %s::jsonb, %s)", release
        )
        conn.execute("insert into kernel.root values (1, 257, 'order', %s)", (at,))
        conn.execute(
            "insert into kernel.history values (1, 257, 1, %s, 'cli', '[{\"t\": \"order.made\"}]', '\\x02')", (at,)
        )
    upgrade(dsn, "head")
    with psycopg.connect(dsn) as conn:
        assert conn.execute("select id, name, digest, document, published_at from catalog.release").fetchall() == [
            (1, "浙江", b"\x01", {"offerings": [{"id": "宽带"}]}, at)
        ]
        assert conn.execute("select root_id, actor, entries, hash from kernel.history").fetchall() == [
            (257, "cli", [{"t": "order.made"}], b"\x02")
        ]
        assert conn.execute("select value from kernel.setting where name = 'parts'").fetchone() == (4,)
        assert conn.execute("select count(*) from rules.decision").fetchone() == (0,)


def test_migrating_again_changes_nothing(empty_dsn: Callable[[], str]) -> None:
    dsn = empty_dsn()
    migrate(dsn)
    before = facts(dsn)
    migrate(dsn)
    assert facts(dsn) == before


@pytest.mark.parametrize(
    "wrong",
    [
        "insert into rules.version values ('时限', 2, 'draft', 'x', '[]', '', '', 'a', now())",
        "insert into rules.version values ('时限', 2, 'published', 'x', '[]', '', '', 'a', now())",
        "insert into rules.version values ('时限', 2, 'published', 'x', '[]', '', '', 'a', now(), 'a', now(), 'epoch')",
        "insert into rules.version values ('时限', 2, 'withdrawn', 'x', '[]', '', '', 'a', now(), 'a', now(), now())",
        "insert into rules.version values ('时限', 2, 'live', 'x', '[]', '', '', 'a', now())",
        "insert into rules.version values ('没有', 1, 'draft', 'x', '[]', '', '', 'a', now())",
        "insert into rules.version values ('时限', 0, 'draft', 'x', '[]', '', '', 'a', now())",
    ],
    ids=[
        "second draft",
        "published without date",
        "in the past",
        "withdrawn by nobody",
        "state",
        "no decision",
        "zero",
    ],
)
def test_the_database_itself_refuses_what_no_command_would_write(db_dsn: str, wrong: str) -> None:
    with psycopg.connect(db_dsn, autocommit=True) as conn:
        conn.execute("insert into rules.decision values ('时限', '时限', 'limit', now())")
        conn.execute("insert into rules.version values ('时限', 1, 'draft', 'x', '[]', '', '', 'a', now())")
        with pytest.raises(psycopg.errors.IntegrityError):
            conn.execute(wrong.encode())
        assert conn.execute("select key, n, state from rules.version").fetchall() == [("时限", 1, "draft")]
