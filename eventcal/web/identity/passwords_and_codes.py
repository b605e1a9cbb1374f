"""Verification of passwords and second factors, with limits on guessing."""

from operator import attrgetter
from typing import Any

from marshmallow import Schema, ValidationError

from eventcal.kit.errors import FieldError, Invalid, Message, raise_if_invalid
from eventcal.members.authentication_factors import TotpAuthenticator, find_totp_secret, use_second_factor_code
from eventcal.members.errors import InvalidCredentials, SecondFactorRequired
from eventcal.members.guessing_limits import CODE_LIMIT, PASSWORD_LIMIT
from eventcal.members.models import Member
from eventcal.members.password_rules import normalise_password
from eventcal.members.security_log import SecurityEvent, log_security_event
from eventcal.members.service import find_member_by_email
from eventcal.web.http.errors import to_field_errors
from eventcal.web.identity import guessing, password_hashes
from eventcal.web.identity.current_user import current_member
from eventcal.web.request import browser_sessions, rate_limits
from eventcal.web.request.context import now, read_session, settings, unit_of_work


def check_own_password(password: str) -> None:
    """Verify the current user's password. Raises TooManyRequests, or Invalid with an error for `/password`."""
    with read_session() as session:
        member = current_member(session)
    check_password(member, password)


def check_password(member: Member, password: str) -> None:
    """Verify the password of a member. Raises TooManyRequests, or Invalid with an error for `/password`."""
    rate_limits.count_sign_in()
    with guessing.limit_guessing(PASSWORD_LIMIT, member.email):
        if not password_hashes.is_correct_password(password, member.password):
            log_security_event(SecurityEvent.SIGN_IN_FAILED, member_id=member.id)
            raise Invalid(errors=[FieldError("/password", Message("is not your current password"))])


def load_and_check_password(schema: Schema, data: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Load data and verify the current user's password. Raises TooManyRequests, or Invalid with all field errors."""
    errors: list[FieldError] = []
    try:
        fields: dict[str, Any] = schema.load(data)
    except ValidationError as error:
        fields = error.valid_data if isinstance(error.valid_data, dict) else {}
        errors = to_field_errors(error.messages, location="json")
    if "password" in fields:
        try:
            check_own_password(fields["password"])
        except Invalid as error:
            errors = sorted([*errors, *error.errors], key=attrgetter("pointer"))
    raise_if_invalid(errors)
    return fields


def authenticate_by_password(email: str, password: str) -> Member:
    """Return the active member with the given email address and password.

    Raises InvalidCredentials or TooManyRequests.
    """
    rate_limits.count_sign_in()
    with guessing.limit_guessing(PASSWORD_LIMIT, email):
        with read_session() as session:
            found = find_member_by_email(session, email)
        known = found.password if found is not None and found.active else None
        if not password_hashes.is_correct_password(password, known) or found is None or known is None:
            log_security_event(SecurityEvent.SIGN_IN_FAILED, member_id=None if found is None else found.id)
            raise InvalidCredentials(Message("Wrong email address or password."))
    if password_hashes.needs_rehash(known):
        renewed = password_hashes.hash_password(normalise_password(password))
        with unit_of_work() as session:
            row = session.get(Member, found.id)
            # The password may have been changed while the new hash was being computed.
            if row is not None and row.password == known:
                row.password = renewed
    return found


def authenticator() -> TotpAuthenticator:
    return TotpAuthenticator(settings().secret_key, settings().name)


def is_code_required(member: Member) -> bool:
    with read_session() as reader:
        return find_totp_secret(reader, member.id) is not None


def consume_code(member: Member, code: str) -> None:
    """Verify and consume a recovery code or a code from an authenticator app. Raises InvalidCode or TooManyRequests."""
    with guessing.limit_guessing(CODE_LIMIT, member.email), unit_of_work() as unit:
        use_second_factor_code(unit, member, code, authenticator=authenticator(), now=now())


def check_second_factor(member: Member, code: str | None) -> None:
    """Verify the second-factor code if one is required. Raises SecondFactorRequired, InvalidCode or TooManyRequests."""
    if not is_code_required(member):
        return
    if code is None:
        raise SecondFactorRequired(
            Message("Send the current code of your authenticator app, or a recovery code, as `code`.")
        )
    consume_code(member, code)


def find_pending_member() -> Member | None:
    """Return the member who has entered the correct password but no second-factor code yet, or None."""
    stored = browser_sessions.find_stored_session()
    return stored.member if stored is not None and stored.row.pending else None
