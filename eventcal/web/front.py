"""What stands at the door: where to go first, and what robots may fetch."""

from flask import Blueprint, Response, redirect
from werkzeug.wrappers import Response as AnyResponse

from eventcal.web.access import feed

front = Blueprint("front", __name__)

# Calendar services ask robots.txt before they fetch a feed; a path refused here is a calendar that never updates.
_ROBOTS = "User-agent: *\nDisallow: /api/v1/auth/\nDisallow: /api/v1/me\n"


@front.get("/")
@feed
def first() -> AnyResponse:
    """Lead to the description of the API."""
    return redirect("/api/v1/docs")


@front.get("/robots.txt")
@feed
def robots() -> Response:
    """Let robots read everything that is public."""
    answer = Response(_ROBOTS, mimetype="text/plain")
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer
