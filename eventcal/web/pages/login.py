"""Pages for signing in and out, registering, confirming an email address and resetting a password."""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from eventcal.kit.errors import FieldError, Invalid
from eventcal.members.errors import (
    InvalidCode,
    InvalidCredentials,
    InvalidEmailToken,
    InvalidPasskey,
    NotInvited,
    RegistrationClosed,
)
from eventcal.outbox.enums import MailKind
from eventcal.web.http.errors import status_of
from eventcal.web.i18n import translate_error
from eventcal.web.identity import accounts, confirmation, passkeys, passwords_and_codes
from eventcal.web.identity.current_user import check_csrf, sign_in, sign_out
from eventcal.web.identity.permissions import public
from eventcal.web.identity.schemas import CodeIn, ConfirmIn, LoginIn, RegisterIn, ResetConfirmIn, ResetIn
from eventcal.web.rendering.forms import EMPTY_FORM, Form, next_path, nonempty_form_fields, rejected_form, validate
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import (
    FORM_ERRORS,
    form_view,
    page_response,
    private_page_response,
    redisplay,
    safe_redirect,
    secret_page_response,
)
from eventcal.web.request import browser_sessions, rate_limits
from eventcal.web.request.context import read_session, settings

_LOGIN, _CODE, _CONFIRM = LoginIn(), CodeIn(), ConfirmIn()
_REGISTER, _NEW_PASSWORD, _ADDRESS = RegisterIn(), ResetConfirmIn(), ResetIn()


@pages.get("/login")
@public
def login_form(form: Form = EMPTY_FORM, status: int = HTTPStatus.OK) -> Response:
    context = {"form": form, "next": next_path(), "passkey": passkeys.authentication_options()}
    path = url_for("pages.login_form")
    return private_page_response(template="login.html", title=_("Sign in"), path=path, status=status, **context)


@pages.post("/login")
@public
@form_view(redisplay(login_form, default_field="password"), catch=(Invalid, TooManyRequests, InvalidCredentials))
def sign_in_by_password() -> str:
    check_csrf()
    fields = validate(_LOGIN, nonempty_form_fields("email", "password"))
    member = passwords_and_codes.authenticate_by_password(fields["email"], fields["password"])
    next_url = safe_redirect(request.form.get("next"), default=url_for("pages.my_talks"))
    if passwords_and_codes.is_code_required(member):
        browser_sessions.start_session(member, pending=True)
        return f"{url_for('pages.login_code_form')}?next={quote(next_url, safe='')}"
    sign_in(member)
    return next_url


@pages.get("/login/code")
@public
def login_code_form(form: Form = EMPTY_FORM, status: int = HTTPStatus.OK) -> Response:
    if passwords_and_codes.find_pending_member() is None:
        next_url = quote(request.args.get("next", ""), safe="")
        return redirect(f"{url_for('pages.login_form')}?next={next_url}", HTTPStatus.SEE_OTHER)
    title = _("One more step")
    return private_page_response(template="login_code.html", title=title, status=status, form=form, next=next_path())


@pages.post("/login/code")
@public
@form_view(
    redisplay(login_code_form, default_field="code", secret_fields=("code",)),
    catch=(Invalid, TooManyRequests, InvalidCode),
)
def sign_in_by_code() -> str | Response:
    check_csrf()
    member = passwords_and_codes.find_pending_member()
    if member is None:
        error = FieldError("", _("That took too long. Please begin again."))
        return login_form(rejected_form(request.form, [error], secret_fields=["code"]), HTTPStatus.UNAUTHORIZED)
    passwords_and_codes.consume_code(member, validate(_CODE, {"code": request.form.get("code", "")})["code"])
    sign_in(member)
    return safe_redirect(request.form.get("next"), default=url_for("pages.my_talks"))


