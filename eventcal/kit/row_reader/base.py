"""The base class of row readers."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, Select, event
from sqlalchemy.exc import DBAPIError

Row = tuple[Any, ...]

MAX_IDLE_CONNECTIONS = 8
# Closing a connection that was opened before a fork would end the session of the parent process.
_opened_before_fork: list[Any] = []


class RowReader(ABC):
    """Executes a SELECT statement that has no parameters and returns a single row. Readers are thread-safe.

    A reader queries the database for every read, with connections that are not in the pool of the engine. The
    `generation` increases when the connections are closed, because new connections can lead to a different database:
    the database file or the server may have been replaced.
    """

    def __init__(
        self, engine: Engine, statement: Select[*tuple[Any, ...]], *, check_responds: Callable[[], None]
    ) -> None:
        self.generation = 0
        self._check_responds = check_responds
        self.engine = engine
        self.sql = str(statement.compile(engine))
        types = [column.type.dialect_impl(engine.dialect) for column in statement.selected_columns]
        self._converters = [kind.result_processor(engine.dialect, None) for kind in types]
        self._idle: list[Any] = []
        self._pid = os.getpid()
        # Conversion takes longer than reading, so the most recent row is stored before and after conversion.
        self._converted: tuple[Row, Row] = ((), ())
        event.listen(engine, "engine_disposed", self._close_connections)

    def read_row_and_generation(self) -> tuple[Row, int]:
        """Return the row, and the generation of the connection that read it.

        Raises SQLAlchemyError, or DatabaseBusy if the server has stopped responding.
        """
        self._check_responds()
        if self._pid != os.getpid():
            self._forget_connections()
        dialect = self.engine.dialect
        try:
            return self._read()
        except dialect.loaded_dbapi.Error as error:
            raise DBAPIError.instance(self.sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error

    @abstractmethod
    def _read(self) -> tuple[Row, int]: ...

    def _convert(self, raw: Row, load: Callable[[], Row]) -> Row:
        """Return the row as SQLAlchemy would return it. `load` is called only if the row has changed."""
        known, row = self._converted
        if raw != known:
            loaded = zip(self._converters, load(), strict=True)
            row = tuple(convert(value) if convert else value for convert, value in loaded)
            self._converted = raw, row
        return row

    def _acquire(self) -> Any:  # noqa: ANN401 - a connection of the driver
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def _release(self, connection: Any, generation: int) -> None:  # noqa: ANN401 - as above
        if generation == self.generation and len(self._idle) < MAX_IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.close()

    def _open(self) -> Any:  # noqa: ANN401 - as above
        pooled = self.engine.raw_connection()
        pooled.detach()
        return pooled.dbapi_connection

    def _close_connections(self, *_: object) -> None:
        self.generation += 1
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _forget_connections(self) -> None:
        _opened_before_fork.extend(self._idle)
        self._idle = []
        self._pid = os.getpid()
        self.engine.dispose(close=False)
