"""Instances that the release before has started go on after the upgrade."""

from collections.abc import Iterator
from datetime import timedelta

import orjson
import psycopg
import pytest
from alembic import command
from alembic.config import Config
from psycopg.conninfo import make_conninfo
from tests.engine.kit import NOW, Bench, bpmn

from diaodu.engine.instance import TOKENS_VERSION
from diaodu.engine.ports import Message
from diaodu.kernel.db import Database
from diaodu.migrations import HERE, migrate

BEFORE = "0002"
SOURCE = bpmn(
    '<startEvent id="s"/><parallelGateway id="f"/><userTask id="u" diaodu:pool="1"/><boundaryEvent id="b"'
    ' attachedToRef="u"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>'
    '<subProcess id="sub"><startEvent id="i"/><receiveTask id="m" messageRef="m_stop"/>'
    '<sequenceFlow id="i_m" sourceRef="i" targetRef="m"/></subProcess><parallelGateway id="j"/>'
    '<receiveTask id="n" messageRef="m_paid"/><endEvent id="e"/><exclusiveGateway id="x"/>',
    "s -> f\nf -> u\nf -> sub\nu -> x\nb -> x\nx -> j\nsub -> j\nj -> n\nn -> e",
)
ROOT, INSTANCE, USER, SUB, INNER, TIMER, TASK = (n * 256 + 1 for n in range(1, 8))
# As that release wrote them: no version, nine fields a token, early messages without an end.
TOKENS = {
    "tokens": [
        [USER, 2, 0, None, 2, [[2, "task", str(TASK)]], [[3, TIMER]], TASK, None],
        [SUB, 4, 0, None, 3, [], [], None, None],
        [INNER, 6, SUB, None, 0, [[6, "stop", "k"]], [], None, None],
    ],
    "early": [["paid", "k", {"sum": 1}]],
}


@pytest.fixture
def upgraded(postgres_dsn: str) -> Iterator[Database]:
    """A database of the schema before with an instance in the middle of its work, brought to the newest one."""
    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        conn.execute("create database upgraded")
    dsn = make_conninfo(postgres_dsn, dbname="upgraded")
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes.update(dsn=dsn, parts=4)
    command.upgrade(config, BEFORE)
    with psycopg.connect(dsn) as conn:
        conn.execute("insert into kernel.root values (1, %s, 'order', %s)", (ROOT, NOW))
        conn.execute(
            "insert into engine.definition (key, version, name, bpmn, digest, deployed_at)"
            " values ('p', 1, 'p', %s, 'x', %s)",
            (SOURCE, NOW),
        )
        conn.execute(
            "insert into engine.instance (part, id, root_id, definition_id, business_key, state, tokens, vars,"
            " started_at) values (1, %s, %s, 1, 'k', 0, %s::jsonb, '{\"a\": 1}', %s)",
            (INSTANCE, ROOT, orjson.dumps(TOKENS).decode(), NOW),
        )
        conn.execute(
            "insert into engine.job (part, id, root_id, instance_id, token_id, kind, name, body, state, due_at,"
            " created_at) values (1, %s, %s, %s, %s, 'timer', 'b', '{}', 0, %s, %s)",
            (TIMER, ROOT, INSTANCE, USER, NOW + timedelta(hours=1), NOW),
        )
        conn.execute(
            "insert into engine.human_task (part, id, root_id, instance_id, token_id, node, name, planned, pool,"
            " priority, state, due_at, created_at) values (1, %s, %s, %s, %s, 'u', 'u', false, 1, 50, 0, %s, %s)",
            (TASK, ROOT, INSTANCE, USER, NOW, NOW),
        )
    migrate(dsn)
    database = Database(dsn)
    yield database
    database.close()
    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        conn.execute("drop database upgraded with (force)")


def test_an_instance_of_the_release_before_goes_on_to_its_end(upgraded: Database) -> None:
    bench = Bench(upgraded)
    assert bench.at_nodes(ROOT) == ["m", "sub", "u"]
    bench.signal(Message(ROOT, "stop", "k"))
    bench.work()
    assert bench.at_nodes(ROOT) == ["j", "u"]
    assert bench.rows("select (tokens->'v')::int, tokens->'early' from engine.instance") == [
        (TOKENS_VERSION, [["paid", "k", {"sum": 1}, None]])
    ]
    bench.later(hours=1)
    bench.work()
    assert (bench.state(ROOT), bench.instance(ROOT).vars) == ("ended", {"a": 1, "sum": 1})
    assert (bench.jobs(), bench.tasks(ROOT)[0].state) == ([], "withdrawn")
