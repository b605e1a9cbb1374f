"""Signing in by more than a password: with a code after it, or with a passkey instead of it."""

from http import HTTPStatus
from urllib.parse import quote

from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.kit.refusals import Fault
from eventcal.members.errors import CodeRefused, PasskeyRefused
from eventcal.web.http.errors import TooMany, status_of
from eventcal.web.i18n.messages import refusal_in_words
from eventcal.web.identity import passkeys
from eventcal.web.identity.current_user import check_csrf, csrf_token, sign_in
from eventcal.web.identity.permissions import public
from eventcal.web.identity.schemas import CodeIn
from eventcal.web.identity.second_factor import check_code, find_pending
from eventcal.web.pages.account.login import show_login
from eventcal.web.rendering.forms import Form, load, typed_again
from eventcal.web.rendering.labels import refused_code
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, way_on

_CODE = CodeIn()


@pages.get("/login/code")
@public
def code() -> Response:
    """Ask for the code that comes after the password; whoever gave none is led there."""
    if find_pending() is None:
        return redirect(f"/login?next={quote(request.args.get('next', ''), safe='')}", HTTPStatus.SEE_OTHER)
    return _asking(Form())


@pages.post("/login/code")
@public
def sign_in_by_code() -> Response:
    """Sign in whoever gave the right password before, and now a code."""
    check_csrf()
    found = find_pending()
    if found is None:
        form = typed_again(request.form, [Fault("", _("That took too long. Please begin again."))], secret=["code"])
        return show_login(form, status=HTTPStatus.UNAUTHORIZED)
    fields, faults = load(_CODE, {"code": request.form.get("code", "")})
    if faults:
        return _again(faults, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        check_code(found, fields["code"])
    except CodeRefused as refusal:
        return _again([Fault("/code", refused_code())], status=status_of(type(refusal)))
    except TooMany as refusal:
        return _again([Fault("/code", refusal_in_words(refusal))], status=status_of(type(refusal)))
    sign_in(found)
    return redirect(way_on(request.form.get("next")), HTTPStatus.SEE_OTHER)


@pages.post("/login/passkey")
@public
def sign_in_by_passkey() -> Response:
    """Sign in whoever has a passkey; it verified its user, so nothing else is asked for."""
    check_csrf()
    try:
        found = passkeys.authenticate(request.form.get("answer", ""))
    except PasskeyRefused as refusal:
        said = _("This passkey was not taken. Try once more, or sign in with your password.")
        return show_login(_with_fault(said), status=status_of(type(refusal)))
    except TooMany as refusal:
        return show_login(_with_fault(refusal_in_words(refusal)), status=status_of(type(refusal)))
    sign_in(found)
    return redirect(way_on(request.form.get("next")), HTTPStatus.SEE_OTHER)


def _with_fault(said: str) -> Form:
    return typed_again(request.form, [Fault("", said)])


def _again(faults: list[Fault], *, status: int) -> Response:
    return _asking(typed_again(request.form, faults, secret=["code"]), status=status)


def _asking(form: Form, *, status: int = HTTPStatus.OK) -> Response:
    page = Page(
        template="pages/login_code.html",
        title=_("One more step"),
        path="/login/code",
        indexed=False,
        values={
            "form": form,
            "csrf": csrf_token(),
            "next": request.form.get("next") or request.args.get("next") or "",
        },
    )
    return answer_page(page, status=status)
