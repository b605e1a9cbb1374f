"""The databases of the datasets: a folder of SQLite files, or databases on the PostgreSQL server of the tests."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psycopg
from sqlalchemy import create_engine

from bench import processes
from tests import postgres


class Databases(Protocol):
    """Creates and copies the databases of a run by name."""

    folder: Path

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of a database."""

    def create(self, name: str) -> str:
        """Create an empty database and return its URL."""

    def copy(self, name: str, to: str) -> str:
        """Copy a database that has no connections, and return the URL of the copy."""

    def optimise(self, name: str) -> None:
        """Update the statistics and files of a database before the measurements."""


class SqliteFiles:
    """SQLite databases in the folder of the run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of a file."""
        return f"sqlite:///{self._path(name)}"

    def create(self, name: str) -> str:
        """Return the URL of a file that SQLite creates when the database is opened."""
        return self.url(name)

    def copy(self, name: str, to: str) -> str:
        """Copy the file."""
        shutil.copyfile(self._path(name), self._path(to))
        return self.url(to)

    def optimise(self, name: str) -> None:
        """Copy the write-ahead log into the database file."""
        engine = create_engine(self.url(name))
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.db"


class PostgresqlServer:
    """Databases on the PostgreSQL server of the tests."""

    def __init__(self, folder: Path, server: Path) -> None:
        self.folder = folder
        self._server = server

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return postgres.server_url(self._server, name)

    def create(self, name: str) -> str:
        """Create an empty database and return its URL."""
        self._execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def copy(self, name: str, to: str) -> str:
        """Copy a database and return the URL of the copy."""
        self._execute(f"CREATE DATABASE {to} TEMPLATE {name} STRATEGY file_copy")
        return self.url(to)

    def optimise(self, name: str) -> None:
        """Run VACUUM ANALYZE, because autovacuum is disabled on the server of the tests."""
        self._execute("VACUUM ANALYZE", within=name)

    def _execute(self, command: str, *, within: str = "postgres") -> None:
        with psycopg.connect(postgres.server_url(self._server, within, driver=""), autocommit=True) as connection:
            connection.execute(command.encode())


@contextmanager
def open_databases(kind: str) -> Iterator[Databases]:
    """Provide the databases of a kind ("sqlite" or "postgresql"), and delete them at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if kind == "sqlite":
            yield SqliteFiles(Path(folder))
            return
        run = postgres.TestRun()
        try:
            postgres.start_server(run.folder)
            # New connections inherit the processor of the first process of the server.
            processes.move_to_measured_processor(int((run.folder / "data" / "postmaster.pid").read_text().split()[0]))
            yield PostgresqlServer(Path(folder), run.folder)
        finally:
            run.close()
