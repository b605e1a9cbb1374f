"""Fixtures of the benchmarks in one process: a dataset of 1,000 talks, its app, and the number of rounds.

`python -m bench` passes an existing dataset to the benchmarks. Without an existing dataset, the fixtures create one.
"""

import json
import os
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from bench.databases import open_databases
from bench.datasets import Dataset, create_first_dataset
from bench.external_writer import ExternalWriter
from bench.icalendar_baseline import EntryProperties, read_entries
from eventcal.app import create_app
from eventcal.kit.clock import SystemClock
from eventcal.kit.database import Database
from tests.http_app import database_of


@pytest.fixture(scope="session")
def rounds() -> int:
    """Return the number of rounds for measurements that take milliseconds."""
    return int(os.environ.get("BENCH_ROUNDS", "12"))


@pytest.fixture(scope="session")
def dataset() -> Iterator[Dataset]:
    """Provide a dataset of 1,000 talks."""
    given = os.environ.get("BENCH_DATASET")
    if given is not None:
        yield Dataset(**json.loads(given))
        return
    with open_databases(os.environ.get("BENCH_DATABASE", "sqlite")) as databases:
        yield create_first_dataset(databases, "parts")


@pytest.fixture(scope="session")
def client(dataset: Dataset) -> Iterator[FlaskClient]:
    """Provide a test client of the app."""
    app = create_app(dataset.settings())
    yield app.test_client()
    database_of(app).engine.dispose()


@pytest.fixture(scope="session")
def database(dataset: Dataset) -> Iterator[Database]:
    """Provide the database of the app without the feed index as a change hook."""
    database = Database(dataset.url, clock=SystemClock())
    yield database
    database.engine.dispose()


@pytest.fixture(scope="session")
def external_writer(dataset: Dataset) -> Iterator[ExternalWriter]:
    """Provide a writer that changes the dataset without using the app."""
    outsider = ExternalWriter(dataset)
    yield outsider
    outsider.close()


@pytest.fixture(scope="session")
def entries(dataset: Dataset, client: FlaskClient) -> list[EntryProperties]:
    """Return the properties of all entries in the feed of the event: the event, then its talks."""
    return read_entries(client.get(dataset.event_feed).data)
