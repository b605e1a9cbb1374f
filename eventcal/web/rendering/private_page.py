"""Pages that must not be cached: private pages, forms with errors, and error pages."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial, wraps
from http import HTTPStatus
from inspect import unwrap
from typing import Any, ParamSpec
from urllib.parse import quote

from flask import Response, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from eventcal.kit.errors import Conflict, DomainError, Invalid, Unavailable, VersionConflict
from eventcal.kit.retry import call_again_in_next_second
from eventcal.web.http.errors import ErrorClass, retry_after, status_of
from eventcal.web.http.problem_details import MEDIA_TYPE as PROBLEM
from eventcal.web.http.problem_details import Problem, ProblemResponse
from eventcal.web.i18n import current_language, page_error_message, translate, translate_field_errors
from eventcal.web.identity.current_user import SAFE_METHODS, caller, csrf_token
from eventcal.web.identity.permissions import session_only
from eventcal.web.rendering.forms import field_errors, lost_upload_errors, rejected_form
from eventcal.web.rendering.page import CONTENT_SECURITY_POLICY, MEDIA_TYPE, Page, pages, render_html
from eventcal.web.request.context import services

P = ParamSpec("P")
View = Callable[P, AnyResponse]

# The exceptions that a form view handles by default. Other exceptions, such as NotFound, result in an error page.
FORM_ERRORS = (Invalid, Conflict, VersionConflict, Unavailable, TooManyRequests)
_SECRET_FIELDS = ("password", "new_password", "proof", "answer")
_LOG = logging.getLogger(__name__)

_HTML, _JSON = "text/html", "application/json"
# Errors at paths with a feed suffix are always sent as problem details (RFC 9457).
_FEED_SUFFIXES = (".ics", ".jcal", ".xcal", ".jscal", ".csv", ".atom", "/schedule.xml", "/schedule.json")


def page_response(page: Page, *, status: int = HTTPStatus.OK) -> Response:
    """Return a response that contains a page and must not be cached (`no-store`)."""
    response = Response(render_html(page), status=status, content_type=MEDIA_TYPE)
    response.headers["Content-Security-Policy"] = page.content_security_policy
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Language"] = current_language()
    if (seconds := retry_after(status)) is not None:
        response.headers["Retry-After"] = seconds
    return response


def invalid_query_response(page: Page, *, status: int = HTTPStatus.UNPROCESSABLE_ENTITY) -> Response:
    """Return a response that contains a page with error messages about the query string."""
    response = page_response(page, status=status)
    response.vary.add("Accept-Language")
    return response


def answer_rejected(page: Page, error: DomainError | HTTPException) -> Response:
    return page_response(page, status=status_of(type(error)))


def login_required(view: View[P]) -> View[P]:
    """Require a signed-in member. Anonymous GET and HEAD requests are redirected to the sign-in page."""
    guarded_view = session_only(view)

    @wraps(guarded_view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> AnyResponse:
        if request.method in SAFE_METHODS and not caller().is_signed_in:
            next_url = quote(request.full_path.rstrip("?"), safe="")
            return redirect(f"{url_for('pages.login_form')}?next={next_url}", HTTPStatus.SEE_OTHER)
        return guarded_view(*args, **kwargs)

    return wrapper


def form_view(
    on_error: Callable[..., AnyResponse], *, catch: tuple[ErrorClass, ...] = FORM_ERRORS
) -> Callable[[Callable[P, str | AnyResponse]], Callable[P, AnyResponse]]:
    """Decorate a view that processes a form and returns either a response or the path for a redirect.

    If the view raises one of the exceptions in `catch`, `on_error` is called with the exception and the view arguments.
    If the view raises ChangedTooRecently, it is called again in the next second. The request keeps its slot for writes
    in the meantime, so that the number of waiting threads is limited.
    """

    def decorate(view: Callable[P, str | AnyResponse]) -> Callable[P, AnyResponse]:
        @wraps(view)
        def handled(*args: P.args, **kwargs: P.kwargs) -> AnyResponse:
            try:
                result = call_again_in_next_second(
                    partial(_call_form_view, view, *args, **kwargs), clock=services().clock
                )
            except catch as error:
                return on_error(error, *args, **kwargs)
            return redirect(result, HTTPStatus.SEE_OTHER) if isinstance(result, str) else result

        return handled

    return decorate


def _call_form_view(view: Callable[P, str | AnyResponse], *args: P.args, **kwargs: P.kwargs) -> str | AnyResponse:
    for file in request.files.values():
        # A previous call has read the uploaded files.
        file.stream.seek(0)
    return view(*args, **kwargs)


def redisplay(
    render_form: Callable[..., AnyResponse],
    *,
    default_field: str = "",
    secret_fields: Sequence[str] = _SECRET_FIELDS,
    optional_fields: Sequence[str] = (),
    **view_kwargs: str,
) -> Callable[..., AnyResponse]:
    """Return an error handler for `form_view` that calls `render_form` with the submitted form and the HTTP status.

    If `render_form` is a view, its decorators are skipped. An exception without field errors is attributed to
    `default_field`. Browsers can omit the fields in `optional_fields`, such as check boxes.
    """
    show_form: Callable[..., AnyResponse] = unwrap(render_form)

    def handle(error: DomainError | HTTPException, *args: Any, **kwargs: Any) -> AnyResponse:
        names, errors = (*optional_fields, *request.files), field_errors(error, default_field=default_field)
        data = MultiDict([*((name, "") for name in names), *request.form.items(multi=True)])
        form = rejected_form(data, (*errors, *lost_upload_errors(errors)), secret_fields=secret_fields)
        return show_form(*args, form=form, status=status_of(type(error)), **view_kwargs, **kwargs)

    return handle


def safe_redirect(path: str | None, *, default: str) -> str:
    """Return `path` if it is a path on this site, or else `default`, to prevent open redirects."""
    is_local = path is not None and path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if is_local and path is not None and path.isprintable() and "\\" not in path else default


@pages.app_template_global()
def has_duties() -> bool:
    return caller().is_team_member_or_moderator


def private_page_response(
    *, template: str, title: str, path: str | None = None, status: int = HTTPStatus.OK, **context: object
) -> Response:
    """Return a response that contains a page with a CSRF token. `template` is relative to templates/pages."""
    context = {"csrf": csrf_token(), **context}
    page = Page(template=f"pages/{template}", title=title, indexed=False, context=context)
    return page_response(page if path is None else replace(page, path=path), status=status)


def secret_page_response(
    *, template: str, title: str, path: str | None = None, status: int = HTTPStatus.CREATED, **context: object
) -> Response:
    """Return a response that contains a private page with a secret in its content or in its URL.

    A new secret is sent in the response to the POST request, so that the secret is not stored in a URL or in a cookie.
    """
    response = private_page_response(template=template, title=title, path=path, status=status, **context)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def render_problem_as_html(response: Response) -> Response:
    """Replace the body of a problem details response with an error page if the client prefers HTML."""
    if not isinstance(response, ProblemResponse) or not _prefers_html_page():
        return response
    try:
        body = render_html(_build_error_page(response.problem))
        language = current_language()
    except Exception:  # noqa: BLE001 - no error may turn the error response into a second error
        _LOG.exception("the page for an answer with status %s was not made", response.status_code)
        return response
    response.set_data(body)
    response.content_type = MEDIA_TYPE
    response.content_language.add(language)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.vary.update(("Accept", "Accept-Language"))
    return response


def _prefers_html_page() -> bool:
    path = request.path.rstrip("/")
    if request.path.startswith("/api/") or path.endswith(_FEED_SUFFIXES):
        return False
    accepted = request.accept_mimetypes
    return bool(accepted[_HTML] > max(accepted[PROBLEM], accepted[_JSON]))


def _build_error_page(problem: Problem) -> Page:
    """Return an error page without the URL of the request, which can contain a secret."""
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
            # The language links point to the home page, because an error page must not contain the requested URL.
            "home_in": "/?lang={lang}".format,
        },
    )
