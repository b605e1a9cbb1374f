"""The commands `eventcal db backup` and `eventcal db restored`."""

import sqlite3
import stat
import tarfile
import threading
from pathlib import Path

import pytest
from sqlalchemy import update

from eventcal.backup import create_backup, last_backup_time
from eventcal.config import read_settings
from eventcal.feeds.index.models import FeedStateRow
from eventcal.kit.database import Database
from tests.clocks import NOON, FixedClock
from tests.command_line import CommandLine
from tests.http_app import make_settings
from tests.restoring import postgresql_programs

IMAGE = f"media/ab/ab{'0' * 62}.webp"


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    """Provide the commands for an instance with the demo calendar and an image."""
    command_line = CommandLine(tmp_path / "instance")
    command_line.run_ok("db", "upgrade")
    command_line.run_ok("demo")
    image = command_line.instance / IMAGE
    image.parent.mkdir(parents=True)
    image.write_bytes(b"image")
    return command_line


def list_archive(path: Path) -> dict[str, int]:
    """Return the names in an archive and their permissions."""
    with tarfile.open(path) as tar:
        return {info.name: info.mode for info in tar}


def test_backup_is_an_archive_that_only_its_owner_can_read(command_line: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    said = command_line.run_ok("db", "backup", str(path))
    assert said.startswith(f"Backup written to {path}: ")
    assert list_archive(path) == dict.fromkeys(["eventcal.db", "eventcal.db-wal", "secret_key", IMAGE], 0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["backup.tar", "instance"]


def test_unpacked_backup_is_a_complete_installation(command_line: CommandLine, tmp_path: Path) -> None:
    command_line.run_ok("db", "backup", str(tmp_path / "backup.tar"))
    restored = CommandLine(tmp_path / "restored")
    with tarfile.open(tmp_path / "backup.tar") as tar:
        tar.extractall(restored.instance, filter="data")
    assert "The restore is complete: " in restored.run_ok("db", "restored")
    assert restored.run_ok("db", "check") == "The database is up to date.\n"
    titles = "SELECT title FROM talks ORDER BY id"
    assert restored.query_rows(titles) == command_line.query_rows(titles)
    assert (restored.instance / IMAGE).read_bytes() == b"image"
    keys = {read_settings(one.settings).secret_key for one in (command_line, restored)}
    assert len(keys) == 1


def test_unpacking_over_an_instance_replaces_the_log_of_the_database(command_line: CommandLine, tmp_path: Path) -> None:
    command_line.run_ok("db", "backup", str(tmp_path / "backup.tar"))
    titles = command_line.query_rows("SELECT title FROM talks ORDER BY id")
    # The connection keeps the log, as after the end of a killed server.
    with sqlite3.connect(command_line.instance / "eventcal.db") as killed:
        killed.execute("PRAGMA wal_autocheckpoint = 0")
        killed.execute("UPDATE talks SET title = 'Lost'")
        killed.commit()
        assert (command_line.instance / "eventcal.db-wal").stat().st_size > 0
        with tarfile.open(tmp_path / "backup.tar") as tar:
            tar.extractall(command_line.instance, filter="data")
    assert command_line.query_rows("SELECT title FROM talks ORDER BY id") == titles


def test_backup_during_writes_is_consistent(database: Database, tmp_path: Path, clock: FixedClock) -> None:
    if database.engine.dialect.name != "sqlite":
        pytest.skip("pg_dump reads a snapshot")
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with database.unit_of_work() as unit:
                unit.session.execute(update(FeedStateRow).values(revision=number))
                unit.session.execute(update(FeedStateRow).values(full_rebuild_revision=number))

    settings = make_settings(str(database.engine.url), instance=tmp_path)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(10):
            path = tmp_path / f"{number}.tar"
            create_backup(database, settings, path, now=clock.now())
            with tarfile.open(path) as tar:
                tar.extract("eventcal.db", tmp_path / "unpacked", filter="data")
            with sqlite3.connect(tmp_path / "unpacked" / "eventcal.db") as copy:
                [(revision, same)] = copy.execute("SELECT revision, full_rebuild_revision FROM feed_state").fetchall()
                assert revision == same
                assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        stop.set()
        writer.join()


def test_failed_backup_keeps_the_previous_backup(command_line: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    command_line.run_ok("db", "backup", str(path))
    before = path.read_bytes()
    (command_line.instance / IMAGE).unlink()
    (command_line.instance / IMAGE).mkdir()
    assert command_line.run_expecting_error("db", "backup", str(path)).startswith("The backup cannot be written: ")
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["backup.tar", "instance"]


def test_backup_in_a_missing_folder_fails(command_line: CommandLine, tmp_path: Path) -> None:
    said = command_line.run_expecting_error("db", "backup", str(tmp_path / "missing" / "backup.tar"))
    assert said.startswith("The backup cannot be written: ")


def test_last_backup_is_dated_for_the_metrics(database: Database, tmp_path: Path) -> None:
    settings = make_settings(str(database.engine.url), instance=tmp_path)
    assert last_backup_time(settings) is None
    with postgresql_programs():
        create_backup(database, settings, tmp_path / "backup.tar", now=NOON)
    assert last_backup_time(settings) == NOON.timestamp()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (None, "pg_dump, which is not in PATH. Install the client programs of PostgreSQL "),
        ("echo 'pg_dump (PostgreSQL) 9.6.24'", "is of version 9.6.24 and cannot read PostgreSQL "),
        ("echo 'pg_dump (PostgreSQL) 99.1'; test $1 = --version", "pg_dump failed: "),
    ],
)
def test_backup_of_postgresql_needs_a_suitable_pg_dump(
    postgresql_url: str, tmp_path: Path, program: str | None, message: str
) -> None:
    folder = tmp_path / "programs"
    folder.mkdir()
    if program is not None:
        (folder / "pg_dump").write_text(f"#!/bin/sh\n{program}\n")
        (folder / "pg_dump").chmod(0o700)
    command_line = CommandLine(
        tmp_path / "instance", EVENTCAL_DATABASE_URL=postgresql_url, EVENTCAL_SECRET_KEY="k" * 40, PATH=str(folder)
    )
    said = command_line.run_expecting_error("db", "backup", str(tmp_path / "backup.tar"))
    assert message in said
    assert not (tmp_path / "backup.tar").exists()
