"""Write schema.sql anew: the tables of a database that has been migrated to head, as PostgreSQL itself tells them.

python tools/schema.py
"""

import re
import subprocess
import sys
from pathlib import Path

from diaodu.kernel import postgres
from diaodu.kernel.postgres_files import _candidates
from diaodu.migrations import migrate

FILE = Path(__file__).parents[1] / "schema.sql"
HEAD = """-- The schema after all migrations, to be read and compared; `diaodu migrate` makes the real one.
-- Made by `python tools/schema.py`; a test compares it with the migrations. The monthly partitions of the history are
-- made as time passes and do not stand here.

"""
# What pg_dump says to the client and the session, not of the schema.
_NOISE = re.compile(r"(?m)^(?:--.*|\\.*|SET .*|SELECT pg_catalog\.set_config.*)\n")


def dump(dsn: str) -> str:
    """The statements that make the schema of a database, without the monthly partitions and Alembic's own table."""
    program = [str(next(_candidates()) / "pg_dump"), "--schema-only", "--no-owner", "--no-privileges"]
    omitted = ["--exclude-table=kernel.history_2*", "--exclude-table=public.schema_version"]
    text = subprocess.run([*program, *omitted, dsn], capture_output=True, text=True, check=True).stdout
    return HEAD + re.sub(r"\n{3,}", "\n\n", _NOISE.sub("", text)).strip() + "\n"


def main() -> None:
    """Migrate a scratch database and write down what came out."""
    with postgres.scratch() as server:
        migrate(server.dsn)
        FILE.write_text(dump(server.dsn), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")


if __name__ == "__main__":
    main()
