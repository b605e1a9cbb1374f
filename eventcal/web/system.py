"""Views for the health checks (`/healthz` and `/readyz`) and `/robots.txt`."""

import orjson
from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from eventcal.web.identity.permissions import anonymous
from eventcal.web.request.context import links, services

health = Blueprint("health", __name__)
front = Blueprint("front", __name__)

# Feeds must not be disallowed, because calendar services that obey robots.txt could not fetch them.
_DISALLOWED_PATHS = (
    "/api/v1/auth/",
    "/api/v1/me",
    "/me",
    "/organise",
    "/language",
    "/login",
    "/propose",
    "/register",
    "/submit",
)


@health.get("/healthz")
@anonymous
def alive() -> Response:
    """Report that the process is running."""
    return _health_response(200, "ok")


@health.get("/readyz")
@anonymous
def ready() -> Response:
    """Report whether the database can be reached and all migrations have been applied."""
    try:
        current = services().database.is_migrated()
    except SQLAlchemyError:
        return _health_response(503, "the database cannot be reached")
    return (
        _health_response(200, "ok")
        if current
        else _health_response(503, "the database schema is out of date: run `eventcal db upgrade`")
    )


def _health_response(status: int, message: str) -> Response:
    response = Response(orjson.dumps({"status": message}), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    if status != 200:  # noqa: PLR2004 - any error
        response.headers["Retry-After"] = "5"
    return response


@front.get("/robots.txt")
@anonymous
def robots() -> Response:
    """Serve robots.txt, which allows crawlers to read all public pages and references the sitemap."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in _DISALLOWED_PATHS),
        "",
        f"Sitemap: {links().home()}sitemap.xml",
    ]
    answer = Response("".join(f"{line}\n" for line in lines), mimetype="text/plain")
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer
