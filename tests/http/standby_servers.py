"""A PostgreSQL server with a streaming standby that can lag, stop and be promoted."""

import shutil
import time
from pathlib import Path

import psycopg

from eventcal.kit import migrate
from tests import postgres

_STREAMING = {"wal_level": "replica", "max_wal_senders": "4", "synchronous_commit": "on", "wal_keep_size": "64MB"}
STANDBY_PORT = "5433"
_TIMEOUT_SECONDS = 30


class StandbyServers:
    """A primary with a migrated database, and its standby, both in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        postgres.start_server(folder, _STREAMING)
        self.url = postgres.server_url(folder, "postgres")
        self.standby_url = self.url.replace(f"port={postgres.SERVER_SETTINGS['port']}", f"port={STANDBY_PORT}")
        migrate.upgrade(self.url)
        self._create_standby()

    def start(self, server: str) -> None:
        """Start the server in a subfolder: `data` or `standby`."""
        log, data = self.folder / f"{server}.log", self.folder / server
        postgres.run_program(self.folder, "pg_ctl", "-w", "-D", str(data), "-l", str(log), "start")

    def stop(self, server: str) -> None:
        """Stop the server in a subfolder at once."""
        postgres.run_program(self.folder, "pg_ctl", "-w", "-D", str(self.folder / server), "-m", "immediate", "stop")

    def replace_standby(self) -> None:
        """Replace the standby, which has been promoted, by a new one."""
        self.stop("standby")
        shutil.rmtree(self.folder / "standby")
        self._create_standby()

    def _create_standby(self) -> None:
        data = self.folder / "standby"
        source = postgres.server_url(self.folder, "postgres", driver="")
        options = ("-R", "--checkpoint=fast", "--no-sync")
        postgres.run_program(self.folder, "pg_basebackup", "-D", str(data), *options, "-d", source)
        with (data / "postgresql.auto.conf").open("a") as file:
            file.write(f"port = '{STANDBY_PORT}'\n")
        self.start("standby")

    def query(self, statement: str, *, standby: bool = False) -> object:
        """Return the value that a statement returns on either server."""
        url = (self.standby_url if standby else self.url).replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute(statement).fetchone()
        assert row is not None
        return row[0]

    def lag(self) -> None:
        """Make the standby show no further changes."""
        self.query("SELECT pg_wal_replay_pause()", standby=True)
        self._wait_until("SELECT pg_get_wal_replay_pause_state() = 'paused'")

    def catch_up(self) -> None:
        """Wait until the standby shows all changes."""
        self.query("SELECT pg_wal_replay_resume()", standby=True)
        position = self.query("SELECT pg_current_wal_flush_lsn()::text")
        self._wait_until(f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn")

    def promote(self) -> None:
        """Make the standby a primary of its own."""
        self.query("SELECT pg_promote()", standby=True)

    def _wait_until(self, statement: str) -> None:
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while not self.query(statement, standby=True):
            if time.monotonic() > deadline:
                raise TimeoutError(statement)
            time.sleep(0.005)
