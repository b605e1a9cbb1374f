"""How many SQL statements a feed takes: unchanged, as 304 and as 200, and after a change."""

from flask.testing import FlaskClient

from bench.changes import Outsider
from bench.figures import Figure, Figures
from bench.worlds import World
from eventcal.app import create_app
from eventcal.kit.database import Database
from tests.http_app import database_of, when_asked
from tests.statements import statements


def count_statements(world: World, figures: Figures) -> None:
    """Note the statements of a 304, of an unchanged 200, and of the first 200 after a change."""
    # That somebody came is written down beside the requests, and is none of their statements.
    app, outsider = create_app(world.settings(), afterwards=when_asked()), Outsider(world)
    client, database = app.test_client(), database_of(app)
    tag = client.get(world.event).headers["ETag"]
    figures.note("statements of a 304", _count(client, database, world.event, tag=tag))
    figures.note("statements of an unchanged 200", _count(client, database, world.event))
    for _ in range(2):
        # Once to warm up: what a process reads once, it has read then.
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
    # Where a transaction begins, nothing is asked.
    return Figure.once(sum(not one.startswith("BEGIN") for one in seen), "statements")
