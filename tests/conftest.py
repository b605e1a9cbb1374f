"""What every test can have: a clock that stands still, and a migrated database of its own, of both kinds."""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings

from eventcal.kit import migrate
from eventcal.kit.database import Database, Hook
from tests import postgres
from tests.clocks import FixedClock
from tests.shelf import Book, OpenShelf

# No deadline: on a busy machine it fails tests that are right. The blob repeats a failure elsewhere.
settings.register_profile("new", deadline=None, print_blob=True)
# A change is judged by the same examples each time; `make fuzz` looks for new ones.
settings.register_profile("same", settings.get_profile("new"), derandomize=True)
settings.load_profile("same")

_RUN = pytest.StashKey[postgres.TestRun]()
_FOLDER = pytest.StashKey[Path]()
_TEMPLATE = "template_eventcal"
_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Begin the test run, or, in a worker, join it."""
    joined = getattr(config, "workerinput", None)
    if joined is None:
        config.stash[_RUN] = postgres.TestRun()
        config.stash[_FOLDER] = config.stash[_RUN].folder
    else:
        config.stash[_FOLDER] = Path(joined["eventcal_folder"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - xdist carries no types
    """Tell a new worker where the run has its folder."""
    node.workerinput["eventcal_folder"] = str(node.config.stash[_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the test run, and the server with it."""
    run = config.stash.get(_RUN, None)
    if run is not None:
        run.close()


@pytest.fixture
def clock() -> FixedClock:
    """Give a clock that stands at noon of 2026-03-01, UTC, until the test moves it."""
    return FixedClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of a migrated database that is this test's own; each test runs once with each kind."""
    kind: str = request.param
    # Asked for by name, so that a run without PostgreSQL tests starts no server.
    url: str = request.getfixturevalue(f"{kind}_url")
    return url


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """Give the URL of a migrated SQLite database that is this test's own."""
    path = tmp_path / "eventcal.db"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(pytestconfig: pytest.Config, _postgresql: psycopg.Connection) -> Iterator[str]:
    """Give the URL of a migrated PostgreSQL database that is this test's own."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    # Copying files is five times as fast as writing all of it through the log.
    _postgresql.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY file_copy")
    yield postgres.server_url(pytestconfig.stash[_FOLDER], name)
    _postgresql.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str, clock: FixedClock) -> Iterator[Database]:
    """Give a database without hooks, on the test's clock."""
    database = Database(database_url, clock=clock)
    yield database
    database.engine.dispose()


@pytest.fixture
def open_shelf(database_url: str, clock: FixedClock) -> Iterator[OpenShelf]:
    """Give a function that opens this test's database with hooks of its own, and the tables of tests/shelf.py."""
    opened: list[Database] = []

    def open_it(*hooks: Hook, pool_size: int = 16) -> Database:
        opened.append(Database(database_url, clock=clock, hooks=hooks, pool_size=pool_size))
        Book.metadata.create_all(opened[-1].engine)
        return opened[-1]

    yield open_it
    for database in opened:
        database.engine.dispose()


@pytest.fixture(scope="session")
def _sqlite_template(pytestconfig: pytest.Config) -> Path:
    folder = pytestconfig.stash[_FOLDER]
    template = folder / "template.db"
    with postgres.one_at_a_time(folder):
        if not template.exists():
            made = folder / "made.db"
            migrate.upgrade(f"sqlite:///{made}")
            made.rename(template)
    return template


@pytest.fixture(scope="session")
def _postgresql(pytestconfig: pytest.Config) -> Iterator[psycopg.Connection]:
    """Give a connection that makes and drops databases; the server runs, and the template is migrated."""
    folder = pytestconfig.stash[_FOLDER]
    with postgres.one_at_a_time(folder):
        postgres.start_server(folder)
    with psycopg.connect(postgres.server_url(folder, "postgres", driver=""), autocommit=True) as connection:
        with postgres.one_at_a_time(folder):
            if not (folder / "template").exists():
                connection.execute(f"DROP DATABASE IF EXISTS {_TEMPLATE}")
                connection.execute(f"CREATE DATABASE {_TEMPLATE}")
                migrate.upgrade(postgres.server_url(folder, _TEMPLATE))
                (folder / "template").touch()
        yield connection
