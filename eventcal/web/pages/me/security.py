"""The security page: passkeys, sessions, and re-authentication before changes to sign-in methods."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import ParamSpec
from urllib.parse import quote

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from eventcal.kit.errors import Invalid
from eventcal.members import authentication_factors as factors
from eventcal.members.errors import DuplicatePasskey, InvalidPasskey
from eventcal.members.sessions import end_session, get_session, list_sessions
from eventcal.web.identity import current_user, passkeys
from eventcal.web.identity.accounts import end_other_sessions_and_notify
from eventcal.web.identity.current_user import current_member, current_member_id
from eventcal.web.identity.passwords_and_codes import load_and_check_password
from eventcal.web.identity.schemas import OwnPasswordIn, PasskeyIn
from eventcal.web.rendering.dates import format_instant_utc
from eventcal.web.rendering.forms import EMPTY_FORM, Form, done_message, next_path, nonempty_form_fields, validate
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import (
    form_view,
    login_required,
    private_page_response,
    redisplay,
    safe_redirect,
)
from eventcal.web.request.context import now, read_session, unit_of_work

P = ParamSpec("P")

_PASSWORD, _PASSKEY = OwnPasswordIn(), PasskeyIn()


@pages.get("/me/security")
@login_required
def security() -> Response:
    with read_session() as session:
        member_id = current_member_id()
        totp = factors.find_totp_secret(session, member_id)
        return private_page_response(
            template="me/security.html",
            title=_("Sign-in and security"),
            app_since=format_instant_utc(totp.created_at if totp else None),
            codes_left=factors.count_recovery_codes(session, member_id),
            passkeys=[
                (passkey, format_instant_utc(passkey.created_at), format_instant_utc(passkey.last_used_at))
                for passkey in factors.list_passkeys(session, member_id)
            ],
            passkeys_possible=passkeys.can_use_passkeys(),
            sessions=[
                (row, format_instant_utc(row.last_seen_at), format_instant_utc(row.created_at))
                for row in list_sessions(session, member_id, now=now())
            ],
            current_session=current_user.current_session_id(),
            done=done_message(
                {
                    "off": _("The app is no longer asked for: your password is enough."),
                    "before": _("This was done before. What was shown then is not shown again."),
                    "passkey": _("The passkey is added."),
                    "removed": _("The passkey is removed."),
                    "session": _("The session has ended."),
                    "sessions": _("Every other session has ended."),
                }
            ),
        )


@pages.post("/me/security/sessions")
@login_required
def end_other_sessions() -> Response:
    with unit_of_work() as session:
        current_user.end_other_sessions(session, current_member(session))
    return redirect(url_for("pages.security", done="sessions"), HTTPStatus.SEE_OTHER)


@pages.post("/me/security/sessions/<session_id>")
@login_required
def end_own_session(session_id: str) -> Response:
    """End a session of the current member. Ending the current session signs the member out."""
    with unit_of_work() as session:
        row = get_session(session, session_id, current_member_id(), now=now())
        end_session(session, row)
    if session_id == current_user.current_session_id():
        current_user.clear_session_cookie()
        return redirect("/", HTTPStatus.SEE_OTHER)
    return redirect(url_for("pages.security", done="session"), HTTPStatus.SEE_OTHER)


def recent_authentication_required(view: Callable[P, Response]) -> Callable[P, Response]:
    """Require recent re-authentication.

    Neither an unattended browser nor a copied session cookie suffices to change sign-in methods.
    """

    @wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Response:
        if current_user.recently_authenticated():
            return view(*args, **kwargs)
        path = request.path if request.method in current_user.SAFE_METHODS else url_for("pages.security")
        return redirect(f"{url_for('pages.reauthentication_form')}?next={quote(path, safe='')}", HTTPStatus.SEE_OTHER)

    return wrapper


@pages.get("/me/security/again")
@login_required
def reauthentication_form(form: Form = EMPTY_FORM, status: int = HTTPStatus.OK) -> Response:
    return private_page_response(
        template="me/security_again.html",
        title=_("Is it you?"),
        status=status,
        form=form,
        next=next_path(),
        passkey=passkeys.authentication_options(),
    )


@pages.post("/me/security/again")
@login_required
@form_view(redisplay(reauthentication_form, default_field="password"), catch=(Invalid, TooManyRequests))
def reauthenticate_by_password() -> str:
    load_and_check_password(_PASSWORD, nonempty_form_fields("password"))
    with read_session() as session:
        member = current_member(session)
    # A new session ends the access by copies of the cookie.
    current_user.sign_in(member)
    return safe_redirect(request.form.get("next"), default=url_for("pages.security"))


@pages.get("/me/security/passkeys/new")
@login_required
@recent_authentication_required
def new_passkey_form(form: Form = EMPTY_FORM, status: int = HTTPStatus.OK) -> Response:
    if not passkeys.can_use_passkeys():
        return redirect(url_for("pages.security"), HTTPStatus.SEE_OTHER)
    with read_session() as session:
        member = current_member(session)
        existing = factors.list_passkeys(session, member.id)
    # A new challenge is saved without the connection of the read session.
    options = passkeys.registration_options(member, existing)
    title = _("Add a passkey")
    return private_page_response(
        template="me/security_new_passkey.html", title=title, status=status, form=form, asked=options
    )


@pages.post("/me/security/passkeys/new")
@login_required
@recent_authentication_required
@form_view(redisplay(new_passkey_form), catch=(Invalid, DuplicatePasskey))
def add_passkey() -> str:
    fields = validate(_PASSKEY, {name: request.form.get(name, "") for name in ("name", "answer")})
    try:
        passkeys.verify_and_add_passkey(fields["answer"], name=fields["name"])
    except InvalidPasskey as error:
        raise Invalid(_("This passkey was not taken. Try once more.")) from error
    return url_for("pages.security", done="passkey")


@pages.get("/me/security/passkeys/<passkey_id>")
@login_required
@recent_authentication_required
def confirm_remove_passkey(passkey_id: str) -> Response:
    with read_session() as session:
        row = factors.get_passkey(session, passkey_id, current_member_id())
        made, used = format_instant_utc(row.created_at), format_instant_utc(row.last_used_at)
        template = "me/security_passkey.html"
        return private_page_response(template=template, title=row.name, passkey=row, made=made, used=used)


@pages.post("/me/security/passkeys/<passkey_id>")
@login_required
@recent_authentication_required
def remove_own_passkey(passkey_id: str) -> Response:
    with unit_of_work() as session:
        member = current_member(session)
        factors.delete_passkey(session, passkey_id, member.id)
        end_other_sessions_and_notify(session, member, now=now())
    return redirect(url_for("pages.security", done="removed"), HTTPStatus.SEE_OTHER)
