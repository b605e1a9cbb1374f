"""The pictures that pages show: all of them ours, so that a page has nothing loaded from another host."""

from flask import Response, request
from werkzeug.datastructures import Headers

from eventcal.media.errors import NoSuchPicture
from eventcal.media.picture import SERVED_AS
from eventcal.web.http.conditional import decide
from eventcal.web.http.representation import Rendition
from eventcal.web.identity.permissions import feed
from eventcal.web.media import PATH, gallery
from eventcal.web.rendering.page import guards, pages
from eventcal.web.request.context import now

_FOR_EVER = "public, max-age=31536000, immutable"


@pages.get(f"{PATH}<name>")
@feed
def picture(name: str) -> Response:
    """Serve a picture to pages of any origin. Its name is that of its bytes, so it never changes."""
    body = gallery().find(name)
    if body is None:
        raise NoSuchPicture
    rendition = Rendition(
        body=body,
        media_type=SERVED_AS,
        etag=name.partition(".")[0],
        last_modified=None,
        cache_control=_FOR_EVER,
        # Where a page isolates itself (Cross-Origin-Embedder-Policy), it says that it may be loaded.
        extra=(*guards("default-src 'none'"), ("Cross-Origin-Resource-Policy", "cross-origin")),
    )
    # It is compressed already: there is one coding, and nothing that an answer could vary by.
    decided = decide(
        rendition,
        accept_encoding=None,
        if_none_match=request.headers.get("If-None-Match"),
        if_modified_since=None,
        now=now(),
    )
    headers = Headers(decided.headers)
    del headers["Vary"]
    return Response(decided.body, status=304 if decided.body is None else 200, headers=headers)
