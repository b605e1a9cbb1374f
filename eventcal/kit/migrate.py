"""Brings a database to the schema that the code expects; `Database.is_migrated` says whether it is there.

All steps of one call are one transaction, on SQLite too: a migration that fails leaves the database as it was.
"""

from collections.abc import Callable

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Engine, NullPool, create_engine

from eventcal.kit.database import MIGRATIONS, set_up_sqlite

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


def _run(where: Engine | URL | str, steps: Callable[[Config], None]) -> None:
    # Migrations need connections that differ from everybody else's.
    url = where.url if isinstance(where, Engine) else where
    engine = create_engine(url, poolclass=NullPool, execution_options={"eventcal_writes": True})
    if engine.dialect.name == "sqlite":
        # SQLite changes a table by making it anew; dropping the old one must not empty those that refer to it.
        set_up_sqlite(engine, f"busy_timeout = {_LONGEST_WAIT_MS}", "foreign_keys = OFF")
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        steps(config)
        if connection.dialect.name == "sqlite":
            # Make up for the foreign keys that were not looked at.
            lost = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if lost:
                tables = sorted({row[0] for row in lost})
                raise RuntimeError(f"After the migration rows of {', '.join(tables)} refer to rows that are not there.")
