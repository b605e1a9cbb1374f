"""Where the links in mails lead: an address confirmed, a new password chosen."""

from http import HTTPStatus
from typing import Any

from flask import request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.kit.refusals import Fault, Refusal
from eventcal.web.http.errors import status_of
from eventcal.web.i18n.messages import refusal_in_words
from eventcal.web.identity import passwords
from eventcal.web.identity.current_user import check_csrf, csrf_token
from eventcal.web.identity.permissions import public
from eventcal.web.identity.registration import mail_reset_to
from eventcal.web.identity.schemas import ResetConfirmIn, ResetIn
from eventcal.web.rendering.forms import Form, load, typed_again
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page
from eventcal.web.request import rate_limits
from eventcal.web.request.context import now, unit_of_work

_NEW, _ASKED = ResetConfirmIn(), ResetIn()


@pages.get("/confirm")
@public
def confirm() -> Response:
    """Ask for one press of a button: programs that follow every link in a mail must not confirm an address."""
    return _page("pages/confirm.html", _("Confirm your address"), "/confirm", token=request.args.get("token", ""))


@pages.post("/confirm")
@public
def confirm_now() -> Response:
    """Confirm an address by the token that was mailed to it."""
    check_csrf()
    try:
        rate_limits.count_mailed_token()
        with unit_of_work() as session:
            passwords.confirm_by_token(session, request.form.get("token", ""), now=now())
    except Refusal as refusal:
        return _said(_("This did not work"), refusal_in_words(refusal), status=status_of(type(refusal)))
    return _said(_("Your address is confirmed"), _("You can submit talks now."))


@pages.get("/reset")
@public
def reset() -> Response:
    """Show the form for a new password by mailed token; without one, the form to have it mailed."""
    return _resetting(Form({"token": request.args.get("token", "")}))


@pages.post("/reset")
@public
def reset_now() -> Response:
    """Set a new password by mailed token, or have one mailed; the answer does not tell who has an account."""
    check_csrf()
    by_token = bool(request.form.get("token"))
    names = ("token", "password") if by_token else ("email",)
    given: dict[str, Any] = {name: request.form[name] for name in names if request.form.get(name)}
    fields, faults = load(_NEW if by_token else _ASKED, given)
    if faults:
        form = typed_again(request.form, faults, secret=["password"])
        return _resetting(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        if not by_token:
            mail_reset_to(fields["email"])
            said = _("If this address has an account, a mail is on its way.")
            return _said(_("Look into your mail"), said, status=HTTPStatus.ACCEPTED)
        rate_limits.count_mailed_token()
        password_hash = passwords.hashed(fields["password"])
        with unit_of_work() as session:
            passwords.reset_by_token(session, fields["token"], password_hash, now=now())
    except Refusal as refusal:
        form = typed_again(request.form, [Fault("", refusal_in_words(refusal))], secret=["password"])
        return _resetting(form, status=status_of(type(refusal)))
    return _said(_("Your password is changed"), _("Sign in with the new one. Every other session has ended."))


def _resetting(form: Form, *, status: int = HTTPStatus.OK) -> Response:
    return _page("pages/reset.html", _("Choose a new password"), "/reset", status=status, form=form)


def _said(title: str, words: str, *, status: int = HTTPStatus.OK) -> Response:
    return _page("pages/said.html", title, request.path, status=status, words=words)


def _page(template: str, title: str, path: str, *, status: int = HTTPStatus.OK, **values: object) -> Response:
    page = Page(template=template, title=title, path=path, indexed=False, values={"csrf": csrf_token(), **values})
    answer = answer_page(page, status=status)
    # The address holds a token: it goes to nobody.
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
