"""The months of the history."""

from datetime import UTC, datetime

from diaodu.kernel import journal
from diaodu.kernel.cohorts import MONTHS_AHEAD, extend_history
from diaodu.kernel.db import Database
from diaodu.kernel.ids import first_id_at

PLACE = "select tableoid::regclass::text from kernel.history where root_id = %s"


def test_an_order_of_a_later_month_stands_in_that_months_partition(db: Database) -> None:
    now = datetime.now(UTC)
    later = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    root = first_id_at(later) + 3
    with db.transaction() as tx:
        journal.create(tx, [root], "test")
        journal.record(tx, root, {"t": "test.made"})
    with db.transaction() as tx:
        assert tx.row(PLACE, (root,)) == (f"kernel.history_{later:%Y_%m}",)


def test_the_months_are_made_once_and_year_ends_are_crossed(db: Database) -> None:
    with db.transaction() as tx:
        assert extend_history(tx.conn, datetime.now(UTC)) == 0
        future = datetime(datetime.now(UTC).year + 3, 11, 15, tzinfo=UTC)
        assert extend_history(tx.conn, future, months=3) == 3
        names = {r[0] for r in tx.rows("select relname from pg_class where relname like 'history\\_%%'", ())}
    year = future.year
    assert {f"history_{year}_11", f"history_{year}_12", f"history_{year + 1}_01"} <= names
    assert len([n for n in names if n[8:].replace("_", "").isdigit()]) == MONTHS_AHEAD + 3
