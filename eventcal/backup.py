"""Backups: an archive of the database, the images and the secret key of an installation.

The archive is a tar file that only its owner can read, because the secret key and the database are confidential. It
contains `eventcal.db` (SQLite) or `eventcal.pgdump` (PostgreSQL), `secret_key` and the folder `media`, and can be
unpacked in the instance folder.
"""

import io
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, text

from eventcal.config import Settings
from eventcal.kit.database import Database

SQLITE_FILE, POSTGRESQL_FILE = "eventcal.db", "eventcal.pgdump"
_DUMP_PROGRAM = "pg_dump"
_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700


class BackupFailed(Exception):
    """The backup cannot be made. The message explains how to correct the problem."""


def create_backup(database: Database, settings: Settings, path: Path, *, now: datetime) -> None:
    """Write an archive of the installation to `path`, replacing an earlier archive only once the new one is complete.

    The server can continue to write. The database is copied before the images: an image is saved before a row refers to
    it, and is kept for a day after it is no longer used. Raises BackupFailed if a program is missing or fails, or
    OSError if the archive cannot be written.
    """
    # The folder of the archive has space for the archive, and on other file systems, the rename would not be atomic.
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        dump = _dump_database(database.engine, Path(folder))
        archive = Path(folder) / "archive.tar"
        descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                _add_file(tar, dump, dump.name)
                if dump.name == SQLITE_FILE:
                    # Unpacking replaces the write-ahead log of an earlier database, which must not be applied.
                    _add_bytes(tar, b"", f"{SQLITE_FILE}-wal", now=now)
                _add_bytes(tar, f"{settings.secret_key}\n".encode(), "secret_key", now=now)
                _add_images(tar, sorted(settings.media_folder.glob("*/*.webp")), settings.instance)
            file.flush()
            os.fsync(file.fileno())
        archive.replace(path)
    _sync_folder(path.parent)
    _record_backup(settings.last_backup_file, now)


def last_backup_time(settings: Settings) -> float | None:
    """Return the time of the last backup in seconds since 1970, or None if there is no backup."""
    try:
        return settings.last_backup_file.stat().st_mtime
    except FileNotFoundError:
        return None


def _record_backup(file: Path, now: datetime) -> None:
    file.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    file.touch(_PRIVATE_FILE)
    os.utime(file, (now.timestamp(), now.timestamp()))


def _dump_database(engine: Engine, folder: Path) -> Path:
    if engine.dialect.name == "sqlite":
        return _copy_sqlite(engine, folder / SQLITE_FILE)
    return _dump_postgresql(engine, folder / POSTGRESQL_FILE)


def _copy_sqlite(engine: Engine, path: Path) -> Path:
    """Copy the database in a single read transaction, which does not block writers."""
    with closing(engine.raw_connection()) as source, closing(sqlite3.connect(path)) as target:
        connection = source.driver_connection
        if not isinstance(connection, sqlite3.Connection):
            raise TypeError(connection)
        connection.backup(target)
        # The copy is a single file without a log.
        target.execute("PRAGMA journal_mode = DELETE").close()
    return path


def _dump_postgresql(engine: Engine, path: Path) -> Path:
    program = _find_dump_program(engine)
    # A password in the arguments would be visible to other users of the machine.
    environment = {**os.environ, **({"PGPASSWORD": engine.url.password} if engine.url.password else {})}
    url = engine.url.set(drivername="postgresql", password=None).render_as_string()
    options = ["--format=custom", "--no-owner", "--no-privileges"]
    _run([program, *options, f"--file={path}", f"--dbname={url}"], environment)
    path.chmod(_PRIVATE_FILE)
    return path


def _find_dump_program(engine: Engine) -> str:
    """Return the path of pg_dump. Raises BackupFailed if it is missing or older than the server."""
    with engine.connect() as connection:
        server = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    hint = f"Install the client programs of PostgreSQL {server} or later (in Debian, postgresql-client-{server})."
    program = shutil.which(_DUMP_PROGRAM)
    if program is None:
        raise BackupFailed(f"The database is backed up with {_DUMP_PROGRAM}, which is not in PATH. {hint}")
    version = _run([program, "--version"], os.environ).split()[2]
    if int(version.partition(".")[0]) < server:
        raise BackupFailed(f"{program} is of version {version} and cannot read PostgreSQL {server}. {hint}")
    return program


def _run(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return the output of a program. Raises BackupFailed with its error message."""
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)  # noqa: S603 - from PATH
    if done.returncode != 0:
        raise BackupFailed(f"{_DUMP_PROGRAM} failed: {done.stderr.strip()}")
    return done.stdout


def _add_images(tar: tarfile.TarFile, files: Iterable[Path], instance: Path) -> None:
    for file in files:
        try:
            _add_file(tar, file, str(file.relative_to(instance)))
        except FileNotFoundError:
            # An unused image was deleted since the folder was read.
            continue


def _add_file(tar: tarfile.TarFile, path: Path, name: str) -> None:
    with path.open("rb") as file:
        info = tar.gettarinfo(arcname=name, fileobj=file)
        _make_private(info)
        tar.addfile(info, file)


def _add_bytes(tar: tarfile.TarFile, content: bytes, name: str, *, now: datetime) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(content), int(now.timestamp())
    _make_private(info)
    tar.addfile(info, io.BytesIO(content))


def _make_private(info: tarfile.TarInfo) -> None:
    """Set the permissions after unpacking. The owner is the user who unpacks the archive."""
    info.mode, info.uid, info.gid, info.uname, info.gname = _PRIVATE_FILE, 0, 0, "", ""


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
