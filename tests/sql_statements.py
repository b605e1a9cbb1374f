"""Records SQL statements, so that tests can check that the number of statements does not depend on a list's length."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from eventcal.kit.database import Database


@contextmanager
def record_statements(database: Database) -> Iterator[list[str]]:
    """Give a list that grows by the text of every statement that is sent inside the block."""
    seen: list[str] = []

    def record_statement(*arguments: object) -> None:
        # connection, cursor, statement, parameters, context, executemany
        seen.append(str(arguments[2]))

    event.listen(database.engine, "before_cursor_execute", record_statement)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", record_statement)
