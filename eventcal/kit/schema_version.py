"""Whether a database has the schema that the code expects; without Alembic, which every worker would have to hold."""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

MIGRATIONS = Path(__file__).parent.parent / "migrations"
"""Where the numbered steps are."""

_TABLE = "alembic_version"
_AT = text(f"SELECT version_num FROM {_TABLE}")  # noqa: S608 - our own words


def is_current(connection: Connection) -> bool:
    """Say whether the database has exactly the schema that this code expects."""
    if not inspect(connection).has_table(_TABLE):
        return False
    return connection.scalars(_AT).all() == [_latest()]


@cache
def _latest() -> str:
    """Return the number of the last step: they are one line, 0001 onwards."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))
