"""Registering, and where the links in mails lead: an address confirmed, a new password chosen."""

from http import HTTPStatus

from flask import request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.kit.refusals import Busy, Invalid, Refusal
from eventcal.members.errors import AddressTaken
from eventcal.web.http.errors import TooMany, status_of
from eventcal.web.i18n.messages import refusal_in_words
from eventcal.web.identity import accounts, passwords
from eventcal.web.identity.current_user import check_csrf
from eventcal.web.identity.permissions import public
from eventcal.web.identity.schemas import RegisterIn, ResetConfirmIn, ResetIn
from eventcal.web.pages.me.layout import BLANK, answer_own_page, answer_secret_page, filled_in, form_view, own_page
from eventcal.web.rendering.forms import Form, validate
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page
from eventcal.web.request import rate_limits
from eventcal.web.request.context import now, unit_of_work

_REGISTER, _NEW_PASSWORD, _ADDRESS = RegisterIn(), ResetConfirmIn(), ResetIn()


@pages.get("/register")
@public
def register(form: Form = BLANK, status: int = HTTPStatus.OK) -> Response:
    """Show the form to register with."""
    return answer_own_page(template="register.html", title=_("Register"), status=status, form=form)


@pages.post("/register")
@public
@form_view(register, at="email", catch=(Invalid, TooMany, AddressTaken, Busy))
def register_now() -> Response:
    """Register, and say what comes next: a mail, or signing in."""
    check_csrf()
    fields = validate(_REGISTER, filled_in("email", "password", "name"))
    rate_limits.count_registration()
    said = {"email": fields["email"], "confirmed": accounts.register_member(**fields)}
    page = Page(template="pages/registered.html", title=_("You are registered"), indexed=False, values=said)
    return answer_page(page, status=HTTPStatus.CREATED)


@pages.get("/confirm")
@public
def confirm() -> Response:
    """Ask for one press of a button: programs that follow every link in a mail must not confirm an address."""
    token = request.args.get("token", "")
    return answer_secret_page(
        own_page(template="confirm.html", title=_("Confirm your address"), token=token), HTTPStatus.OK
    )


@pages.post("/confirm")
@public
def confirm_now() -> Response:
    """Confirm an address by the token that was mailed to it."""
    check_csrf()
    try:
        rate_limits.count_mailed_token()
        with unit_of_work() as session:
            accounts.confirm_by_token(session, request.form.get("token", ""), now=now())
    except Refusal as refusal:
        return _say(_("This did not work"), refusal_in_words(refusal), status_of(type(refusal)))
    return _say(_("Your address is confirmed"), _("You can submit talks now."))


@pages.get("/reset")
@public
def reset(form: Form | None = None, status: int = HTTPStatus.OK) -> Response:
    """Show the form for a new password by mailed token; without one, the form to have it mailed."""
    shown = form or Form({"token": request.args.get("token", "")})
    return answer_secret_page(own_page(template="reset.html", title=_("Choose a new password"), form=shown), status)


@pages.post("/reset")
@public
@form_view(reset, catch=(Invalid, TooMany, Busy))
def reset_now() -> Response:
    """Set a new password by mailed token, or have one mailed; the answer does not tell who has an account."""
    check_csrf()
    if not request.form.get("token"):
        accounts.mail_link(validate(_ADDRESS, filled_in("email"))["email"], "reset")
        said = _("If this address has an account, a mail is on its way.")
        return _say(_("Look into your mail"), said, HTTPStatus.ACCEPTED)
    fields = validate(_NEW_PASSWORD, filled_in("token", "password"))
    rate_limits.count_mailed_token()
    password_hash = passwords.hashed(fields["password"])
    with unit_of_work() as session:
        accounts.reset_by_token(session, fields["token"], password_hash, now=now())
    return _say(_("Your password is changed"), _("Sign in with the new one. Every other session has ended."))


def _say(title: str, words: str, status: int = HTTPStatus.OK) -> Response:
    return answer_secret_page(own_page(template="said.html", title=title, words=words), status)
