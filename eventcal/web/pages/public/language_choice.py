"""What a reader chooses for every page: their language. And what browsers ask for by themselves: an icon."""

from http import HTTPStatus

from flask import redirect, request
from werkzeug.wrappers import Response

from eventcal.kit.catalogue import LANGUAGES
from eventcal.kit.refusals import NotFound, Sentence
from eventcal.web.i18n.locale import cookie_name
from eventcal.web.identity.permissions import feed
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import way_on
from eventcal.web.request.context import settings

_A_YEAR = 365 * 24 * 60 * 60


@pages.get("/language/<code>")
@feed
def choose_language(code: str) -> Response:
    """Remember a language for this browser, and go back to where it was chosen."""
    if code not in LANGUAGES:
        raise NotFound(Sentence("There are no pages in “%(code)s”.", code=code))
    answer = redirect(way_on(request.args.get("next"), otherwise="/"), HTTPStatus.SEE_OTHER)
    https = settings().https
    answer.set_cookie(
        cookie_name(https=https), code, max_age=_A_YEAR, secure=https, httponly=True, samesite="Lax", path="/"
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/favicon.ico")
@feed
def icon() -> Response:
    """Lead to the icon, wherever no page says where it is."""
    return redirect("/static/icon.svg", HTTPStatus.PERMANENT_REDIRECT)
