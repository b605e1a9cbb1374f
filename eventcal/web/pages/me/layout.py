"""What a member's own pages, and those on the way in, share: their frame, their forms, and secrets shown once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from inspect import unwrap
from typing import ParamSpec

from flask import redirect, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from eventcal.kit.ids import new_secret
from eventcal.kit.refusals import Invalid, NotFound, Refusal
from eventcal.web.http.errors import TooMany, status_of
from eventcal.web.identity.current_user import csrf_token, current_member_id
from eventcal.web.identity.permissions import caller
from eventcal.web.rendering.dates import When, at
from eventcal.web.rendering.forms import Form, faults_of, typed_again
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page
from eventcal.web.request.idempotency import is_first_time

P = ParamSpec("P")

BLANK = Form()
"""A form with nothing in it yet."""

_SECRET_FIELDS = ("password", "new_password", "proof", "answer")


@pages.app_template_global()
def has_duties() -> bool:
    """Say whether there is more for the caller than their own pages; the frame of these asks."""
    return caller().has_duties


def own_page(*, template: str, title: str, **values: object) -> Page:
    """Return a page with forms that search engines do not list; `template` is below templates/pages."""
    values = {"csrf": csrf_token(), **values}
    return Page(template=f"pages/{template}", title=title, indexed=False, values=values)


def answer_own_page(
    *, template: str, title: str, path: str | None = None, status: int = HTTPStatus.OK, **values: object
) -> Response:
    """Answer with such a page; `path` is its own if that is not the path of the request."""
    page = own_page(template=template, title=title, **values)
    return answer_page(page if path is None else replace(page, path=path), status=status)


def form_view(
    show: Callable[..., Response],
    *,
    at: str = "",
    catch: tuple[type[Refusal], ...] = (Invalid, TooMany),
    secret: Sequence[str] = _SECRET_FIELDS,
    unsent: Sequence[str] = (),
    **where: str,
) -> Callable[[Callable[P, str | Response]], Callable[P, Response]]:
    """Redirect to the path that the view of a form returns; if it returns a response, return that.

    If it raises one of the errors in `catch` other than NotFound, call `show`, without its access mark if it is a view,
    to show the form as it was typed, with the error's status and the view's arguments. An error that names no fields is
    shown beside the field `at`.

    secret: fields that are not shown again. unsent: fields that a browser may leave out, such as check boxes.
    where: more arguments for `show`.
    """
    answer_form: Callable[..., Response] = unwrap(show)

    def decorate(view: Callable[P, str | Response]) -> Callable[P, Response]:
        @wraps(view)
        def handled(*args: P.args, **kwargs: P.kwargs) -> Response:
            try:
                result = view(*args, **kwargs)
            except NotFound:
                raise
            except catch as error:
                typed = MultiDict([*((name, "") for name in unsent), *request.form.items(multi=True)])
                form = typed_again(typed, faults_of(error, at=at), secret=secret)
                return answer_form(*args, form=form, status=status_of(type(error)), **where, **kwargs)
            return redirect(result, HTTPStatus.SEE_OTHER) if isinstance(result, str) else result

        return handled

    return decorate


def filled_in(*names: str) -> dict[str, str]:
    """Return these fields of the form that was sent, without those that were left empty."""
    return {name: request.form[name] for name in names if request.form.get(name)}


def next_page() -> str:
    """Return the page that the form that was sent, or else the query, names as the next one; or an empty string."""
    return request.form.get("next") or request.args.get("next") or ""


def utc_time(moment: datetime | None) -> When | None:
    """Return a moment for a page, in UTC; None if there is none."""
    return at(moment, tzid="UTC") if moment else None


def new_form_key() -> str:
    """Return what a form is known by that makes a secret: it is taken once."""
    return new_secret("")


def is_taken_now(session: Session) -> bool:
    """Say whether the form that was sent has not been taken before, and note that it now is."""
    return is_first_time(session, request.form.get("form_key", ""), member_id=current_member_id())


def answer_secret_page(page: Page, status: int = HTTPStatus.CREATED) -> Response:
    """Answer with a page whose content or address holds a secret: links on it do not send its address.

    A new secret is in the answer to the POST itself, so that it is in no address and no cookie.
    """
    answer = answer_page(page, status=status)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
