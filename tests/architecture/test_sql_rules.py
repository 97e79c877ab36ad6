"""All SQL keeps to its partition, and the check finds what does not."""

from pathlib import Path

import pytest
from tools import sql_rules

ROOT = Path(__file__).parents[2]

MANY, JOIN = "many partitions in one condition of a write or lock", "a join of e.inst and e.job without their key"
SCHEMA = """
create table e.inst (part int2 not null, id int8 not null, root_id int8 not null, primary key (part, id));
create table e.job (part int2 not null, id int8 not null, name text, primary key (part, id),
  foreign key (part, id) references e.inst (part, id));
create table e.def (id int4 primary key, area int4);
create table i.res (area int4 not null, id int8 not null, primary key (area, id));
create view e.v_inst as select part, id from e.inst;
"""


def found(tmp_path: Path, *, python: str = "", sql: str = "") -> list[str]:
    """The breaches in a small source tree, without their places."""
    (tmp_path / "schema.sql").write_text(SCHEMA)
    (tmp_path / "more.sql").write_text(sql)
    (tmp_path / "room.py").write_text(python)
    return [line.split(": ", 1)[1] for line in sql_rules.breaches([tmp_path])]


def test_all_sql_of_the_source_keeps_to_its_partition() -> None:
    assert sql_rules.breaches([ROOT / "src"]) == []


@pytest.mark.parametrize(
    "statement",
    [
        "select id from e.inst where name = %s order by id limit 5",  # a read across partitions, without a lock
        "select count(*) from e.inst",
        "select i.id from e.inst i join e.job j on j.part = i.part and j.id = i.id where i.part = %s",
        "select i.id from e.inst i join e.def d on d.id = i.id",
        "select i.id from e.inst i join e.job j on j.id = i.id where i.part = %s and j.part = %(part)s::int2",
        "select id from e.inst i where exists (select from e.job j where j.part = i.part and j.id = i.id)",
        "select id from e.inst where part = any(%s)",
        "select 1 from e.inst i cross join lateral (select * from e.job where part = i.part) j",
        "select id from e.inst where part = %s and id = any(%s) order by id for update",
        "update e.inst set root_id = 1 where part = %s and id = %s",
        "update e.inst t set root_id = u.r from unnest(%s::int2[]) as u(part, r) where t.part = u.part",
        "insert into e.inst (part, id) values (%s, %s) on conflict (part, id) do nothing",
        "delete from e.def where id = 1",
        "select 1 from unnest(%s::int8[]) r(id) cross join lateral (select * from e.job where part = %s limit 1) j",
    ],
)
def test_what_keeps_to_its_partition_passes(statement: str, tmp_path: Path) -> None:
    assert found(tmp_path, python=f"SQL = {statement!r}") == []


@pytest.mark.parametrize(
    ("statement", "breach"),
    [
        ("update e.inst set root_id = 1 where id = %s", "e.inst is changed without its part"),
        ("delete from e.job", "e.job is changed without its part"),
        ("update e.inst set part = 2 where part = 1 and id = %s", "the part of e.inst is changed"),
        ("select id from e.inst where id = %s for update", "a lock on e.inst without part = one value"),
        ("select id from e.v_inst where id = %s for share", "a lock on e.v_inst without part = one value"),
        ("select id from e.inst where part = any(%s) for update", MANY),
        ("delete from e.inst where part in (1, 2)", MANY),
        ("select 1 from e.inst i cross join lateral (select * from e.job where id = i.id) j", JOIN),
        ("select 1 from e.inst i join e.job j on j.id = i.id", JOIN),
        ("select 1 from e.inst i, e.job j where j.id = i.id and i.part = %s", JOIN),
        ("select 1 from e.inst i join i.res r on r.id = i.id", "a join of e.inst and i.res, which have different keys"),
        ("select 1 from e.inst i where (select true from e.job j where j.id = i.id)",
         "a subquery of e.job without the outer key"),
        ("update e.inst i set root_id = 1 from e.job j where i.part = %s and j.id = i.id", JOIN),
        ("insert into e.inst (id) values (%s)", "an insert into e.inst without part"),
        ("insert into e.inst (part) values (%s) on conflict (id) do nothing", "ON CONFLICT of e.inst without part"),
        ("create extension pg_trgm", "a trigger, an extension or MERGE"),
        ("merge into e.inst using e.job on true when matched then delete", "a trigger, an extension or MERGE"),
    ],
)  # fmt: skip
def test_what_leaves_its_partition_is_found(statement: str, breach: str, tmp_path: Path) -> None:
    assert breach in found(tmp_path, python=f"SQL = {statement!r}")


@pytest.mark.parametrize(
    ("statement", "breach"),
    [
        ("create table e.x (part int2 not null, id int8 primary key);", "a key of e.x lacks part: (id)"),
        ("create table e.x (part int2, id int8, primary key (id));", "a key of e.x lacks part: (id)"),
        ("create table e.x (part int2, id int8, c int8, primary key (part, id), unique (c));",
         "a key of e.x lacks part: (c)"),
        ("create unique index x on e.job (name);", "a unique index of e.job lacks part"),
        ("create table e.x (id int8 primary key references e.inst);", "a foreign key of e.x to e.inst lacks part"),
        ("create table e.x (part int2, id int8, foreign key (id) references e.inst (id));",
         "a foreign key of e.x to e.inst lacks part"),
        ("create trigger t before insert on e.job for each row execute function f();",
         "a trigger, an extension or MERGE"),
    ],
)  # fmt: skip
def test_keys_without_the_partition_are_found(statement: str, breach: str, tmp_path: Path) -> None:
    assert breach in found(tmp_path, sql=statement)


def test_rows_for_a_set_statement_name_the_key(tmp_path: Path) -> None:
    python = """
_KEY = {"id": "int8"}
_WHOLE = {**_KEY, "part": "int2"}
def f(tx, rows):
    sets.update(tx, "e.job", _KEY, {"name": "text"}, rows)
    sets.insert(tx, "e.job", _WHOLE, rows, on_conflict="(id) do nothing")
    sets.delete(tx, "e.job", _WHOLE, rows)
"""
    assert found(tmp_path, python=python) == [
        "the rows of e.job are named without part",
        "ON CONFLICT of e.job without part",
    ]


def test_a_function_writes_one_family(tmp_path: Path) -> None:
    python = """
def f(tx):
    tx.run("delete from e.job where part = %s", 1)
    tx.run("delete from i.res where area = %s", 1)
"""
    assert found(tmp_path, python=python) == ["f writes tables of both families, orders and inventory"]


def test_a_reason_excuses_and_a_bare_mark_does_not(tmp_path: Path) -> None:
    excused = 'SQL = "delete from e.job"  # sql: a table that is emptied at the end of a trial'
    assert found(tmp_path, python=excused) == []
    assert found(tmp_path, python='SQL = "delete from e.job"  # sql: no') == ["e.job is changed without its part"]
