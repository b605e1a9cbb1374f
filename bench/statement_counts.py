"""The number of SQL statements for a feed request: a 304 response, an unchanged 200, and a 200 after a change."""

from flask.testing import FlaskClient

from bench.datasets import Dataset
from bench.external_writer import ExternalWriter
from bench.figures import Figure, Figures
from eventcal.app import create_app
from eventcal.kit.database import Database
from tests.http_app import create_manual_background, database_of
from tests.sql_statements import record_statements


def count_statements(world: Dataset, figures: Figures) -> None:
    """Record the number of statements for a 304 response, an unchanged 200, and the first 200 after a change."""
    # Background tasks run after the measured request, so that their statements are not counted.
    app, outsider = create_app(world.settings(), background=create_manual_background()), ExternalWriter(world)
    client, database = app.test_client(), database_of(app)
    tag = client.get(world.event_feed).headers["ETag"]
    figures.add("statements of a 304", _count_for_request(client, database, world.event_feed, tag=tag))
    figures.add("statements of an unchanged 200", _count_for_request(client, database, world.event_feed))
    for _ in range(2):
        # The first round loads data that the process caches.
        outsider.change_next_talk()
        changed = _count_for_request(client, database, world.event_feed)
    figures.add("statements of a changed feed", changed)
    outsider.close()
    database.engine.dispose()


def _count_for_request(client: FlaskClient, database: Database, path: str, *, tag: str | None = None) -> Figure:
    with record_statements(database) as seen:
        answer = client.get(path, headers={} if tag is None else {"If-None-Match": tag})
        answer.get_data()
    wanted = 200 if tag is None else 304
    if answer.status_code != wanted:
        raise RuntimeError(f"The app answers {answer.status} and not {wanted}.")
    # BEGIN statements are not counted.
    return Figure.from_value(sum(not one.startswith("BEGIN") for one in seen), "statements")
