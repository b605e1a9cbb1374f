"""Alembic migrations. Each upgrade or downgrade runs in one transaction, so that a failed migration changes nothing."""

import time
from collections.abc import Callable

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Engine, NullPool, create_engine

from eventcal.kit.database import MIGRATIONS, set_up_sqlite
from eventcal.kit.write_lock import DEADLINE_OPTION

# The key of the PostgreSQL advisory lock for migrations, an arbitrary number that must not change.
_MIGRATION_LOCK = 0x6576636D
_LOCK_SECONDS = 60.0


def upgrade(database: Engine | URL | str, *, revision: str = "head") -> None:
    """Upgrade the database to `revision`, a migration number or "head". An up-to-date database is left unchanged.

    Raises CommandError for an unknown revision, and RuntimeError if a migration violates a foreign key on SQLite.
    """
    _run_migration(database, lambda config: command.upgrade(config, revision))


def downgrade(database: Engine | URL | str, revision: str) -> None:
    """Downgrade the database to `revision`, or to "base" to remove all tables. Raises the same errors as `upgrade`."""
    _run_migration(database, lambda config: command.downgrade(config, revision))


def _run_migration(database: Engine | URL | str, migrate: Callable[[Config], None]) -> None:
    url = database.url if isinstance(database, Engine) else database
    engine = create_engine(
        url, poolclass=NullPool, execution_options={DEADLINE_OPTION: time.monotonic() + _LOCK_SECONDS}
    )
    if engine.dialect.name == "sqlite":
        # On SQLite, Alembic alters a table by copying it to a new table and dropping the old table.
        # Dropping the old table must not delete rows that reference the table.
        set_up_sqlite(engine, "foreign_keys = OFF")
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        migrate(config)
        if connection.dialect.name == "sqlite":
            # Foreign keys are not enforced during the migration and must therefore be checked afterwards.
            lost = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if lost:
                tables = sorted({row[0] for row in lost})
                raise RuntimeError(f"After the migration, rows of {', '.join(tables)} refer to missing rows.")
