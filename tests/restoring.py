"""Restoring a backup in a test, as the operations guide describes."""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from sqlalchemy import make_url

from eventcal.backup import POSTGRESQL_FILE, SQLITE_FILE
from eventcal.kit.database import Database
from tests.postgres import find_programs


@contextmanager
def postgresql_programs() -> Iterator[None]:
    """Put the client programs of the PostgreSQL server of the tests into PATH during the block."""
    path = os.pathsep.join([str(find_programs()), os.environ["PATH"]])
    with mock.patch.dict(os.environ, PATH=path):
        yield


def restore_database(database: Database, database_url: str, *, archive: Path, folder: Path) -> None:
    """Replace the database by the database in the archive, which is unpacked in a folder."""
    database.engine.dispose()
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        target = Path(str(url.database))
        for name in (SQLITE_FILE, f"{SQLITE_FILE}-wal"):
            shutil.copyfile(folder / name, folder / "restored")
            (folder / "restored").replace(f"{target}{name.removeprefix(SQLITE_FILE)}")
        return
    libpq_url = url.set(drivername="postgresql").render_as_string()
    program = find_programs() / "pg_restore"
    options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", f"--dbname={libpq_url}")
    subprocess.run([program, *options, folder / POSTGRESQL_FILE], check=True)  # noqa: S603 - a program of PostgreSQL
