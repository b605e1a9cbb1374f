"""Brings a database to the schema that the code expects; kit/schema_version.py says whether it is there.

All steps of one call are one transaction, on SQLite too: a migration that fails leaves the database as it was.
"""

from collections.abc import Callable
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from eventcal.kit.schema_version import MIGRATIONS

# Two that upgrade one PostgreSQL database at once follow one another; any number would do, as long as it stays.
_MIGRATION_LOCK = 0x6576636D
_LONGEST_WAIT_MS = 60_000


def upgrade(where: Engine | URL | str, *, revision: str = "head") -> None:
    """Bring the database to `revision` (its number, or "head"), and do nothing if it is there.

    Data that a migration does not speak of stays. Raises alembic.util.CommandError for a database or a
    revision that this code does not know, RuntimeError where rows would refer to rows that are gone.
    """
    _run(where, lambda config: command.upgrade(config, revision))


def downgrade(where: Engine | URL | str, revision: str) -> None:
    """Take the database back to `revision`; "base" is before the first, and nothing is left then.

    Raises as `upgrade` does.
    """
    _run(where, lambda config: command.downgrade(config, revision))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _run(where: Engine | URL | str, steps: Callable[[Config], None]) -> None:
    engine = _open(where.url if isinstance(where, Engine) else where)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        config = _config()
        config.attributes["connection"] = connection
        steps(config)
        if connection.dialect.name == "sqlite":
            _check_references(connection)


def _open(url: URL | str) -> Engine:
    """Return an engine of our own, for migrations need connections that differ from everybody else's."""
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _on_connect(connection: Any, _entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - a DBAPI connection
            connection.isolation_level = None
            connection.execute(f"PRAGMA busy_timeout = {_LONGEST_WAIT_MS}")
            # SQLite changes a table by making it anew; dropping the old one must not empty those that refer to it.
            connection.execute("PRAGMA foreign_keys = OFF")

        @event.listens_for(engine, "begin")
        def _on_begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _check_references(connection: Connection) -> None:
    """Make up for the foreign keys that were not looked at."""
    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if lost:
        tables = sorted({row[0] for row in lost})
        raise RuntimeError(f"After the migration rows of {', '.join(tables)} refer to rows that are not there.")
