"""Fixtures for all tests: a fixed clock, and a migrated database of each kind."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings

from eventcal.kit import migrate
from eventcal.kit.database import ChangeHook, Database
from tests import postgres
from tests.clocks import FixedClock
from tests.reusable_database import TEMPLATE_DATABASE, ReusableDatabase
from tests.sample_models import Book, OpenDatabase

# The tests have no deadline, because a busy machine would exceed it. The printed blob reproduces a failure elsewhere.
settings.register_profile("new", deadline=None, print_blob=True)
# Hypothesis uses the same examples in every run. `make fuzz` tries new examples.
settings.register_profile("same", settings.get_profile("new"), derandomize=True)
settings.load_profile("same")

_TEST_RUN_KEY = pytest.StashKey[postgres.TestRun]()
_FOLDER_KEY = pytest.StashKey[Path]()

_MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of the user's own in it
# Containers often have no more than 64 MB of shared memory.
_MIN_FREE_MEMORY = 2**30
_TESTS_FOLDER = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the `--extent` option."""
    parser.addoption(
        "--extent",
        choices=("quick", "usual", "all"),
        default="usual",
        help="quick: on SQLite only; usual: on PostgreSQL too, in tests/http only what is marked `both_databases`; "
        "all: everything on both, and every generated case",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Function]) -> None:
    """Deselect the tests that do not run on PostgreSQL in this run, and start with the longest tests.

    A long test that starts last would keep one worker busy while the other workers are idle.
    """
    extent = config.getoption("--extent")
    left_out = [item for item in items if _needs_postgresql(item) and not _runs_on_postgresql(item, extent)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    gone = set(left_out)
    items[:] = sorted((item for item in items if item not in gone), key=_start_order)


def _needs_postgresql(item: pytest.Function) -> bool:
    on = item.callspec.params.get("database_url") if hasattr(item, "callspec") else None
    return on == "postgresql" or "postgresql_url" in item.fixturenames


def _runs_on_postgresql(item: pytest.Function, extent: str) -> bool:
    if extent != "usual":
        return extent == "all"
    if getattr(item.obj, "is_hypothesis_test", False):
        # Generated cases test the rules of eventcal, which rarely depend on the kind of database.
        return any(mark.name == "both_databases" for mark in item.own_markers)
    # Below the web layer, tests run on both kinds of database because their SQL differs.
    return not item.path.is_relative_to(_TESTS_FOLDER / "http") or item.get_closest_marker("both_databases") is not None


def _start_order(item: pytest.Function) -> int:
    """Return the sort key of a test: journeys first, browser tests second."""
    folder = item.path.relative_to(_TESTS_FOLDER).parts[0]
    return {"journeys": 0, "browser": 1}.get(folder, 2)


def pytest_configure(config: pytest.Config) -> None:
    """Create the test run, or join the run as a worker. Temporary folders are in memory if there is enough space.

    SQLite waits for the disk at every commit.
    """
    if _MEMORY_FOLDER.is_dir() and shutil.disk_usage(_MEMORY_FOLDER).free > _MIN_FREE_MEMORY:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY_FOLDER))
    joined = getattr(config, "workerinput", None)
    if joined is None:
        config.stash[_TEST_RUN_KEY] = postgres.TestRun()
        config.stash[_FOLDER_KEY] = config.stash[_TEST_RUN_KEY].folder
    else:
        config.stash[_FOLDER_KEY] = Path(joined["eventcal_folder"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - xdist is untyped
    """Pass the folder of the test run to a new worker."""
    node.workerinput["eventcal_folder"] = str(node.config.stash[_FOLDER_KEY])


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the test run and stop the PostgreSQL server."""
    run = config.stash.get(_TEST_RUN_KEY, None)
    if run is not None:
        run.close()


@pytest.fixture
def clock() -> FixedClock:
    """Provide a clock that shows 2026-03-01, 12:00 UTC until the test changes the time."""
    return FixedClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a migrated database for this test. The test runs once for each kind of database."""
    kind: str = request.param
    # Requesting the fixture by name avoids starting a PostgreSQL server for a run without PostgreSQL tests.
    url: str = request.getfixturevalue(f"{kind}_url")
    return url


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """Return the URL of a migrated SQLite database for this test."""
    path = tmp_path / "eventcal.db"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(_reusable_database: ReusableDatabase) -> Iterator[str]:
    """Provide the URL of a migrated PostgreSQL database that contains only the rows created by the migrations."""
    yield _reusable_database.url
    _reusable_database.clean()


@pytest.fixture
def database(database_url: str, clock: FixedClock) -> Iterator[Database]:
    """Provide a database without change hooks that uses the clock of the test."""
    database = Database(database_url, clock=clock)
    yield database
    database.engine.dispose()


@pytest.fixture
def open_sample_database(database_url: str, clock: FixedClock) -> Iterator[OpenDatabase]:
    """Provide a function that opens the database of the test with given hooks and the tables of sample_models.py."""
    opened: list[Database] = []

    def open_database(*hooks: ChangeHook, pool_size: int = 16) -> Database:
        opened.append(Database(database_url, clock=clock, hooks=hooks, pool_size=pool_size))
        Book.metadata.create_all(opened[-1].engine)
        return opened[-1]

    yield open_database
    for database in opened:
        database.engine.dispose()


@pytest.fixture(scope="session")
def _sqlite_template(pytestconfig: pytest.Config) -> Path:
    folder = pytestconfig.stash[_FOLDER_KEY]
    template = folder / "template.db"
    with postgres.lock_workers(folder):
        if not template.exists():
            made = folder / "made.db"
            migrate.upgrade(f"sqlite:///{made}")
            made.rename(template)
    return template


@pytest.fixture(scope="session")
def _postgresql_connection(pytestconfig: pytest.Config) -> Iterator[psycopg.Connection]:
    """Provide a connection for creating and dropping databases, after migrating the template database."""
    folder = pytestconfig.stash[_FOLDER_KEY]
    with postgres.lock_workers(folder):
        postgres.start_server(folder)
    with psycopg.connect(postgres.server_url(folder, "postgres", driver=""), autocommit=True) as connection:
        with postgres.lock_workers(folder):
            if not (folder / "template").exists():
                connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE_DATABASE}")
                connection.execute(f"CREATE DATABASE {TEMPLATE_DATABASE}")
                migrate.upgrade(postgres.server_url(folder, TEMPLATE_DATABASE))
                (folder / "template").touch()
        yield connection


@pytest.fixture(scope="session")
def _reusable_database(
    pytestconfig: pytest.Config, _postgresql_connection: psycopg.Connection
) -> Iterator[ReusableDatabase]:
    database = ReusableDatabase(pytestconfig.stash[_FOLDER_KEY], _postgresql_connection)
    yield database
    database.close()
