"""Fixtures of the benchmarks in one process: a world of 1,000 talks, its app, and the number of rounds.

`python -m bench` passes an existing world; without it, the fixtures create one.
"""

import json
import os
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from bench.changes import Outsider
from bench.databases import open_databases
from bench.prepared import Prepared, prepare
from bench.worlds import World, make_first
from eventcal.app import create_app
from eventcal.kit.clock import SystemClock
from eventcal.kit.database import Database
from tests.http_app import database_of


@pytest.fixture(scope="session")
def rounds() -> int:
    """Return the number of rounds for a measurement that takes milliseconds."""
    return int(os.environ.get("BENCH_ROUNDS", "12"))


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Provide a world of 1,000 talks."""
    given = os.environ.get("BENCH_WORLD")
    if given is not None:
        yield World(**json.loads(given))
        return
    with open_databases(os.environ.get("BENCH_DATABASE", "sqlite")) as databases:
        yield make_first(databases, "parts")


@pytest.fixture(scope="session")
def client(world: World) -> Iterator[FlaskClient]:
    """Provide a test client of the app, in this process."""
    app = create_app(world.settings())
    yield app.test_client()
    database_of(app).engine.dispose()


@pytest.fixture(scope="session")
def database(world: World) -> Iterator[Database]:
    """Provide the database as the app opens it, but without the ledger that follows each change."""
    database = Database(world.url, clock=SystemClock())
    yield database
    database.engine.dispose()


@pytest.fixture(scope="session")
def outsider(world: World) -> Iterator[Outsider]:
    """Provide an outsider who changes the world independently of the app."""
    outsider = Outsider(world)
    yield outsider
    outsider.close()


@pytest.fixture(scope="session")
def entries(world: World, client: FlaskClient) -> list[Prepared]:
    """Return the values in the feed of the event: its own entry, then its talks' entries."""
    return prepare(client.get(world.event).data)
