"""The OpenAPI document, as JSON for programs and as a page for people; nothing on it comes from another host."""

from flask import Blueprint, Response, current_app
from sqlalchemy.orm import Session

from eventcal.web.access import public
from eventcal.web.api.answers import document, serve_public
from eventcal.web.conditional import Rendition

docs = Blueprint("docs", __name__, url_prefix="/api/v1")


@docs.get("/openapi.json")
@public
def openapi() -> Response:
    """Give the OpenAPI document."""

    def make(session: Session) -> Rendition:
        return document(session, current_app.extensions["eventcal_openapi"])

    return serve_public(make)