@pages.post("/login/passkey")
@public
@form_view(redisplay(login_form), catch=(TooManyRequests, InvalidPasskey))
def sign_in_by_passkey() -> str:
    """Sign in with a passkey. The authenticator verifies its user, so no second factor is required."""
    check_csrf()
    sign_in(passkeys.authenticate_by_passkey(request.form.get("answer", "")))
    return safe_redirect(request.form.get("next"), default=url_for("pages.my_talks"))


@pages.post("/logout")
@public
def log_out() -> Response:
    check_csrf()
    sign_out()
    return redirect("/", HTTPStatus.SEE_OTHER)


@pages.get("/register")
@public
def registration_form(form: Form = EMPTY_FORM, status: int = HTTPStatus.OK) -> Response:
    context: dict[str, Any] = {
        "form": form,
        "next": next_path(),
        "registration": settings().registration,
        "domains": settings().registration_domains,
    }
    return private_page_response(template="register.html", title=_("Register"), status=status, **context)


@pages.post("/register")
@public
@form_view(redisplay(registration_form, default_field="email"), catch=(*FORM_ERRORS, NotInvited, RegistrationClosed))
def submit_registration() -> Response:
    check_csrf()
    fields = validate(_REGISTER, nonempty_form_fields("email", "password", "name"))
    rate_limits.count_registration()
    context = {"email": fields["email"], "confirmed": accounts.register_member(**fields), "next": next_path()}
    page = Page(template="pages/registered.html", title=_("You are registered"), indexed=False, context=context)
    return page_response(page, status=HTTPStatus.CREATED)


@pages.get("/confirm")
@public
def confirm_email_form(form: Form | None = None, status: int = HTTPStatus.OK) -> Response:
    """Show a confirmation button, so that an email scanner that follows the link does not confirm the address.

    In a browser that is not signed in to the account, the form asks for the password or for a new password.
    """
    form = form or Form({"token": request.args.get("token", "")})
    try:
        with read_session() as session:
            found = accounts.find_confirmation(session, form.value("token"))
            signed_in = confirmation.is_signed_in_as(found.member)
    except InvalidEmailToken as error:
        return _message_page(_("This did not work"), translate_error(error), status_of(InvalidEmailToken))
    return secret_page_response(
        template="confirm.html",
        title=_("Confirm your address"),
        status=status,
        form=form,
        address=found.new_email or found.member.email,
        signed_in=signed_in,
        can_set_password=found.can_set_password,
    )


@pages.post("/confirm")
@public
@form_view(redisplay(confirm_email_form))
def confirm_email() -> Response:
    check_csrf()
    rate_limits.count_email_token()
    fields = validate(_CONFIRM, nonempty_form_fields("token", "password", "new_password"))
    confirmation.confirm_email(fields)
    return _message_page(_("Your address is confirmed"), _("You can submit talks now."))


@pages.get("/reset")
@public
def password_reset_form(form: Form | None = None, status: int = HTTPStatus.OK) -> Response:
    """Show the form for a new password, or the form for requesting a reset link if the query string has no token."""
    form = form or Form({"token": request.args.get("token", "")})
    return secret_page_response(template="reset.html", title=_("Choose a new password"), status=status, form=form)


@pages.post("/reset")
@public
@form_view(redisplay(password_reset_form))
def reset_password_or_mail_link() -> Response:
    """Set a new password with a token, or send a reset link. No response reveals whether an account exists."""
    check_csrf()
    if not request.form.get("token"):
        accounts.send_link_by_email(validate(_ADDRESS, nonempty_form_fields("email"))["email"], MailKind.RESET)
        message = _("If this address has an account, a mail is on its way.")
        return _message_page(_("Look into your mail"), message, HTTPStatus.ACCEPTED)
    fields = validate(_NEW_PASSWORD, nonempty_form_fields("token", "password"))
    rate_limits.count_email_token()
    accounts.reset_password(fields["token"], fields["password"])
    return _message_page(_("Your password is changed"), _("Sign in with the new one. Every other session has ended."))


def _message_page(title: str, message: str, status: int = HTTPStatus.OK) -> Response:
    return secret_page_response(template="said.html", title=title, status=status, words=message)
