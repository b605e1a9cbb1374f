"""Database migrations. `Database.is_migrated` returns whether the schema is up to date.

Each call runs in one transaction, also on SQLite, so a failed migration leaves the database unchanged.
"""

from collections.abc import Callable

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Engine, NullPool, create_engine

from eventcal.kit.database import MIGRATIONS, set_up_sqlite

# Prevents concurrent migrations on PostgreSQL. The number is arbitrary, but must not change.
_MIGRATION_LOCK = 0x6576636D
_LOCK_TIMEOUT_MS = 60_000


def upgrade(database: Engine | URL | str, *, revision: str = "head") -> None:
    """Upgrade the database to `revision` (its number, or "head"). Do nothing if it is already there.

    Raises alembic.util.CommandError if the revision of the database, or `revision`, is unknown, and RuntimeError if
    the migrations violate a foreign key on SQLite.
    """
    _run_migration(database, lambda config: command.upgrade(config, revision))


def downgrade(database: Engine | URL | str, revision: str) -> None:
    """Downgrade the database to `revision`. "base" removes all tables.

    Raises the same errors as `upgrade`.
    """
    _run_migration(database, lambda config: command.downgrade(config, revision))


def _run_migration(database: Engine | URL | str, migrate: Callable[[Config], None]) -> None:
    # Migrations need connections with other settings than those of the application.
    url = database.url if isinstance(database, Engine) else database
    engine = create_engine(url, poolclass=NullPool, execution_options={"eventcal_writes": True})
    if engine.dialect.name == "sqlite":
        # To alter a table, SQLite recreates it. Dropping the old table must not delete rows that reference it.
        set_up_sqlite(engine, f"busy_timeout = {_LOCK_TIMEOUT_MS}", "foreign_keys = OFF")
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        migrate(config)
        if connection.dialect.name == "sqlite":
            # Foreign keys were not enforced during the migration.
            lost = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if lost:
                tables = sorted({row[0] for row in lost})
                raise RuntimeError(f"After the migration rows of {', '.join(tables)} refer to rows that are not there.")
