"""The number of SQL statements for a feed: unchanged, as 304 and as 200, and after a change."""

from flask.testing import FlaskClient

from bench.changes import Outsider
from bench.figures import Figure, Figures
from bench.worlds import World
from eventcal.app import create_app
from eventcal.kit.database import Database
from tests.http_app import database_of, when_asked
from tests.statements import statements


def count_statements(world: World, figures: Figures) -> None:
    """Record the number of statements of a 304, of an unchanged 200, and of the first 200 after a change."""
    # Feed requests are counted outside the request, so that their statements are not included.
    app, outsider = create_app(world.settings(), background=when_asked()), Outsider(world)
    client, database = app.test_client(), database_of(app)
    tag = client.get(world.event).headers["ETag"]
    figures.note("statements of a 304", _count(client, database, world.event, tag=tag))
    figures.note("statements of an unchanged 200", _count(client, database, world.event))
    for _ in range(2):
        # The first round is a warm-up, in which the process loads data that it then keeps.
        outsider.change_a_talk()
        changed = _count(client, database, world.event)
    figures.note("statements of a changed feed", changed)
    outsider.close()
    database.engine.dispose()


def _count(client: FlaskClient, database: Database, path: str, *, tag: str | None = None) -> Figure:
    with statements(database) as seen:
        answer = client.get(path, headers={} if tag is None else {"If-None-Match": tag})
        answer.get_data()
    wanted = 200 if tag is None else 304
    if answer.status_code != wanted:
        raise RuntimeError(f"The app answers {answer.status} and not {wanted}.")
    # BEGIN is not counted.
    return Figure.once(sum(not one.startswith("BEGIN") for one in seen), "statements")
