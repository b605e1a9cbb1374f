"""/healthz and /readyz for monitoring, and /robots.txt."""

import orjson
from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from eventcal.web.identity.permissions import feed
from eventcal.web.request.context import house, links

health = Blueprint("health", __name__)
front = Blueprint("front", __name__)

# Calendar services ask robots.txt before they fetch a feed; a path refused here is a calendar that never updates.
# The others are pages that only who is here has a use for.
_CLOSED = ("/api/v1/auth/", "/api/v1/me", "/me", "/organise", "/language", "/login", "/propose", "/register", "/submit")


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
        current = house().database.is_migrated()
    except SQLAlchemyError:
        return _answer(503, "the database cannot be reached")
    return _answer(200, "ok") if current else _answer(503, "the database is not migrated: run `eventcal db upgrade`")


def _answer(status: int, says: str) -> Response:
    response = Response(orjson.dumps({"status": says}), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    if status != 200:  # noqa: PLR2004 - whatever is not fine
        response.headers["Retry-After"] = "5"
    return response


@front.get("/robots.txt")
@feed
def robots() -> Response:
    """Let robots read everything that is public, and say where all of it is named."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _CLOSED), "", f"Sitemap: {links().home()}sitemap.xml"]
    answer = Response("".join(f"{line}\n" for line in lines), mimetype="text/plain")
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer
