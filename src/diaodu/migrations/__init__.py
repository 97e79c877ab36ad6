"""数据库迁移: one linear history of the database, run by Alembic; each revision is a file of plain SQL."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config

from diaodu.kernel.clock import wall_clock
from diaodu.kernel.cohorts import extend_history

HERE = Path(__file__).parent


def migrate(dsn: str, *, parts: int = 16) -> None:
    """Bring a database to the newest revision and make the coming months of its history.

    ``parts`` is fixed the first time and ignored later.
    """
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["dsn"] = dsn
    config.attributes["parts"] = parts
    command.upgrade(config, "head")
    with psycopg.connect(dsn) as conn:
        extend_history(conn, wall_clock())
