"""What the benchmarks in one process share: a world of 1,000 talks, the app on it, and how often to measure.

`python -m bench` hands them the world that it made; run by themselves, they make one.
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
    """Give how often something that takes milliseconds is measured."""
    return int(os.environ.get("BENCH_ROUNDS", "12"))


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Give a world of 1,000 talks."""
    given = os.environ.get("BENCH_WORLD")
    if given is not None:
        yield World(**json.loads(given))
        return
    with open_databases(os.environ.get("BENCH_DATABASE", "sqlite")) as databases:
        yield make_first(databases, "parts")


@pytest.fixture(scope="session")
def client(world: World) -> Iterator[FlaskClient]:
    """Give a client of the app, in this process."""
    app = create_app(world.settings())
    yield app.test_client()
    database_of(app).engine.dispose()


@pytest.fixture(scope="session")
def database(world: World) -> Iterator[Database]:
    """Give the database as the app opens it, but for the ledger that follows each change."""
    database = Database(world.url, clock=SystemClock())
    yield database
    database.engine.dispose()


@pytest.fixture(scope="session")
def outsider(world: World) -> Iterator[Outsider]:
    """Give somebody who changes the world beside the app."""
    outsider = Outsider(world)
    yield outsider
    outsider.close()


@pytest.fixture(scope="session")
def entries(world: World, client: FlaskClient) -> list[Prepared]:
    """Give the values in the event's feed: its own entry, and then its talks'."""
    return prepare(client.get(world.event).data)
