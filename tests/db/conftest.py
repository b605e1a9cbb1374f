"""Fixtures for the tests of use cases and queries: a session on each kind of database."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from eventcal.kit.database import Database


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """Provide the session of a unit of work, as a view passes it to a use case. It is rolled back at the end."""
    with database.unit_of_work() as unit:
        yield unit.session
        unit.session.rollback()
