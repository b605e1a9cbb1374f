"""Where the worlds live: a folder of SQLite files, or the PostgreSQL that the tests start."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psycopg
from sqlalchemy import create_engine

from tests import postgres


class Databases(Protocol):
    """Makes databases for one run, by name."""

    folder: Path

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of a database."""

    def create(self, name: str) -> str:
        """Make an empty database, and return its URL."""

    def copy(self, name: str, to: str) -> str:
        """Copy a database that nobody is connected to, and return the copy's URL."""

    def settle(self, name: str) -> None:
        """Let the database look at what was put into it, as it would by itself in time."""


class SqliteFiles:
    """SQLite files in the run's own folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def url(self, name: str) -> str:
        """Return the URL of a file."""
        return f"sqlite:///{self._path(name)}"

    def create(self, name: str) -> str:
        """Leave it to SQLite: a file is made by whoever opens it."""
        return self.url(name)

    def copy(self, name: str, to: str) -> str:
        """Copy the file."""
        shutil.copyfile(self._path(name), self._path(to))
        return self.url(to)

    def settle(self, name: str) -> None:
        """Move what was written ahead into the file itself."""
        engine = create_engine(self.url(name))
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.db"


class PostgresqlServer:
    """Databases on the tests' own PostgreSQL."""

    def __init__(self, folder: Path, server: Path) -> None:
        self.folder = folder
        self._server = server

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return postgres.server_url(self._server, name)

    def create(self, name: str) -> str:
        """Make an empty database."""
        self._run(f"CREATE DATABASE {name}")
        return self.url(name)

    def copy(self, name: str, to: str) -> str:
        """Copy a database on the server."""
        self._run(f"CREATE DATABASE {to} TEMPLATE {name} STRATEGY file_copy")
        return self.url(to)

    def settle(self, name: str) -> None:
        """Count what is in the tables: the tests' server has no autovacuum that would."""
        self._run("VACUUM ANALYZE", within=name)

    def _run(self, command: str, *, within: str = "postgres") -> None:
        with psycopg.connect(postgres.server_url(self._server, within, driver=""), autocommit=True) as connection:
            connection.execute(command.encode())


@contextmanager
def open_databases(kind: str) -> Iterator[Databases]:
    """Give where databases of a kind ("sqlite" or "postgresql") are made; nothing of them is left in the end."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if kind == "sqlite":
            yield SqliteFiles(Path(folder))
            return
        run = postgres.TestRun()
        try:
            postgres.start_server(run.folder)
            yield PostgresqlServer(Path(folder), run.folder)
        finally:
            run.close()
