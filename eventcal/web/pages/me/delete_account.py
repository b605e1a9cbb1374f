"""Leaving: what goes and what stays is said first, with the member's own data; then the account is removed."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.kit.refusals import Fault, Refusal
from eventcal.talks.removal import foresee, leave
from eventcal.web.http.errors import status_of
from eventcal.web.identity.current_user import forget_session
from eventcal.web.identity.permissions import current_member, public
from eventcal.web.identity.schemas import OwnPasswordIn
from eventcal.web.pages.me.layout import own_page
from eventcal.web.rendering.forms import Form, faults_of, load, typed_again
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, signed_in
from eventcal.web.request.context import now, reading, unit_of_work

_PASSWORD = OwnPasswordIn()
_SECRET = ("password",)


@pages.get("/me/account/delete")
@signed_in
def leaving() -> Response:
    """Say what goes and what stays if a member leaves, and ask for the password; or say why they cannot."""
    return _asking(Form())


@pages.post("/me/account/delete")
@signed_in
def leave_now() -> Response:
    """Remove the account of the member who calls, for whoever knows its password."""
    given = {name: request.form[name] for name in _SECRET if request.form.get(name)}
    try:
        _fields, faults = load(_PASSWORD, given)
        if faults:
            return _again(faults, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        with unit_of_work() as session:
            leave(session, current_member(session), now=now())
    except Refusal as refusal:
        return _again(faults_of(refusal), status=status_of(type(refusal)))
    forget_session()
    return redirect("/me/account/deleted", HTTPStatus.SEE_OTHER)


@pages.get("/me/account/deleted")
@public
def left() -> Response:
    """Say that the account is gone; whoever reads it is nobody any more."""
    page = Page(template="pages/left.html", title=_("Your account is gone"), path="/me/account/deleted", indexed=False)
    return answer_page(page)


def _again(faults: Sequence[Fault], *, status: int) -> Response:
    return _asking(typed_again(request.form, faults, secret=_SECRET), status=status)


def _asking(form: Form, *, status: int = HTTPStatus.OK) -> Response:
    with reading() as session:
        page = own_page(
            template="leaving.html",
            title=_("Delete my account"),
            path="/me/account/delete",
            what=foresee(session, current_member(session), now=now()),
            form=form,
        )
        return answer_page(page, status=status)
