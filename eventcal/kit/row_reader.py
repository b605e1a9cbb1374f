"""Reading a single row through the database driver, without the overhead of SQLAlchemy.

SQLAlchemy takes ten times as long as the driver to read a row by its primary key.
"""

import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from sqlalchemy import Engine, Select, event
from sqlalchemy.exc import DBAPIError

Row = tuple[Any, ...]

_MAX_IDLE_CONNECTIONS = 16
_STATEMENT_NAME = b"eventcal_row"
# The SQLSTATE for a prepared statement that the server does not know, for example behind PgBouncer.
_UNKNOWN_STATEMENT = b"26000"
# Closing a connection that was opened before a fork would end the session of the parent process.
_opened_before_fork: list[Any] = []


class RowReader(ABC):
    """Executes a SELECT statement that has no parameters and returns a single row. Readers are thread-safe.

    A reader never caches the row. It keeps its own connections, which the engine opens. `generation` increases when the
    connections are closed, because new connections can lead to a different database: the database file or the server
    may have been replaced.
    """

    def __init__(self, engine: Engine, statement: Select[*tuple[Any, ...]]) -> None:
        self.generation = 0
        self.engine = engine
        self.sql = str(statement.compile(engine))
        types = [column.type.dialect_impl(engine.dialect) for column in statement.selected_columns]
        self._converters = [kind.result_processor(engine.dialect, None) for kind in types]
        self._idle: list[Any] = []
        self._pid = os.getpid()
        # The most recent row before and after conversion, because conversion takes longer than reading.
        self._converted: tuple[Row, Row] = ((), ())
        event.listen(engine, "engine_disposed", self._close_connections)

    def read(self) -> tuple[Row, int]:
        """Return the row, and the generation of the connection that read it. Raises SQLAlchemyError."""
        if self._pid != os.getpid():
            self._forget_connections()
        try:
            return self._read()
        except (sqlite3.Error, psycopg.Error) as error:
            dialect = self.engine.dialect
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
        if generation == self.generation and len(self._idle) < _MAX_IDLE_CONNECTIONS:
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


class SqliteRowReader(RowReader):
    """Reads from a SQLite database. If the database file has been replaced, all connections are opened again."""

    def __init__(self, engine: Engine, statement: Select[*tuple[Any, ...]]) -> None:
        super().__init__(engine, statement)
        self._path = ""
        self._file: tuple[int, int] | None = None

    def _read(self) -> tuple[Row, int]:
        file = self._file
        if file is not None and self._identify_file() != file:
            self.engine.dispose()
        generation = self.generation
        connection = self._acquire()
        try:
            [values] = connection.execute(self.sql).fetchall()
        except BaseException:
            connection.close()
            raise
        self._release(connection, generation)
        return self._convert(values, lambda: values), generation

    def _open(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = super()._open()
        if self._file is None:
            self._path = next(path for _, name, path in connection.execute("PRAGMA database_list") if name == "main")
            connection.close()
            # The file is identified before it is opened, so that a replacement between both steps is noticed.
            self._file = self._identify_file()
            connection = super()._open()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _identify_file(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - pathlib takes three times as long
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _close_connections(self, *_: object) -> None:
        self._file = None
        super()._close_connections()


class PostgresqlRowReader(RowReader):
    """Reads from a PostgreSQL database with a prepared statement. A read is repeated once if the connection is lost."""

    def _read(self) -> tuple[Row, int]:
        try:
            return self._read_once()
        except _ConnectionLostError:
            # The server has probably closed the other connections as well.
            self._close_connections()
            return self._read_once()

    def _read_once(self) -> tuple[Row, int]:
        generation = self.generation
        connection: psycopg.Connection[Any] = self._acquire()
        try:
            result = self._execute(connection.pgconn)
        except BaseException as error:
            # The driver does not report a lost connection with an exception class of its own.
            is_lost = connection.pgconn.status != ConnStatus.OK
            connection.close()
            if is_lost:
                raise _ConnectionLostError from error
            raise
        self._release(connection, generation)
        values = tuple(result.get_value(0, column) for column in range(result.nfields))
        return self._convert(values, partial(_load_row, result)), generation

    def _execute(self, connection: PGconn) -> PGresult:
        result = connection.exec_prepared(_STATEMENT_NAME, [])
        if result.error_field(DiagnosticField.SQLSTATE) == _UNKNOWN_STATEMENT:
            result = connection.exec_params(self.sql.encode(), [])
        if result.status != ExecStatus.TUPLES_OK:
            raise psycopg.OperationalError(result.get_error_message())
        return result

    def _open(self) -> "psycopg.Connection[Any]":
        connection: psycopg.Connection[Any] = super()._open()
        connection.pgconn.prepare(_STATEMENT_NAME, self.sql.encode())
        return connection


class _ConnectionLostError(psycopg.OperationalError):
    pass


def _load_row(result: PGresult) -> Row:
    transformer = Transformer()
    transformer.set_pgresult(result)
    return transformer.load_row(0, tuple)


def create_row_reader(engine: Engine, statement: Select[*tuple[Any, ...]]) -> RowReader:
    """Return the reader for the dialect of the engine."""
    return (SqliteRowReader if engine.dialect.name == "sqlite" else PostgresqlRowReader)(engine, statement)
