"""API views under /api/v1/auth. If sending email is enabled, no response reveals whether an account exists."""

from typing import Any

from flask import Response
from werkzeug.exceptions import TooManyRequests

from eventcal.kit.errors import Forbidden
from eventcal.members import errors
from eventcal.outbox.enums import MailKind
from eventcal.web.api.blueprint import ApiBlueprint, read_json
from eventcal.web.api.me import member_json
from eventcal.web.api.responses import json_response
from eventcal.web.identity import accounts, confirmation, passwords_and_codes, schemas
from eventcal.web.identity.current_user import sign_in, sign_out
from eventcal.web.identity.permissions import public, session_only
from eventcal.web.request import rate_limits
from eventcal.web.request.context import links, read_session

auth = ApiBlueprint("auth", "Registration, sign-in and passwords")

_EMAIL_SENT = {"detail": "If this email address belongs to an account that this applies to, an email has been sent."}


@auth.post(
    "/auth/register",
    public,
    body=schemas.RegisterIn,
    creates=schemas.RegisteredOut,
    errors=[errors.DuplicateEmail, errors.RegistrationClosed, errors.NotInvited, TooManyRequests],
)
def register(fields: dict[str, Any]) -> Response:
    """Register a member.

    If sending email is enabled, a registration with the email address of an existing account returns the same response
    as any other registration, and the owner of the account is notified.

    Depending on the settings of the calendar, registration is open, restricted to addresses with an open invitation
    (`not-invited`), or closed (`registration-closed`), and addresses must belong to certain domains.
    """
    rate_limits.count_registration()
    confirmed = accounts.register_member(email=fields["email"], password=fields["password"], name=fields["name"])
    body = {"email": fields["email"], "name": fields["name"], "confirmed": confirmed}
    return json_response(body, 201, location=links().api("/me"))


@auth.post(
    "/auth/login",
    public,
    body=schemas.LoginIn,
    returns=schemas.SignedInOut,
    errors=[errors.InvalidCredentials, errors.SecondFactorRequired, errors.InvalidCode, TooManyRequests],
)
def login(fields: dict[str, Any]) -> Response:
    """Sign in. The response sets the session cookie and contains the CSRF token for the `X-CSRF-Token` header.

    Members with an authenticator app must also send `code`. Without `code`, a correct password is rejected with the
    error code `second-factor-needed`.
    """
    found = passwords_and_codes.authenticate_by_password(fields["email"], fields["password"])
    passwords_and_codes.check_second_factor(found, fields.get("code"))
    with read_session() as session:
        body = member_json(session, found)
    return json_response({"member": body, "csrf_token": sign_in(found)})


@auth.post("/auth/logout", public, errors=[Forbidden, errors.CsrfFailed])
def logout() -> None:
    """Sign out. Signed-in users must send the `X-CSRF-Token` header. Requests with an access token are rejected."""
    sign_out()


@auth.post(
    "/auth/confirm",
    public,
    body=schemas.ConfirmIn,
    returns=schemas.ConfirmedOut,
    accepts=schemas.MailedOut,
    errors=[errors.InvalidEmailToken, errors.CsrfFailed, errors.DuplicateEmail, errors.NotSignedIn, TooManyRequests],
)
def confirm_email(fields: dict[str, Any]) -> Response:
    """Confirm an email address with an emailed token. To request a new token, send `email` instead of `token`.

    The token alone is sufficient if the request has the session cookie of the account and the `X-CSRF-Token` header.
    Otherwise, send the account's `password`, or a `new_password` if you do not know the password. All other sessions
    are ended, and all access tokens are revoked, because another person might have registered the address. A
    `new_password` also removes all second factors and secret feeds. It cannot be used for a change of address.
    """
    if "email" in fields:
        accounts.send_link_by_email(fields["email"], MailKind.CONFIRM)
        return json_response(_EMAIL_SENT, 202)
    rate_limits.count_email_token()
    confirmation.confirm_email(fields)
    return json_response({"confirmed": True})


@auth.post("/auth/reset", public, body=schemas.ResetIn, accepts=schemas.MailedOut, errors=[TooManyRequests])
def send_reset_link(fields: dict[str, Any]) -> Response:
    """Send an email that contains a link for resetting the password."""
    accounts.send_link_by_email(fields["email"], MailKind.RESET)
    return json_response(_EMAIL_SENT, 202)


@auth.post(
    "/auth/reset/confirm", public, body=schemas.ResetConfirmIn, errors=[errors.InvalidEmailToken, TooManyRequests]
)
def reset_password(fields: dict[str, Any]) -> None:
    """Set a new password with an emailed token.

    All sessions are ended, and all access tokens and passkeys are revoked, because an intruder might have created them.
    The authenticator app remains active, so that signing in with the new password still requires a code.
    """
    rate_limits.count_email_token()
    accounts.reset_password(fields["token"], fields["password"])


@auth.post("/auth/password", session_only, documented_body=schemas.PasswordIn, returns=schemas.SignedInOut)
def change_password() -> Response:
    """Change the current user's password, end all other sessions, and return a new session cookie and CSRF token."""
    form = passwords_and_codes.load_and_check_password(schemas.PasswordIn(), read_json())
    changed = accounts.change_own_password(form)
    with read_session() as session:
        body = member_json(session, changed)
    return json_response({"member": body, "csrf_token": sign_in(changed)})
