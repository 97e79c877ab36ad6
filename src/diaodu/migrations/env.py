"""Alembic's environment: one psycopg connection, one transaction for all revisions."""

import psycopg
import sqlalchemy
from alembic import context

dsn: str = context.config.attributes["dsn"]

engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
with engine.connect() as connection:
    context.configure(connection=connection, transactional_ddl=True, version_table="schema_version")
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
