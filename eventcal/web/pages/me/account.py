"""A member's account: name, address, password."""

from http import HTTPStatus

from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.kit.refusals import Fault, Refusal
from eventcal.members.service import edit_member
from eventcal.web.http.errors import TooMany, status_of
from eventcal.web.identity import passwords
from eventcal.web.identity.current_user import is_confirmed, sign_in
from eventcal.web.identity.permissions import current_member
from eventcal.web.identity.registration import mail_confirmation_to
from eventcal.web.identity.schemas import PasswordIn
from eventcal.web.pages.me.layout import own_page
from eventcal.web.rendering.forms import Form, faults_of, load, said_after, typed_again
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import answer_page, signed_in
from eventcal.web.request.context import now, reading, unit_of_work
from eventcal.web.schemas.me import MemberPatch

_NAME, _PASSWORD = MemberPatch(), PasswordIn()
_SECRET = ("password", "new_password")
_HOME = "/me/account"


@pages.get("/me/account")
@signed_in
def account() -> Response:
    """Show a member their name, address and password, each to be changed as far as it can be."""
    return _account()


@pages.post("/me/account")
@signed_in
def change_name() -> Response:
    """Change the member's own name."""
    fields, faults = load(_NAME, {"name": request.form.get("name", "")})
    if faults:
        return _account(naming=typed_again(request.form, faults), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    with unit_of_work() as session:
        edit_member(session, current_member(session), fields)
    return _done("name")


@pages.post("/me/account/password")
@signed_in
def change_password() -> Response:
    """Change the member's password, for whoever knows the old one; their other sessions end."""
    given = {name: request.form[name] for name in _SECRET if request.form.get(name)}
    try:
        fields, faults = load(_PASSWORD, given)
    except TooMany as refusal:
        return _password_again(faults_of(refusal, at="password"), status=status_of(type(refusal)))
    if faults:
        return _password_again(faults)
    password_hash = passwords.hashed(fields["new_password"])
    with unit_of_work() as session:
        changed = passwords.change_password(session, current_member(session), password_hash, now=now())
    sign_in(changed)
    return _done("password")


@pages.post("/me/account/confirmation")
@signed_in
def mail_again() -> Response:
    """Have the mail sent again that confirms the member's address."""
    with reading() as session:
        address = current_member(session).email
    try:
        mail_confirmation_to(address)
    except Refusal as refusal:
        return _account(mailing=typed_again(request.form, faults_of(refusal)), status=status_of(type(refusal)))
    return _done("mailed")


def _password_again(
    faults: tuple[Fault, ...] | list[Fault], *, status: int = HTTPStatus.UNPROCESSABLE_ENTITY
) -> Response:
    return _account(password=typed_again(request.form, faults, secret=_SECRET), status=status)


def _done(what: str) -> Response:
    return redirect(f"{_HOME}?done={what}", HTTPStatus.SEE_OTHER)


def _account(
    *,
    naming: Form | None = None,
    password: Form | None = None,
    mailing: Form | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    with reading() as session:
        member = current_member(session)
        page = own_page(
            template="account.html",
            title=_("Account"),
            path=_HOME,
            member=member,
            confirmed=is_confirmed(member),
            naming=naming or Form({"name": member.name}),
            password=password or Form(),
            mailing=mailing or Form(),
            done=said_after(
                {
                    "name": _("Your name is changed."),
                    "password": _("Your password is changed. Every other session has ended."),
                    "mailed": _("A mail is on its way to %(email)s.", email=member.email),
                }
            ),
        )
        return answer_page(page, status=status)
