"""What the tests of the database rely on: nothing of one test is seen by the next."""

from diaodu.kernel.db import Database, Tx

TABLE = "select to_regclass('public.left_behind')"


def leave_a_table(tx: Tx) -> None:
    assert tx.row(TABLE) == (None,)
    tx.run("create table public.left_behind (n int)")


def test_a_tx_begins_clean(tx: Tx) -> None:
    leave_a_table(tx)


def test_the_next_tx_begins_clean(tx: Tx) -> None:
    leave_a_table(tx)


def test_a_database_begins_clean(db: Database) -> None:
    with db.transaction(actor="test") as tx:
        leave_a_table(tx)


def test_the_next_database_begins_clean(db: Database) -> None:
    with db.transaction(actor="test") as tx:
        leave_a_table(tx)


def test_a_commit_waits_for_the_log(tx: Tx) -> None:
    assert tx.row("show synchronous_commit") == ("on",)
