"""Reading a single row through sqlite3."""

import os
import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, Select

from eventcal.kit.row_reader.base import Row, RowReader


class SqliteRowReader(RowReader):
    """Reads from a SQLite database. If the database file has been replaced, all connections are opened again."""

    def __init__(
        self, engine: Engine, statement: Select[*tuple[Any, ...]], *, check_responds: Callable[[], None]
    ) -> None:
        super().__init__(engine, statement, check_responds=check_responds)
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
            # The file is identified before it is opened, so that a replacement between the two steps is noticed.
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
