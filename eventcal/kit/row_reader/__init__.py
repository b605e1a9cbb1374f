"""Reading a single row through the database driver, without the overhead of SQLAlchemy.

SQLAlchemy takes ten times as long as the driver to read a row by its primary key.
"""

from typing import Any

from sqlalchemy import Engine, Select

from eventcal.kit.row_reader.base import RowReader
from eventcal.kit.row_reader.sqlite import SqliteRowReader


def create_row_reader(engine: Engine, statement: Select[*tuple[Any, ...]]) -> RowReader:
    """Return the reader for the dialect of the engine."""
    if engine.dialect.name == "sqlite":
        return SqliteRowReader(engine, statement)
    from eventcal.kit.row_reader.postgresql import PostgresqlRowReader

    return PostgresqlRowReader(engine, statement)
