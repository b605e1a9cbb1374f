"""Pages for setting up and disabling an authenticator app, and for renewing recovery codes."""

from datetime import timedelta
from http import HTTPStatus

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from eventcal.kit.errors import FieldError, Invalid
from eventcal.members import authentication_factors as factors
from eventcal.members.errors import InvalidCode
from eventcal.members.guessing_limits import CODE_LIMIT
from eventcal.web.identity import password_hashes, passwords_and_codes
from eventcal.web.identity.accounts import end_other_sessions_and_notify
from eventcal.web.identity.current_user import current_member, current_member_id
from eventcal.web.identity.guessing import limit_guessing
from eventcal.web.identity.schemas import CodeIn, ProofIn
from eventcal.web.pages.me.security import recent_authentication_required
from eventcal.web.rendering.forms import EMPTY_FORM, Form, claim_submitted_form, new_form_key, validate
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import (
    form_view,
    login_required,
    private_page_response,
    redisplay,
    secret_page_response,
)
from eventcal.web.request import browser_sessions
from eventcal.web.request.context import now, read_session, unit_of_work
from eventcal.web.schemas.response_schema import Json

_CODE, _PROOF = CodeIn(), ProofIn()
_PENDING_TOTP_KEY = "new_totp"


@pages.get("/me/security/app")
@login_required
@recent_authentication_required
def totp_setup_form(form: Form = EMPTY_FORM, status: int = HTTPStatus.OK) -> Response:
    if _has_totp():
        return redirect(url_for("pages.security"), HTTPStatus.SEE_OTHER)
    authenticator, sealed = passwords_and_codes.authenticator(), _find_pending_totp_secret()
    if sealed is None:
        sealed = authenticator.new_encrypted_secret()
        browser_sessions.set_temp(_PENDING_TOTP_KEY, sealed=sealed)
    with read_session() as session:
        uri = authenticator.build_otpauth_uri(sealed, account_name=current_member(session).email)
    return secret_page_response(
        template="me/security_app.html",
        title=_("Set up an authenticator app"),
        status=status,
        form=form,
        qr=_qr_code_svg_path(uri),
        address=uri,
        secret=authenticator.format_secret(sealed),
    )


@pages.post("/me/security/app")
@login_required
@recent_authentication_required
@form_view(redisplay(totp_setup_form, default_field="code"), catch=(Invalid, TooManyRequests))
def set_up_totp() -> str | Response:
    """Enable the second factor after checking a code from the authenticator app, and show the recovery codes once."""
    if (sealed := _find_pending_totp_secret()) is None:
        return url_for("pages.security", done="before") if _has_totp() else url_for("pages.totp_setup_form")
    fields = validate(_CODE, {"code": request.form.get("code", "")})
    counter = passwords_and_codes.authenticator().find_time_step(sealed, fields["code"], now=now())
    if counter is None:
        raise Invalid(errors=[FieldError("/code", _("This code is wrong, expired or already used."))])
    with unit_of_work() as session:
        if _has_totp():
            return url_for("pages.security", done="before")
        member = current_member(session)
        codes = factors.enable_totp(session, member, sealed, counter=counter, now=now())
        end_other_sessions_and_notify(session, member, now=now())
    browser_sessions.pop_temp(_PENDING_TOTP_KEY)
    return _codes_response(codes, _("From now on, signing in with your password needs a code of your app, too."))


@pages.get("/me/security/app/off")
@login_required
def confirm_remove_totp(form: Form = EMPTY_FORM, status: int = HTTPStatus.OK) -> Response:
    if not _has_totp():
        return redirect(url_for("pages.security"), HTTPStatus.SEE_OTHER)
    title = _("Without the app again?")
    return private_page_response(template="me/security_off.html", title=title, status=status, form=form)


@pages.post("/me/security/app/off")
@login_required
@form_view(redisplay(confirm_remove_totp, default_field="proof"), catch=(Invalid, TooManyRequests))
def remove_own_totp() -> str:
    fields = validate(_PROOF, {"proof": request.form.get("proof", "")})
    with read_session() as session:
        owner = current_member(session)
    try:
        with limit_guessing(CODE_LIMIT, owner.email):
            _remove_totp(fields["proof"], owner.password)
    except InvalidCode as error:
        message = _("This is neither your password nor a code that can be used.")
        raise Invalid(errors=[FieldError("/proof", message)]) from error
    return url_for("pages.security", done="off")


def _remove_totp(proof: str, password_hash: str | None) -> None:
    is_password = password_hashes.is_correct_password(proof, password_hash)
    with unit_of_work() as session:
        member = current_member(session)
        if not is_password:
            authenticator = passwords_and_codes.authenticator()
            factors.use_second_factor_code(session, member, proof, authenticator=authenticator, now=now())
        factors.disable_totp(session, member)
        end_other_sessions_and_notify(session, member, now=now())


@pages.get("/me/security/codes")
@login_required
@recent_authentication_required
def confirm_renew_recovery_codes() -> Response:
    if not _has_totp():
        return redirect(url_for("pages.security"), HTTPStatus.SEE_OTHER)
    title = _("New recovery codes?")
    return private_page_response(template="me/security_renew.html", title=title, form_key=new_form_key())


@pages.post("/me/security/codes")
@login_required
@recent_authentication_required
def renew_own_recovery_codes() -> Response:
    """Replace the recovery codes and show the new codes once. Resubmitting the form redirects to the security page."""
    with unit_of_work() as session:
        member = current_member(session)
        if factors.find_totp_secret(session, member.id) is None or not claim_submitted_form(session):
            return redirect(url_for("pages.security", done="before"), HTTPStatus.SEE_OTHER)
        codes = factors.replace_recovery_codes(session, member)
        end_other_sessions_and_notify(session, member, now=now())
    return _codes_response(codes, _("These are your new recovery codes. Those from before are no longer good."))


def _find_pending_totp_secret() -> str | None:
    """Return the encrypted secret of a set-up that began within the last hour, or None if no set-up is pending."""
    state = browser_sessions.get_temp(_PENDING_TOTP_KEY, max_age=timedelta(hours=1))
    return None if state is None else str(state["sealed"])


def _has_totp() -> bool:
    with read_session() as session:
        return factors.find_totp_secret(session, current_member_id()) is not None


def _codes_response(codes: list[str], message: str) -> Response:
    path, title = url_for("pages.confirm_renew_recovery_codes"), _("Recovery codes")
    return secret_page_response(template="me/security_codes.html", title=title, path=path, codes=codes, said=message)


def _qr_code_svg_path(text: str) -> Json:
    """Return a QR code as an SVG path, and its width in modules. The Content-Security-Policy forbids data: URLs."""
    from qrcode.constants import ERROR_CORRECT_M
    from qrcode.main import QRCode

    qr_code = QRCode(error_correction=ERROR_CORRECT_M)
    qr_code.add_data(text)
    rows = qr_code.get_matrix()
    dark = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return {"size": len(rows), "path": "".join(dark)}
