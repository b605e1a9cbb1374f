"""What the tests of use cases and queries share: a session on a database of either kind."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from eventcal.kit.database import Database


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """Give the session of a unit of work, as a view hands it to a use case; what it did is undone at the end."""
    with database.unit_of_work() as unit:
        yield unit.session
        unit.session.rollback()
