"""What a member's own pages share: the way between them, what was just done, and a secret that is shown once."""

from http import HTTPStatus

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.kit.ids import new_secret
from eventcal.web.identity.current_user import csrf_token, current_member_id
from eventcal.web.identity.permissions import caller
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page
from eventcal.web.request.idempotency import is_first_time


@pages.app_template_global()
def has_duties() -> bool:
    """Say whether there is more for the caller than their own pages; the frame of these asks."""
    return caller().has_duties


def own_page(*, template: str, title: str, path: str, **values: object) -> Page:
    """Return one of a member's own pages; its template extends pages/me/base.html."""
    return Page(
        template=f"pages/me/{template}",
        title=title,
        path=path,
        indexed=False,
        values={"csrf": csrf_token(), **values},
    )


def new_form_key() -> str:
    """Return what a form is known by that makes a secret: it is taken once."""
    return new_secret("")


def is_taken_now(session: Session) -> bool:
    """Say whether the form that was sent has not been taken before, and note that it now is."""
    return is_first_time(session, request.form.get("form_key", ""), member_id=current_member_id())


def show_secret(page: Page) -> Response:
    """Answer with a page that shows a secret: the answer to the POST itself, so that it is in no address and no cookie.

    No link on it tells where it was followed. Loaded again, the form behind it is not taken a second time.
    """
    answer = answer_page(page, status=HTTPStatus.CREATED)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
