"""Pages that no cache keeps: those of one member, who signed in with their password, and forms with their faults."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import ParamSpec
from urllib.parse import quote

from flask import Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from eventcal.kit.refusals import Forbidden, NotFound, Refusal
from eventcal.web.http.errors import status_of
from eventcal.web.i18n.locale import language
from eventcal.web.identity.current_user import SAFE, caller
from eventcal.web.identity.permissions import by_cookie
from eventcal.web.rendering.page import MEDIA_TYPE, Page, guarded, render
from eventcal.web.request.context import reading

P = ParamSpec("P")
View = Callable[P, AnyResponse]

HOME = "/me"
"""Where somebody goes who signed in."""


def answer_page(page: Page, *, status: int = HTTPStatus.OK) -> Response:
    """Return the answer to the request under way: a page that nobody else sees and nothing keeps."""
    answer = guarded(Response(render(page), status=status, content_type=MEDIA_TYPE), page.policy)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Language"] = language()
    return answer


def answer_invalid(page: Page, *, status: int = HTTPStatus.UNPROCESSABLE_ENTITY) -> Response:
    """Return a page that says what is wrong with the query, the same for everybody who reads its language."""
    answer = answer_page(page, status=status)
    answer.vary.add("Accept-Language")
    return answer


def signed_in(view: View[P]) -> View[P]:
    """Let members call who signed in with their password; whoever only wants to read is led to the sign-in first."""
    guarded_view = by_cookie(view)

    @wraps(guarded_view)
    def led(*args: P.args, **kwargs: P.kwargs) -> AnyResponse:
        if request.method in SAFE and not caller().signed_in:
            return redirect(f"/login?next={quote(request.full_path.rstrip('?'), safe='')}", HTTPStatus.SEE_OTHER)
        return guarded_view(*args, **kwargs)

    return led


def handle_form(
    process: Callable[[], str | AnyResponse],
    *,
    render_form: Callable[[Session, Refusal], Page],
    reraise: tuple[type[Refusal], ...] = (NotFound, Forbidden),
) -> AnyResponse:
    """Call `process`, and redirect to the path that it returns; if it returns a response, return that.

    If it raises a Refusal, return the page that `render_form` makes for the error, with the error's status. Errors
    of the types in `reraise` are not caught.
    """
    try:
        result = process()
    except reraise:
        raise
    except Refusal as error:
        with reading() as session:
            return answer_page(render_form(session, error), status=status_of(type(error)))
    return redirect(result, HTTPStatus.SEE_OTHER) if isinstance(result, str) else result


def way_on(wanted: str | None, *, otherwise: str = HOME) -> str:
    """Return where to go next: a path of ours, whatever the query names; `otherwise` if it names none."""
    ours = wanted is not None and wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if ours and wanted is not None and wanted.isprintable() and "\\" not in wanted else otherwise
