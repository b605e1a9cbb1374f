"""Records SQL statements, so that tests can check that the number of statements does not depend on a list's length."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from eventcal.kit.database import Database


@contextmanager
def record_statements(database: Database) -> Iterator[list[str]]:
    """Provide a list to which every SQL statement of the block is added."""
    seen: list[str] = []

    def record_statement(*arguments: object) -> None:
        # The arguments are connection, cursor, statement, parameters, context and executemany.
        seen.append(str(arguments[2]))

    event.listen(database.engine, "before_cursor_execute", record_statement)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", record_statement)
