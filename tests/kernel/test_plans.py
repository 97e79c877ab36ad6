"""A session that plans anew does not keep the plan of an empty table."""

import pytest

from diaodu.kernel.db import Database


@pytest.mark.parametrize(("plan_anew", "mode"), [(True, "force_custom_plan"), (False, "auto")])
def test_only_who_asks_for_it_plans_anew(db: Database, *, plan_anew: bool, mode: str) -> None:
    other = Database(db.dsn, pool_max=1, plan_anew=plan_anew)
    with other.transaction() as tx:
        assert tx.rows("show plan_cache_mode") == [(mode,)]
    other.close()
