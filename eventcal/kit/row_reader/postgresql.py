"""Reading a single row through psycopg."""

from functools import partial

import psycopg
from psycopg.adapt import Transformer
from psycopg.generators import execute
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from eventcal.kit.postgresql import ServerSilent, WatchedConnection
from eventcal.kit.row_reader.base import Row, RowReader

_STATEMENT_NAME = b"eventcal_row"
# The SQLSTATE for a prepared statement that the server does not know, for example behind PgBouncer.
_UNKNOWN_STATEMENT = b"26000"


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
        connection: WatchedConnection = self._acquire()
        try:
            result = self._execute(connection)
        except ServerSilent:
            raise
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

    def _execute(self, connection: WatchedConnection) -> PGresult:
        connection.pgconn.send_query_prepared(_STATEMENT_NAME, [])
        result = _wait_for_result(connection)
        if result.error_field(DiagnosticField.SQLSTATE) == _UNKNOWN_STATEMENT:
            connection.pgconn.send_query_params(self.sql.encode(), [])
            result = _wait_for_result(connection)
        if result.status != ExecStatus.TUPLES_OK:
            raise psycopg.OperationalError(result.get_error_message())
        return result

    def _open(self) -> WatchedConnection:
        connection: WatchedConnection = super()._open()
        connection.pgconn.send_prepare(_STATEMENT_NAME, self.sql.encode())
        _wait_for_result(connection)
        return connection


def _wait_for_result(connection: WatchedConnection) -> PGresult:
    """Return the result of the statement that has been sent. Raises ServerSilent."""
    results: list[PGresult] = connection.wait(execute(connection.pgconn))
    return results[0]


class _ConnectionLostError(psycopg.OperationalError):
    pass


def _load_row(result: PGresult) -> Row:
    transformer = Transformer()
    transformer.set_pgresult(result)
    return transformer.load_row(0, tuple)
