"""A PostgreSQL database for all tests of a worker, which is emptied between tests.

Creating a database from a template takes 60 ms. Deleting the rows of a test takes 3 ms.
"""

import itertools
import os
from pathlib import Path

import psycopg
from psycopg import sql

from tests import postgres

TEMPLATE_DATABASE = "template_eventcal"

# Schema changes by a test: new, removed or altered tables, rewritten indexes, and changed constraints.
_FINGERPRINT_QUERY = """
SELECT md5(string_agg(concat_ws(' ', oid, relnatts, relfilenode), ',' ORDER BY oid))
    || (SELECT md5(string_agg(oid::text, ',' ORDER BY oid)) FROM pg_constraint)
FROM pg_class WHERE relnamespace = 'public'::regnamespace
"""
_TABLES_QUERY = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"
)
_SEQUENCES_QUERY = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'"
_END_OTHER_CONNECTIONS = """
SELECT bool_and(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Replica mode disables the triggers for foreign keys, so that tables can be emptied in any order.
_CLEANUP_SCRIPT = """
BEGIN;
SET LOCAL lock_timeout = '1s';
SET LOCAL session_replication_role = replica;
{statements};
COMMIT
"""


class ReusableDatabase:
    """A migrated database on the server of the run. `clean()` restores the state after the migrations."""

    def __init__(self, folder: Path, server: psycopg.Connection) -> None:
        self._folder = folder
        self._server = server
        self._names = (f"test_{os.getpid()}_{number}" for number in itertools.count(1))
        self._create()

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL of the database. The URL changes if the database had to be recreated."""
        return postgres.server_url(self._folder, self._name)

    def clean(self) -> None:
        """Remove all connections, rows and schema changes of a test."""
        try:
            self._connection.execute(_END_OTHER_CONNECTIONS)
            if self._read_fingerprint() == self._fingerprint:
                self._connection.execute(self._cleanup_script)
                return
        except psycopg.Error:
            # A held lock or a lost connection prevents cleaning, so the database is recreated.
            pass
        self.close()
        self._create()

    def close(self) -> None:
        """Drop the database."""
        self._connection.close()
        self._server.execute(f"DROP DATABASE {self._name} WITH (FORCE)")

    def _create(self) -> None:
        self._name = next(self._names)
        # Copying files is five times as fast as copying through the write-ahead log.
        self._server.execute(f"CREATE DATABASE {self._name} TEMPLATE {TEMPLATE_DATABASE} STRATEGY file_copy")
        url = postgres.server_url(self._folder, self._name, driver="")
        self._connection = psycopg.connect(url, autocommit=True, prepare_threshold=None)
        self._fingerprint = self._read_fingerprint()
        self._cleanup_script = self._build_cleanup_script()

    def _read_fingerprint(self) -> object:
        row = self._connection.execute(_FINGERPRINT_QUERY).fetchone()
        return row[0] if row else None

    def _build_cleanup_script(self) -> sql.Composed:
        """Return the statements that delete all rows, insert the rows of the template and reset the sequences."""
        statements: list[sql.Composable] = []
        for (table,) in self._connection.execute(_TABLES_QUERY).fetchall():
            name = sql.Identifier(table)
            statements.append(sql.SQL("DELETE FROM {}").format(name))
            rows = self._connection.execute(sql.SQL("SELECT to_jsonb(one)::text FROM {} one").format(name)).fetchall()
            statements += [
                sql.SQL(
                    "INSERT INTO {0} OVERRIDING SYSTEM VALUE SELECT * FROM jsonb_populate_record(null::{0}, {1})"
                ).format(name, sql.Literal(row))
                for (row,) in rows
            ]
        for (sequence,) in self._connection.execute(_SEQUENCES_QUERY).fetchall():
            statements.append(sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(sequence)))
        return sql.SQL(_CLEANUP_SCRIPT).format(statements=sql.SQL(";\n").join(statements))
