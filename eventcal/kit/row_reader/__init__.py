"""Reading a single row through the database driver, without the overhead of SQLAlchemy.

SQLAlchemy takes ten times as long as the driver to read a row by its primary key.
"""

from typing import Any

from sqlalchemy import Select

from eventcal.kit.database import Database
from eventcal.kit.row_reader.base import RowReader
from eventcal.kit.row_reader.sqlite import SqliteRowReader


def create_row_reader(database: Database, statement: Select[*tuple[Any, ...]]) -> RowReader:
    """Return the reader for the kind of database."""
    engine, check = database.engine, database.check_responds
    if engine.dialect.name == "sqlite":
        return SqliteRowReader(engine, statement, check_responds=check)
    from eventcal.kit.row_reader.postgresql import PostgresqlRowReader

    return PostgresqlRowReader(engine, statement, check_responds=check)
