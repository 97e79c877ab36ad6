"""An operator in an episode: its site, its crew, and what people there know."""

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

from diaodu.app.proof_change.crew import Crew
from diaodu.app.proof_change.ground import Site
from diaodu.app.technicians import work_once
from diaodu.kernel.access import Principal
from diaodu.workforce.model import WorkReport

CLERKS = (Principal(1, "clerk"), Principal(2, "other-clerk"))
Thing = TypeVar("Thing")
_MOVED = """
select (select count(*) from kernel.history), (select count(*) from engine.job),
       (select count(*) from engine.job where state = 0), (select count(*) from inventory.request where told)
"""


class World:
    """What events act on; ``pocket`` are reports that were made without a network, with whose they are."""

    def __init__(self, site: Site) -> None:
        self.site, self.db = site, site.db
        self.crew = Crew(site.db)
        self.pocket: list[tuple[WorkReport, int]] = []
        self.captured = 0

    def close(self) -> None:
        """Send everybody home."""
        self.crew.close()

    def orders(self) -> list[int]:
        """All orders, oldest first."""
        return [r[0] for r in self.rows("select id from ordering.product_order order by id")]

    def everybody(self) -> None:
        """All workers and able technicians, until nothing moves."""
        before = None
        while (now := self.rows(_MOVED)) != before:
            before = now
            self.crew.all_but_people()
            work_once(self.db)

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """Rows of the committed state."""
        return self.site.rows(sql, *params)


def one_of(rng: Random, things: Sequence[Thing]) -> Thing | None:
    """One of them by chance; None when there is none."""
    return rng.choice(things) if things else None
