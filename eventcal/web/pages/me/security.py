"""How a member signs in: their authenticator app, its recovery codes, and lists of their passkeys and sessions."""

from http import HTTPStatus

from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.kit.refusals import Fault
from eventcal.members.errors import CodeRefused, SecondFactorOn
from eventcal.members.factors import count_recovery_codes, find_totp, renew_recovery_codes, turn_off, turn_on
from eventcal.members.passkeys import list_passkeys
from eventcal.members.sessions import list_sessions
from eventcal.web.http.errors import TooMany, status_of
from eventcal.web.identity import passwords, second_factor
from eventcal.web.identity.current_user import current_member_id, current_session_id
from eventcal.web.identity.passkeys import are_possible
from eventcal.web.identity.permissions import current_member
from eventcal.web.identity.schemas import CodeIn, ProofIn
from eventcal.web.pages.me.layout import is_taken_now, new_form_key, own_page, show_secret
from eventcal.web.pages.me.reauthentication import proved_lately
from eventcal.web.rendering.dates import at
from eventcal.web.rendering.forms import Form, faults_of, load, said_after, typed_again
from eventcal.web.rendering.labels import refused_code
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import answer_page, signed_in
from eventcal.web.rendering.qr_code import qr_code
from eventcal.web.request.context import now, reading, unit_of_work

_CODE, _PROOF = CodeIn(), ProofIn()
_HOME = "/me/security"
_APP = f"{_HOME}/app"


@pages.get("/me/security")
@signed_in
def ways_in() -> Response:
    """Show a member how they sign in, and what they can add."""
    with reading() as session:
        member_id = current_member_id()
        totp = find_totp(session, member_id)
        page = own_page(
            template="security.html",
            title=_("Sign-in and security"),
            path=_HOME,
            app_since=at(totp.created_at, tzid="UTC") if totp else None,
            codes_left=count_recovery_codes(session, member_id),
            passkeys=[
                (one, at(one.created_at, tzid="UTC"), at(one.last_used_at, tzid="UTC") if one.last_used_at else None)
                for one in list_passkeys(session, member_id)
            ],
            passkeys_possible=are_possible(),
            sessions=[
                (one, at(one.last_seen_at, tzid="UTC"), at(one.created_at, tzid="UTC"))
                for one in list_sessions(session, member_id, now=now())
            ],
            current_session=current_session_id(),
            done=said_after(
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
        return answer_page(page)


@pages.get("/me/security/app")
@signed_in
@proved_lately
def app() -> Response:
    """Show a member a new secret for their authenticator app."""
    return _setting_up(Form())


@pages.post("/me/security/app")
@signed_in
@proved_lately
def set_up_app() -> Response:
    """Turn the second factor on for whoever has a first code of their app; show the recovery codes, this once."""
    sealed = second_factor.find_new_secret()
    if sealed is None:
        return redirect(f"{_HOME}?done=before" if _has_app() else _APP, HTTPStatus.SEE_OTHER)
    fields, faults = load(_CODE, {"code": request.form.get("code", "")})
    if faults:
        return _setting_up(typed_again(request.form, faults), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        counter = second_factor.check_first_code(sealed, fields["code"])
        with unit_of_work() as session:
            member = current_member(session)
            codes = turn_on(session, member, sealed, counter=counter, now=now())
            passwords.factors_changed(session, member, now=now())
    except SecondFactorOn:
        return redirect(f"{_HOME}?done=before", HTTPStatus.SEE_OTHER)
    except CodeRefused:
        form = typed_again(request.form, [Fault("/code", refused_code())])
        return _setting_up(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except TooMany as refusal:
        form = typed_again(request.form, faults_of(refusal, at="code"))
        return _setting_up(form, status=status_of(type(refusal)))
    second_factor.forget_new_secret()
    return _show_codes(codes, said=_("From now on, signing in with your password needs a code of your app, too."))


@pages.get("/me/security/app/off")
@signed_in
def app_off() -> Response:
    """Ask whether the second factor is to be turned off, and for the password or a code."""
    return _turning_off(Form())


@pages.post("/me/security/app/off")
@signed_in
def turn_app_off() -> Response:
    """Turn the second factor off for whoever knows the password, or has a code."""
    fields, faults = load(_PROOF, {"proof": request.form.get("proof", "")})
    if faults:
        form = typed_again(request.form, faults, secret=["proof"])
        return _turning_off(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    with reading() as session:
        member = current_member(session)
    try:
        second_factor.check_proof(member, fields["proof"])
    except CodeRefused:
        said = [Fault("/proof", _("This is neither your password nor a code that can be used."))]
        form = typed_again(request.form, said, secret=["proof"])
        return _turning_off(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except TooMany as refusal:
        form = typed_again(request.form, faults_of(refusal, at="proof"), secret=["proof"])
        return _turning_off(form, status=status_of(type(refusal)))
    with unit_of_work() as session:
        member = current_member(session)
        turn_off(session, member)
        passwords.factors_changed(session, member, now=now())
    return redirect(f"{_HOME}?done=off", HTTPStatus.SEE_OTHER)


@pages.get("/me/security/codes")
@signed_in
@proved_lately
def codes() -> Response:
    """Ask whether a member wants new recovery codes in place of those from before."""
    if not _has_app():
        return redirect(_HOME, HTTPStatus.SEE_OTHER)
    page = own_page(
        template="security_renew.html", title=_("New recovery codes?"), path=f"{_HOME}/codes", form_key=new_form_key()
    )
    return answer_page(page)


@pages.post("/me/security/codes")
@signed_in
@proved_lately
def renew_codes() -> Response:
    """Give a member new recovery codes, shown this once; a form that comes again leads back."""
    with unit_of_work() as session:
        member = current_member(session)
        if find_totp(session, member.id) is None or not is_taken_now(session):
            return redirect(f"{_HOME}?done=before", HTTPStatus.SEE_OTHER)
        codes = renew_recovery_codes(session, member)
        passwords.factors_changed(session, member, now=now())
    return _show_codes(codes, said=_("These are your new recovery codes. Those from before are no longer good."))


def _has_app() -> bool:
    with reading() as session:
        return find_totp(session, current_member_id()) is not None


def _setting_up(form: Form, *, status: int = HTTPStatus.OK) -> Response:
    if _has_app():
        return redirect(_HOME, HTTPStatus.SEE_OTHER)
    sealed = second_factor.new_secret()
    makes = second_factor.authenticator()
    with reading() as session:
        address = makes.to_scan(sealed, member=current_member(session).email)
    page = own_page(
        template="security_app.html",
        title=_("Set up an authenticator app"),
        path=_APP,
        form=form,
        qr=qr_code(address),
        address=address,
        secret=makes.to_type(sealed),
    )
    answer = answer_page(page, status=status)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _turning_off(form: Form, *, status: int = HTTPStatus.OK) -> Response:
    if not _has_app():
        return redirect(_HOME, HTTPStatus.SEE_OTHER)
    page = own_page(template="security_off.html", title=_("Without the app again?"), path=f"{_APP}/off", form=form)
    return answer_page(page, status=status)


def _show_codes(codes: list[str], *, said: str) -> Response:
    path = f"{_HOME}/codes"
    return show_secret(
        own_page(template="security_codes.html", title=_("Recovery codes"), path=path, codes=codes, said=said)
    )
