"""The OpenAPI document, as JSON for programs and as a page for people; nothing on it comes from another host."""

import re
from functools import partial
from typing import Any

from flask import Blueprint, current_app, render_template
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from eventcal.kit.markdown import to_html
from eventcal.web.api.openapi.reference_page import codes_in, form_of, operations_of, shape_in
from eventcal.web.api.responses import Content, cached, document
from eventcal.web.http.errors import known_problems
from eventcal.web.identity.permissions import public

docs = Blueprint("docs", __name__, url_prefix="/api/v1")


@docs.get("/openapi.json")
@public
@cached
def openapi(_session: Session) -> Content:
    """Give the OpenAPI document."""
    return document(_document())


@docs.get("/docs")
@public
@cached
def readable(_session: Session) -> Content:
    """Give the same as a page for people."""
    said = _document()
    html = render_template(
        "api/docs.html",
        said=said,
        about=Markup(to_html(said["info"]["description"])),  # noqa: S704 - sanitised, and our own text
        operations=partial(operations_of, said),
        codes_in=codes_in,
        form_of=form_of,
        shape_in=shape_in,
        problems=sorted(known_problems(), key=lambda row: (row[0], row[1])),
        code=_code,
    )
    return Content(body=html.encode(), media_type="text/html; charset=utf-8")


def _document() -> dict[str, Any]:
    said: dict[str, Any] = current_app.extensions["eventcal_openapi"]()
    return said


def _code(text: str) -> Markup:
    """Return a sentence whose words in backticks stand in <code>."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just before
