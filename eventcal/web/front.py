"""What stands at the door: what robots may fetch."""

from flask import Blueprint, Response

from eventcal.web.access import feed
from eventcal.web.work import links

front = Blueprint("front", __name__)

# Calendar services ask robots.txt before they fetch a feed; a path refused here is a calendar that never updates.
# The others are pages that only who is here has a use for.
_CLOSED = ("/api/v1/auth/", "/api/v1/me", "/me", "/organise", "/language", "/login", "/propose", "/register", "/submit")


@front.get("/robots.txt")
@feed
def robots() -> Response:
    """Let robots read everything that is public, and say where all of it is named."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _CLOSED), "", f"Sitemap: {links().home()}sitemap.xml"]
    answer = Response("".join(f"{line}\n" for line in lines), mimetype="text/plain")
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer
