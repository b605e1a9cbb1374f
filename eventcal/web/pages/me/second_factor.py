"""Pages for setting up and turning off the authenticator app, and for renewing its recovery codes."""

from datetime import timedelta
from http import HTTPStatus

from flask import redirect, request, url_for
from flask_babel import gettext as _
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from eventcal.kit.refusals import FieldError, Invalid
from eventcal.members.errors import InvalidCode
from eventcal.members.factors import (
    disable_totp,
    enable_totp,
    find_totp_secret,
    replace_recovery_codes,
    use_second_factor_code,
)
from eventcal.web.identity import passwords
from eventcal.web.identity.accounts import end_other_sessions_and_notify
from eventcal.web.identity.current_user import current_member, current_member_id
from eventcal.web.identity.schemas import CodeIn, ProofIn
from eventcal.web.pages.me.security import proved_lately
from eventcal.web.rendering.forms import BLANK, Form, is_taken_now, new_form_key, validate
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import answer_own_page, answer_secret_page, form_view, redisplay, signed_in
from eventcal.web.request import rate_limits, sessions
from eventcal.web.request.context import now, read_session, unit_of_work
from eventcal.web.schemas.out import Json

_CODE, _PROOF = CodeIn(), ProofIn()
_NOTE = "new_totp"


@pages.get("/me/security/app")
@signed_in
@proved_lately
def app(form: Form = BLANK, status: int = HTTPStatus.OK) -> Response:
    """Show a new secret for the member's authenticator app."""
    if _has_app():
        return redirect(url_for("pages.ways_in"), HTTPStatus.SEE_OTHER)
    makes, sealed = passwords.authenticator(), _find_new_secret()
    if sealed is None:
        sealed = makes.new_encrypted_secret()
        sessions.set_temp(_NOTE, sealed=sealed)
    with read_session() as session:
        address = makes.build_otpauth_uri(sealed, account_name=current_member(session).email)
    return answer_secret_page(
        template="me/security_app.html",
        title=_("Set up an authenticator app"),
        status=status,
        form=form,
        qr=_qr_code(address),
        address=address,
        secret=makes.format_secret(sealed),
    )


@pages.post("/me/security/app")
@signed_in
@proved_lately
@form_view(redisplay(app, at="code"), catch=(Invalid, TooManyRequests))
def set_up_app() -> str | Response:
    """Turn on the second factor, given a first code of the app, and show the recovery codes once."""
    sealed = _find_new_secret()
    if sealed is None:
        return url_for("pages.ways_in", done="before") if _has_app() else url_for("pages.app")
    fields = validate(_CODE, {"code": request.form.get("code", "")})
    rate_limits.count_code(current_member_id())
    counter = passwords.authenticator().find_time_step(sealed, fields["code"], now=now())
    if counter is None:
        raise Invalid(errors=[FieldError("/code", _("This code is wrong, too old, or was used before."))])
    with unit_of_work() as session:
        if _has_app():
            return url_for("pages.ways_in", done="before")
        member = current_member(session)
        codes = enable_totp(session, member, sealed, counter=counter, now=now())
        end_other_sessions_and_notify(session, member, now=now())
    sessions.pop_temp(_NOTE)
    return _show_codes(codes, said=_("From now on, signing in with your password needs a code of your app, too."))


@pages.get("/me/security/app/off")
@signed_in
def app_off(form: Form = BLANK, status: int = HTTPStatus.OK) -> Response:
    """Show the form for turning off the second factor, which requires the password or a code."""
    if not _has_app():
        return redirect(url_for("pages.ways_in"), HTTPStatus.SEE_OTHER)
    title = _("Without the app again?")
    return answer_own_page(template="me/security_off.html", title=title, status=status, form=form)


@pages.post("/me/security/app/off")
@signed_in
@form_view(redisplay(app_off, at="proof"), catch=(Invalid, TooManyRequests))
def turn_app_off() -> str:
    """Turn off the second factor, given the password or a code."""
    fields = validate(_PROOF, {"proof": request.form.get("proof", "")})
    with read_session() as session:
        password_hash = current_member(session).password
    rate_limits.count_code(current_member_id())
    is_password = passwords.is_correct_password(fields["proof"], password_hash)
    try:
        with unit_of_work() as session:
            member = current_member(session)
            if not is_password:
                use_second_factor_code(session, member, fields["proof"], passwords.authenticator(), now=now())
            disable_totp(session, member)
            end_other_sessions_and_notify(session, member, now=now())
    except InvalidCode as error:
        said = _("This is neither your password nor a code that can be used.")
        raise Invalid(errors=[FieldError("/proof", said)]) from error
    return url_for("pages.ways_in", done="off")


@pages.get("/me/security/codes")
@signed_in
@proved_lately
def codes() -> Response:
    """Ask for confirmation to replace the recovery codes."""
    if not _has_app():
        return redirect(url_for("pages.ways_in"), HTTPStatus.SEE_OTHER)
    title = _("New recovery codes?")
    return answer_own_page(template="me/security_renew.html", title=title, form_key=new_form_key())


@pages.post("/me/security/codes")
@signed_in
@proved_lately
def renew_codes() -> Response:
    """Replace the recovery codes and show them once. A form that is sent again redirects to the security page."""
    with unit_of_work() as session:
        member = current_member(session)
        if find_totp_secret(session, member.id) is None or not is_taken_now(session):
            return redirect(url_for("pages.ways_in", done="before"), HTTPStatus.SEE_OTHER)
        codes = replace_recovery_codes(session, member)
        end_other_sessions_and_notify(session, member, now=now())
    return _show_codes(codes, said=_("These are your new recovery codes. Those from before are no longer good."))


def _find_new_secret() -> str | None:
    """Return the encrypted secret shown for set-up within the last hour, if any, so that all tabs show the same one."""
    state = sessions.get_temp(_NOTE, max_age=timedelta(hours=1))
    return None if state is None else str(state["sealed"])


def _has_app() -> bool:
    with read_session() as session:
        return find_totp_secret(session, current_member_id()) is not None


def _show_codes(codes: list[str], *, said: str) -> Response:
    path, title = url_for("pages.codes"), _("Recovery codes")
    return answer_secret_page(template="me/security_codes.html", title=title, path=path, codes=codes, said=said)


def _qr_code(text: str) -> Json:
    """Return a QR code as an SVG path, because a data: URL would require a weaker Content-Security-Policy.

    The code has `size` by `size` modules, including the quiet zone; `path` draws the dark modules.
    """
    made = QRCode(error_correction=ERROR_CORRECT_M)
    made.add_data(text)
    rows = made.get_matrix()
    dark = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return {"size": len(rows), "path": "".join(dark)}
