"""The ground floor: all tables of the first release."""

from pathlib import Path

from alembic import context, op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the schemas and fix the number of partitions."""
    connection = op.get_bind()
    cursor = connection.connection.cursor()
    cursor.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    cursor.execute(
        "insert into kernel.setting (name, value) values ('parts', to_jsonb(%s::int))",
        (context.config.attributes["parts"],),
    )
