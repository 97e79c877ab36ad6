"""An installation: its database found, checked, made; its operator; its other systems."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.conninfo import conninfo_to_dict

from diaodu.kernel import postgres
from diaodu.kernel.config import SIMULATOR, Settings, Systems
from diaodu.kernel.db import Database
from diaodu.kernel.errors import Rejected
from diaodu.migrations import HERE, migrate
from diaodu.organization.commands import issue_token
from diaodu.organization.model import ADMIN
from diaodu.provisioning import commands as provisioning
from diaodu.provisioning.model import Address

OLDEST_SERVER = 150000  # as server_version_num has it
CONNECT_S = 5
# What the elements of each system's kinds begin with.
ELEMENTS: Mapping[str, tuple[str, ...]] = {
    "network": ("olt", "aaa", "ims", "iptv", "itms"),
    "billing": ("billing",),
    "sla": ("sla",),
    "sms": ("sms",),
}


class DatabaseUnreachable(Rejected):
    """503: nobody answers, or not to us."""

    code, status = "app.database-unreachable", 503
    en = "The database {database} cannot be reached: {reason}\nCheck --database-url (DIAODU_DATABASE_URL)."
    zh = "无法连接数据库 {database}：{reason}\n请检查 --database-url（DIAODU_DATABASE_URL）。"


class ServerTooOld(Rejected):
    """503: a PostgreSQL that lacks what the statements need."""

    code, status = "app.server-too-old", 503
    en = "The database server is PostgreSQL {version}; 15 or later is needed."
    zh = "数据库服务器为 PostgreSQL {version}，需 15 及以上版本。"


class NotInitialised(Rejected):
    """409: no database of ours yet."""

    code, status = "app.not-initialised", 409
    en = "There is no installation in {place} yet. Run 'diaodu init' first."
    zh = "{place} 尚未初始化，请先执行 diaodu init。"


class SchemaBehind(Rejected):
    """409: the code is newer than the schema, or older."""

    code, status = "app.schema-behind", 409
    en = "The schema of the database is {found}, this version needs {head}. Run 'diaodu migrate'."
    zh = "数据库结构版本为 {found}，本程序需要 {head}。请执行 diaodu migrate。"


def place_of(dsn: str) -> str:
    """A database as it may be shown: host, port and name, without user and password."""
    parts = conninfo_to_dict(dsn)
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


@contextmanager
def database_of(settings: Settings, *, create: bool = False) -> Iterator[str]:
    """The DSN of the installation's database; the embedded one runs at least as long as the block.

    NotInitialised when there is no embedded one and ``create`` is not set; DatabaseUnreachable, ServerTooOld.
    """
    if settings.database_url is not None:
        check_server(settings.database_url)
        yield settings.database_url
        return
    home = settings.data_dir / "postgres"
    if not create and not (home / "cluster").is_dir():
        raise NotInitialised(place=settings.data_dir)
    with postgres.start(home) as server:
        yield server.dsn


def check_server(dsn: str) -> str:
    """The version of the server behind a DSN; DatabaseUnreachable, ServerTooOld."""
    try:
        with psycopg.connect(dsn, connect_timeout=CONNECT_S) as conn:
            row = conn.execute("select current_setting('server_version_num')::int, version()").fetchone()
    except psycopg.ProgrammingError as error:  # no DSN at all
        raise DatabaseUnreachable(database="?", reason=_first_line(error)) from error
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(database=place_of(dsn), reason=_first_line(error)) from error
    assert row is not None
    if row[0] < OLDEST_SERVER:
        raise ServerTooOld(version=row[0] // 10000)
    return " ".join(row[1].split()[:2])


def schema_version(dsn: str) -> str | None:
    """The revision of the schema in the database; None when there is none."""
    with psycopg.connect(dsn, connect_timeout=CONNECT_S) as conn:
        if conn.execute("select to_regclass('schema_version')").fetchone() == (None,):
            return None
        row = conn.execute("select version_num from schema_version").fetchone()
    return row[0] if row else None


def head() -> str:
    """The revision that this code needs."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    return str(ScriptDirectory.from_config(config).get_current_head())


@contextmanager
def opened(dsn: str, *, pool_max: int = 4, plan_anew: bool = False) -> Iterator[Database]:
    """The migrated database behind a DSN; DatabaseUnreachable, ServerTooOld, NotInitialised, SchemaBehind."""
    check_server(dsn)
    found = schema_version(dsn)
    if found is None:
        raise NotInitialised(place=place_of(dsn))
    if found != head():
        raise SchemaBehind(found=found, head=head())
    db = Database(dsn, pool_max=pool_max, plan_anew=plan_anew)
    try:
        yield db
    finally:
        db.close()


def initialise(dsn: str, *, parts: int) -> str | None:
    """Migrate a database and make the first administrator's token; None when it has one already."""
    migrate(dsn, parts=parts)
    with opened(dsn) as db, db.transaction(actor="init") as tx:
        if tx.row("select 1 from organization.token where %s = any(scopes)", (ADMIN,)):
            return None
        return issue_token(tx, "administrator", [ADMIN])


def example_operator() -> Path:
    """The demonstration operator's directory: inside an installed package, else in the working copy."""
    package = Path(__file__).parents[1]
    inside = package / "examples" / "zhejiang"
    return inside if inside.is_dir() else package.parents[1] / "examples" / "zhejiang"


def simulated(systems: Systems) -> list[str]:
    """The systems for which a simulator stands in."""
    return [name for name in ELEMENTS if getattr(systems, name) == SIMULATOR]


def connect_systems(db: Database, systems: Systems, simulators: Address | None) -> None:
    """Write down where each system listens; those that are simulated all listen at ``simulators``."""
    addresses: dict[str, Address] = {}
    for name, elements in ELEMENTS.items():
        told = getattr(systems, name)
        if told != SIMULATOR:
            host, _, port = told.rpartition(":")
            addresses |= dict.fromkeys(elements, Address(host.strip("[]"), int(port)))
        elif simulators is not None:
            addresses |= dict.fromkeys(elements, simulators)
    with db.transaction(actor="settings") as tx:
        provisioning.set_addresses(tx, addresses)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
