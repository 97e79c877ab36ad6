"""The command line: bad input is told in plain words, an installation is made and looked after."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from diaodu.app.cli import app
from diaodu.kernel.db import Database
from diaodu.organization.policy import TokenPolicy

NOWHERE = "postgresql://nobody:secret@127.0.0.1:1/none"


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's own settings, no diaodu.toml."""
    for name in [n for n in os.environ if n.startswith("DIAODU_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("words", [("nonsense",), ("doctor", "--nonsense"), ("serve", "--port", "x"), ("init", "more")])
def test_a_wrong_call_ends_with_2_and_says_so_in_both_languages(words: tuple[str, ...]) -> None:
    result = call(*words)
    assert result.exit_code == 2
    assert "命令用法有误" in result.output
    assert "Wrong usage" in result.output


@pytest.mark.parametrize(
    ("words", "zh", "en"),
    [
        (("load",), "var 尚未初始化，请先执行 diaodu init。", "There is no installation in var yet."),
        (("load", "--database-url", NOWHERE), "无法连接数据库 127.0.0.1:1/none", "cannot be reached"),
        (("migrate", "--database-url", "rubbish"), "无法连接数据库", "cannot be reached"),
        (("serve", "--workers", "65"), "配置有误", "workers: Input should be less than or equal to 64"),
        (("serve", "--port", "-1"), "配置有误", "port: Input should be greater than or equal to 0"),
        (("doctor", "--config", "missing.toml"), "无法读取配置文件", "missing.toml cannot be read: no such file"),
        (("order", "submit", "missing.json"), "无法将 missing.json 解析", "missing.json cannot be read as JSON"),
    ],
)
def test_a_refusal_ends_with_1_and_a_plain_message(words: tuple[str, ...], zh: str, en: str) -> None:
    result = call(*words)
    assert result.exit_code == 1, result.output
    assert zh in result.output
    assert en in result.output
    assert "Traceback" not in result.output
    assert "secret" not in result.output


def test_one_language_is_told_when_it_is_chosen() -> None:
    assert call("load", "--language", "en").output.startswith("There is no installation in var yet.")
    assert call("load", "--language", "zh").output == "var 尚未初始化，请先执行 diaodu init。\n"


def test_an_order_for_a_server_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text("{}")
    result = call("order", "submit", "order.json", "--url", "http://127.0.0.1:1", "--language", "en")
    assert result.exit_code == 1
    assert result.output.startswith("The server at http://127.0.0.1:1 does not answer: ")


def test_a_database_is_initialised_once_and_its_token_is_that_of_an_administrator(postgres_dsn: str) -> None:
    import psycopg
    from psycopg.conninfo import make_conninfo

    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        conn.execute("create database cli_init")
    dsn = make_conninfo(postgres_dsn, dbname="cli_init")
    result = call("init", "--database-url", dsn, "--parts", "3", "--language", "en")
    assert result.exit_code == 0, result.output
    token = result.output.splitlines()[-1]
    assert call("init", "--database-url", dsn, "--parts", "9", "--language", "en").output == (
        "It was initialised already; the schema is up to date.\n"
    )
    db = Database(dsn)
    with db.transaction() as tx:
        principal = TokenPolicy().authenticate(tx, token)
        assert (principal.scopes, tx.parts) == (frozenset({"admin"}), 3)
    db.close()


def test_a_database_that_is_not_ours_yet_is_said_to_be_new(postgres_dsn: str) -> None:
    result = call("order", "show", "1", "--database-url", postgres_dsn, "--language", "en")
    assert result.exit_code == 1
    assert "Run 'diaodu init' first." in result.output


def test_an_unknown_order_is_not_found(db_dsn: str) -> None:
    for what in ("show", "trace"):
        result = call("order", what, "12345", "--database-url", db_dsn, "--language", "en")
        assert (result.exit_code, result.output) == (1, "There is no productOrder with id 12345.\n")


def test_a_token_can_be_made_for_a_person(db: Database, db_dsn: str) -> None:
    with db.transaction() as tx:
        tx.run("insert into organization.person values (7, 'ZJ7', '王工', null)")
    made = call("token", "tablet", "--person", "ZJ7", "--scopes", "workforce:write", "--database-url", db_dsn)
    with db.transaction() as tx:
        principal = TokenPolicy().authenticate(tx, made.output.strip())
    assert (principal.name, principal.person_id, principal.scopes) == ("tablet", 7, frozenset({"workforce:write"}))
    nobody = call("token", "tablet", "--person", "ZJ8", "--database-url", db_dsn, "--language", "en")
    assert (nobody.exit_code, nobody.output) == (1, "There is no person with id ZJ8.\n")


def test_a_port_in_use_is_refused_before_anything_is_started(db_dsn: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        # A process of its own: the command takes the signals of the process that runs it.
        command = [sys.executable, "-m", "diaodu.app.cli", "serve", "--port", port, "--database-url", db_dsn]
        ended = subprocess.run([*command, "--language", "en"], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    said = f"Cannot listen on 127.0.0.1:{port}: Address already in use. Choose another one with --port"
    assert said in ended.stderr
    assert "child.started" not in ended.stderr
