"""/healthz and /readyz, for whoever watches the process."""

import orjson
from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from eventcal.kit.schema_version import is_current
from eventcal.web.access import feed
from eventcal.web.work import house

health = Blueprint("health", __name__)


@health.get("/healthz")
@feed
def alive() -> Response:
    """Say that the process answers."""
    return _answer(200, "ok")


@health.get("/readyz")
@feed
def ready() -> Response:
    """Say whether the database can be reached and has every migration."""
    try:
        with house().database.connection() as connection:
            current = is_current(connection)
    except SQLAlchemyError:
        return _answer(503, "the database cannot be reached")
    return _answer(200, "ok") if current else _answer(503, "the database is not migrated: run `eventcal db upgrade`")


def _answer(status: int, says: str) -> Response:
    response = Response(orjson.dumps({"status": says}), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    if status != 200:  # noqa: PLR2004 - whatever is not fine
        response.headers["Retry-After"] = "5"
    return response
