"""Records SQL statements, so that tests can check that the number of statements does not depend on a list's length."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from sqlalchemy import event

from eventcal.kit.database import Database
from eventcal.kit.row_reader.base import Row, RowReader


@contextmanager
def record_statements(database: Database) -> Iterator[list[str]]:
    """Provide a list to which every SQL statement of the block is added."""
    seen: list[str] = []
    read = RowReader.read_row_and_generation

    def record_statement(*arguments: object) -> None:
        # The arguments are connection, cursor, statement, parameters, context and executemany.
        seen.append(str(arguments[2]))

    def record_and_read(reader: RowReader) -> tuple[Row, int]:
        if reader.engine is database.engine:
            seen.append(reader.sql)
        return read(reader)

    event.listen(database.engine, "before_cursor_execute", record_statement)
    try:
        with mock.patch.object(RowReader, "read_row_and_generation", record_and_read):
            yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", record_statement)
