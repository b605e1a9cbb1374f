"""Views for the health checks (`/healthz` and `/readyz`), `/metrics` and `/robots.txt`."""

from http import HTTPStatus

import orjson
from flask import Blueprint, Response, abort, request
from sqlalchemy.exc import SQLAlchemyError

from eventcal.kit.errors import DatabaseBusy
from eventcal.metrics import MEDIA_TYPE, is_authorized, render_metrics
from eventcal.web.identity.permissions import anonymous
from eventcal.web.request.context import links, services, settings

health = Blueprint("health", __name__)
front = Blueprint("front", __name__)

# Feed paths are not disallowed, because some calendar services obey robots.txt.
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
        if services().database.is_migrated():
            return _health_response(200, "ok")
    except (DatabaseBusy, SQLAlchemyError):
        return _health_response(503, "the database cannot be reached")
    return _health_response(503, "the database schema is out of date: run `eventcal db upgrade`")


def _health_response(status: int, message: str) -> Response:
    response = Response(orjson.dumps({"status": message}), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    if status != 200:  # noqa: PLR2004 - any error
        response.headers["Retry-After"] = "5"
    return response


@front.get("/metrics")
@anonymous
def metrics() -> Response:
    """Serve the metrics for Prometheus, with the token from the settings. Without a token, they do not exist here."""
    if settings().metrics_token is None:
        abort(HTTPStatus.NOT_FOUND)
    if not is_authorized(request.headers.get("Authorization"), settings()):
        abort(HTTPStatus.UNAUTHORIZED)
    body = render_metrics(services().database, settings())
    response = Response(body, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


@front.get("/robots.txt")
@anonymous
def robots() -> Response:
    """Serve robots.txt, which refers to the sitemap and allows crawlers to read all public pages."""
    rules = "".join(f"Disallow: {path}\n" for path in _DISALLOWED_PATHS)
    response = Response(f"User-agent: *\n{rules}\nSitemap: {links().home()}sitemap.xml\n", mimetype="text/plain")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
