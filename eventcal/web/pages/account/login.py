"""Registering, signing in and out; what comes after the password is in second_factor.py."""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.kit.refusals import Fault, Refusal
from eventcal.members.errors import SignInRefused
from eventcal.web.http.errors import TooMany, status_of
from eventcal.web.i18n.messages import refusal_in_words
from eventcal.web.identity import passwords
from eventcal.web.identity.current_user import check_csrf, csrf_token, sign_in, sign_out
from eventcal.web.identity.passkeys import are_possible, options_to_sign_in
from eventcal.web.identity.permissions import public
from eventcal.web.identity.registration import register_member
from eventcal.web.identity.schemas import LoginIn, RegisterIn
from eventcal.web.identity.second_factor import begin_pending, needs_code
from eventcal.web.rendering.forms import Form, load, typed_again
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, way_on
from eventcal.web.request.rate_limits import count_registration, count_sign_in

_LOGIN, _REGISTER = LoginIn(), RegisterIn()


@pages.get("/login")
@public
def login() -> Response:
    """Show the form to sign in with."""
    return show_login(Form())


@pages.post("/login")
@public
def log_in() -> Response:
    """Sign in, and lead on to where somebody came from; by way of a code where the password is not enough."""
    check_csrf()
    fields, faults = load(_LOGIN, _given("email", "password"))
    if faults:
        form = typed_again(request.form, faults, secret=["password"])
        return show_login(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        count_sign_in(fields["email"])
        found = passwords.authenticate(fields["email"], fields["password"])
    except (SignInRefused, TooMany) as refusal:
        return show_login(_refused(refusal, "password"), status=status_of(type(refusal)))
    onward = way_on(request.form.get("next"))
    if needs_code(found):
        begin_pending(found)
        return redirect(f"/login/code?next={quote(onward, safe='')}", HTTPStatus.SEE_OTHER)
    sign_in(found)
    return redirect(onward, HTTPStatus.SEE_OTHER)


@pages.post("/logout")
@public
def log_out() -> Response:
    """End this browser's session."""
    check_csrf()
    sign_out()
    return redirect("/", HTTPStatus.SEE_OTHER)


@pages.get("/register")
@public
def register() -> Response:
    """Show the form to register with."""
    return _registering(Form())


@pages.post("/register")
@public
def register_now() -> Response:
    """Register, and say what comes next: a mail, or signing in."""
    check_csrf()
    fields, faults = load(_REGISTER, _given("email", "password", "name"))
    if faults:
        form = typed_again(request.form, faults, secret=["password"])
        return _registering(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        count_registration()
        confirmed = register_member(**fields)
    except Refusal as refusal:
        return _registering(_refused(refusal, "email"), status=status_of(type(refusal)))
    page = Page(
        template="pages/registered.html",
        title=_("You are registered"),
        path="/register",
        indexed=False,
        values={"email": fields["email"], "confirmed": confirmed},
    )
    return answer_page(page, status=HTTPStatus.CREATED)


def show_login(form: Form, *, status: int = HTTPStatus.OK) -> Response:
    """Answer with the form to sign in with."""
    wanted = request.form.get("next") or request.args.get("next") or ""
    asked = options_to_sign_in() if are_possible() else None
    return _asking("pages/login.html", _("Sign in"), "/login", form, status=status, next=wanted, passkey=asked)


def _given(*names: str) -> dict[str, Any]:
    return {name: request.form[name] for name in names if request.form.get(name)}


def _refused(refusal: Refusal, name: str) -> Form:
    return typed_again(request.form, [Fault(f"/{name}", refusal_in_words(refusal))], secret=["password"])


def _registering(form: Form, *, status: int = HTTPStatus.OK) -> Response:
    return _asking("pages/register.html", _("Register"), "/register", form, status=status)


def _asking(template: str, title: str, path: str, form: Form, *, status: int, **values: object) -> Response:
    said = {"form": form, "csrf": csrf_token(), **values}
    return answer_page(Page(template=template, title=title, path=path, indexed=False, values=said), status=status)
