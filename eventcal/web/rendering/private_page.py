"""Pages that are not cached: members' own pages, forms with errors, and error pages."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from http import HTTPStatus
from inspect import unwrap
from typing import Any, ParamSpec
from urllib.parse import quote

from flask import Response, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from eventcal.kit.errors import Conflict, DatabaseBusy, DomainError, Invalid, VersionConflict
from eventcal.web.http.errors import ErrorClass, status_of
from eventcal.web.http.problem_details import MEDIA_TYPE as PROBLEM
from eventcal.web.http.problem_details import Problem, ProblemResponse
from eventcal.web.i18n import current_language, page_error_message, translate, translate_field_errors
from eventcal.web.identity.current_user import SAFE_METHODS, caller, csrf_token
from eventcal.web.identity.permissions import session_only
from eventcal.web.rendering.forms import field_errors, lost_upload_errors, rejected_form
from eventcal.web.rendering.page import MEDIA_TYPE, Page, add_security_headers, pages, render_html

P = ParamSpec("P")
View = Callable[P, AnyResponse]

FORM_ERRORS = (Invalid, Conflict, VersionConflict, DatabaseBusy, TooManyRequests)
"""The errors that a form view handles by default. Other errors, such as NotFound and Forbidden, get an error page."""

_SECRET_FIELDS = ("password", "new_password", "proof", "answer")
_LOG = logging.getLogger(__name__)

_HTML, _JSON = "text/html", "application/json"
# Suffixes of feed paths. Errors at these paths are sent as problem details, even to browsers.
_FEED_SUFFIXES = (".ics", ".jcal", ".xcal", ".jscal", ".csv", ".atom", "/schedule.xml", "/schedule.json")


def page_response(page: Page, *, status: int = HTTPStatus.OK) -> Response:
    """Return a page as the response to the current request. The response must not be cached."""
    answer = add_security_headers(
        Response(render_html(page), status=status, content_type=MEDIA_TYPE), page.content_security_policy
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Language"] = current_language()
    return answer


def invalid_query_response(page: Page, *, status: int = HTTPStatus.UNPROCESSABLE_ENTITY) -> Response:
    """Return a page with the errors of a query. The page is the same for all readers of its language."""
    answer = page_response(page, status=status)
    answer.vary.add("Accept-Language")
    return answer


def answer_rejected(page: Page, error: DomainError | HTTPException) -> Response:
    """Return the page of a rejected form, with the status of the error."""
    return page_response(page, status=status_of(type(error)))


def login_required(view: View[P]) -> View[P]:
    """Require a signed-in member. GET and HEAD requests of other users are redirected to the sign-in page."""
    guarded_view = session_only(view)

    @wraps(guarded_view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> AnyResponse:
        if request.method in SAFE_METHODS and not caller().is_signed_in:
            onward = quote(request.full_path.rstrip("?"), safe="")
            return redirect(f"{url_for('pages.login_form')}?next={onward}", HTTPStatus.SEE_OTHER)
        return guarded_view(*args, **kwargs)

    return wrapper


def form_view(
    on_error: Callable[..., AnyResponse], *, catch: tuple[ErrorClass, ...] = FORM_ERRORS
) -> Callable[[Callable[P, str | AnyResponse]], Callable[P, AnyResponse]]:
    """Redirect to the path that the view of a form returns; if it returns a response, return that.

    If the view raises one of the errors in `catch`, return the response of `on_error`, which is called with the error
    and the view's arguments.
    """

    def decorate(view: Callable[P, str | AnyResponse]) -> Callable[P, AnyResponse]:
        @wraps(view)
        def handled(*args: P.args, **kwargs: P.kwargs) -> AnyResponse:
            try:
                result = view(*args, **kwargs)
            except catch as error:
                return on_error(error, *args, **kwargs)
            return redirect(result, HTTPStatus.SEE_OTHER) if isinstance(result, str) else result

        return handled

    return decorate


def redisplay(
    render_form: Callable[..., AnyResponse],
    *,
    default_field: str = "",
    secret_fields: Sequence[str] = _SECRET_FIELDS,
    optional_fields: Sequence[str] = (),
    **view_kwargs: str,
) -> Callable[..., AnyResponse]:
    """Return an error handler for form_view that calls `show` with the submitted form and the error's status.

    If `show` is a view, its access decorators are skipped. An error without field errors is shown at the field `at`.

    secret: fields whose values are not shown again. unsent: fields that browsers may omit, such as check boxes.
    where: more keyword arguments for `show`.
    """
    show_form: Callable[..., AnyResponse] = unwrap(render_form)

    def handle(error: DomainError | HTTPException, *args: Any, **kwargs: Any) -> AnyResponse:
        names, faults = (*optional_fields, *request.files), field_errors(error, default_field=default_field)
        typed = MultiDict([*((name, "") for name in names), *request.form.items(multi=True)])
        form = rejected_form(typed, (*faults, *lost_upload_errors(faults)), secret_fields=secret_fields)
        return show_form(*args, form=form, status=status_of(type(error)), **view_kwargs, **kwargs)

    return handle


def safe_redirect(path: str | None, *, default: str) -> str:
    """Return the path to redirect to: `path` if it is a path on this site, else `default`."""
    ours = path is not None and path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if ours and path is not None and path.isprintable() and "\\" not in path else default


@pages.app_template_global()
def has_duties() -> bool:
    """Return whether the current user has more pages than their own (see Caller.has_duties), for the page layout."""
    return caller().is_staff


def private_page_response(
    *, template: str, title: str, path: str | None = None, status: int = HTTPStatus.OK, **context: object
) -> Response:
    """Return the response with a page that has a CSRF token and that search engines do not list.

    template: relative to templates/pages. path: the path of the page if that is not the path of the request.
    """
    context = {"csrf": csrf_token(), **context}
    page = Page(template=f"pages/{template}", title=title, indexed=False, context=context)
    return page_response(page if path is None else replace(page, path=path), status=status)


def secret_page_response(
    *, template: str, title: str, path: str | None = None, status: int = HTTPStatus.CREATED, **context: object
) -> Response:
    """Return the response with a page, as answer_own_page does, that contains a secret or has one in its URL.

    Its links send no referrer. A new secret is in the response to the POST request itself, not in a URL or a cookie.
    """
    answer = private_page_response(template=template, title=title, path=path, status=status, **context)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def render_problem_as_html(response: Response) -> Response:
    """Replace the body of a problem details response with an error page for browsers. The status does not change."""
    if not isinstance(response, ProblemResponse) or not _prefers_html_page():
        return response
    try:
        body = render_html(_build_error_page(response.problem))
        spoken = current_language()
    except Exception:  # noqa: BLE001 - no error may turn the error response into a second error
        # The problem details already describe the error.
        _LOG.exception("the page for an answer with status %s was not made", response.status_code)
        return response
    response.set_data(body)
    response.content_type = MEDIA_TYPE
    response.content_language.add(spoken)
    response.headers["Cache-Control"] = "no-store"
    response.vary.update(("Accept", "Accept-Language"))
    return add_security_headers(response)


def _prefers_html_page() -> bool:
    """Return whether the request is for a page, not for a feed or the API, and accepts HTML best."""
    path = request.path.rstrip("/")
    if request.path.startswith("/api/") or path.endswith(_FEED_SUFFIXES):
        return False
    wanted = request.accept_mimetypes
    return bool(wanted[_HTML] > max(wanted[PROBLEM], wanted[_JSON]))


def _build_error_page(problem: Problem) -> Page:
    """Return the error page for a problem. It does not contain its own URL, which may include a secret."""
    return Page(
        template="pages/refused.html",
        title=translate(problem.title),
        path="/",
        indexed=False,
        context={
            "said": page_error_message(problem.code, problem.detail) if not problem.faults else None,
            "faults": translate_field_errors(problem.faults),
            "status": int(problem.status),
            "sign_in": problem.status == HTTPStatus.UNAUTHORIZED,
            "later": problem.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE},
            "ours": problem.status == HTTPStatus.INTERNAL_SERVER_ERROR,
            # The language links lead to the home page, because the page must not repeat its own URL.
            "home_in": "/?lang={lang}".format,
        },
    )
