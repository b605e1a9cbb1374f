"""Signing in and out: with a password, with a code after it, or with a passkey instead of it."""

from http import HTTPStatus
from urllib.parse import quote

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.kit.refusals import Fault, Invalid
from eventcal.members.errors import CodeRefused, PasskeyRefused, SignInRefused
from eventcal.web.http.errors import TooMany
from eventcal.web.identity import passkeys, passwords
from eventcal.web.identity.current_user import check_csrf, sign_in, sign_out
from eventcal.web.identity.permissions import public
from eventcal.web.identity.schemas import CodeIn, LoginIn
from eventcal.web.identity.second_factor import check_code, find_pending, needs_code
from eventcal.web.pages.me.layout import BLANK, answer_own_page, filled_in, form_view, next_page
from eventcal.web.rendering.forms import Form, typed_again, validate
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import way_on
from eventcal.web.request import sessions
from eventcal.web.request.rate_limits import count_sign_in

_LOGIN, _CODE = LoginIn(), CodeIn()


@pages.get("/login")
@public
def login(form: Form = BLANK, status: int = HTTPStatus.OK) -> Response:
    """Show the form to sign in with."""
    return answer_own_page(
        template="login.html",
        title=_("Sign in"),
        path=url_for("pages.login"),
        status=status,
        form=form,
        next=next_page(),
        passkey=passkeys.options_to_sign_in(),
    )


@pages.post("/login")
@public
@form_view(login, at="password", catch=(Invalid, TooMany, SignInRefused))
def log_in() -> str:
    """Sign in, and lead on to where somebody came from; by way of a code where the password is not enough."""
    check_csrf()
    fields = validate(_LOGIN, filled_in("email", "password"))
    count_sign_in(fields["email"])
    found = passwords.authenticate(fields["email"], fields["password"])
    onward = way_on(request.form.get("next"))
    if needs_code(found):
        sessions.start(found, pending=True)
        return f"{url_for('pages.code')}?next={quote(onward, safe='')}"
    sign_in(found)
    return onward


@pages.get("/login/code")
@public
def code(form: Form = BLANK, status: int = HTTPStatus.OK) -> Response:
    """Ask for the code that comes after the password; whoever gave none is led there."""
    if find_pending() is None:
        onward = quote(request.args.get("next", ""), safe="")
        return redirect(f"{url_for('pages.login')}?next={onward}", HTTPStatus.SEE_OTHER)
    title = _("One more step")
    return answer_own_page(template="login_code.html", title=title, status=status, form=form, next=next_page())


@pages.post("/login/code")
@public
@form_view(code, at="code", catch=(Invalid, TooMany, CodeRefused), secret=("code",))
def sign_in_by_code() -> str | Response:
    """Sign in whoever gave the right password before, and now a code."""
    check_csrf()
    found = find_pending()
    if found is None:
        form = typed_again(request.form, [Fault("", _("That took too long. Please begin again."))], secret=["code"])
        return login(form, HTTPStatus.UNAUTHORIZED)
    check_code(found, validate(_CODE, {"code": request.form.get("code", "")})["code"])
    sign_in(found)
    return way_on(request.form.get("next"))


@pages.post("/login/passkey")
@public
@form_view(login, catch=(TooMany, PasskeyRefused))
def sign_in_by_passkey() -> str:
    """Sign in whoever has a passkey; it verified its user, so nothing else is asked for."""
    check_csrf()
    try:
        found = passkeys.authenticate(request.form.get("answer", ""))
    except PasskeyRefused as error:
        said = _("This passkey was not taken. Try once more, or sign in with your password.")
        raise PasskeyRefused(said) from error
    sign_in(found)
    return way_on(request.form.get("next"))


@pages.post("/logout")
@public
def log_out() -> Response:
    """End this browser's session."""
    check_csrf()
    sign_out()
    return redirect("/", HTTPStatus.SEE_OTHER)
