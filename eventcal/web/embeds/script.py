"""The script that gives other people's pages an element with the listing in it."""

from functools import cache
from pathlib import Path

from flask import Response, request

from eventcal.web.embeds.csp import embeds
from eventcal.web.http.conditional import etag_of, serve
from eventcal.web.http.representation import Rendition
from eventcal.web.identity.permissions import feed
from eventcal.web.request.context import now

_SOURCE = Path(__file__).parents[1] / "static" / "embed.js"


@embeds.get("/embed.js")
@feed
def script() -> Response:
    """Serve the script, for pages of any origin."""
    answer = serve(_rendition(), request, now())
    answer.headers["X-Content-Type-Options"] = "nosniff"
    # Else a page that isolates itself (Cross-Origin-Embedder-Policy) could not load it.
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@cache
def _rendition() -> Rendition:
    body = _SOURCE.read_bytes()
    return Rendition(
        body=body,
        media_type="text/javascript; charset=utf-8",
        etag=etag_of(body),
        last_modified=None,
        cache_control="public, max-age=3600",
    )
