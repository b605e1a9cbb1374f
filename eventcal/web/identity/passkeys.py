"""Passkeys (WebAuthn): options for the browser, and verification of browser responses.

The relying party and origin are taken from the settings, never from the request. User verification, for example by
fingerprint, is required, so that a passkey replaces both the password and the second factor. A challenge belongs to one
session and can be used only once.
"""

import ipaddress
import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from itsdangerous.encoding import base64_decode, base64_encode
from sqlalchemy.orm import Session

from eventcal.kit.errors import Message
from eventcal.members import authentication_factors
from eventcal.members.errors import InvalidPasskey
from eventcal.members.models import Member, Passkey
from eventcal.members.security_log import SecurityEvent, log_security_event
from eventcal.web.identity.accounts import end_other_sessions_and_notify
from eventcal.web.identity.current_user import current_member
from eventcal.web.request import browser_sessions, rate_limits
from eventcal.web.request.context import now, read_session, settings, unit_of_work
from eventcal.web.request.idempotency import claim_form_token

_LOG = logging.getLogger(__name__)
_LONGEST_ID = 1023  # The maximum length of a WebAuthn credential ID in bytes.
_DEFAULT_PORTS = {"http": 80, "https": 443}
# The keys under which challenges are stored in the browser session.
_ADD_PURPOSE, _SIGN_IN_PURPOSE = "passkey_to_add", "passkey_to_sign_in"
_CHALLENGE_MAX_AGE = timedelta(hours=1)
_NOT_ACCEPTED = Message("The passkey could not be verified.")


@dataclass(frozen=True)
class _PasskeyChallenge:
    """A WebAuthn challenge, and the user handle to assign if the member has no passkeys yet."""

    value: bytes
    user_handle: bytes


def can_use_passkeys() -> bool:
    """Return whether BASE_URL allows passkeys, which require either HTTPS with a host name, or localhost."""
    parts = urlsplit(settings().base_url)
    name = parts.hostname or ""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.isascii() and (parts.scheme == "https" or name == "localhost" or name.endswith(".localhost"))
    return False


def registration_options(member: Member, existing: Sequence[Passkey]) -> str:
    """Return the WebAuthn options for creating a passkey, as JSON. `existing` contains the member's passkeys."""
    import webauthn
    from webauthn.helpers import structs

    challenge = _get_or_create_challenge(_ADD_PURPOSE)
    options = webauthn.generate_registration_options(
        rp_id=_rp_id(),
        rp_name=settings().name,
        user_id=existing[0].user_handle if existing else challenge.user_handle,
        user_name=member.email,
        user_display_name=member.name,
        challenge=challenge.value,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            structs.PublicKeyCredentialDescriptor(
                id=one.credential_id, transports=[structs.AuthenticatorTransport(way) for way in one.transports]
            )
            for one in existing
        ],
    )
    return webauthn.options_to_json(options)


def authentication_options() -> str | None:
    """Return the WebAuthn options for signing in, as JSON, or None if the site does not support passkeys."""
    if not can_use_passkeys():
        return None
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    options = webauthn.generate_authentication_options(
        rp_id=_rp_id(),
        challenge=_get_or_create_challenge(_SIGN_IN_PURPOSE).value,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def verify_and_add_passkey(credential_json: str, *, name: str) -> Passkey:
    """Verify and store a new passkey for the current user. Raises InvalidPasskey or DuplicatePasskey."""
    import webauthn
    from webauthn.helpers.structs import AuthenticatorTransport

    challenge = _consume_challenge(_ADD_PURPOSE)
    with _convert_library_errors():
        read = webauthn.helpers.parse_registration_credential_json(credential_json)
        verified = webauthn.verify_registration_response(
            credential=read,
            expected_challenge=challenge.value,
            expected_rp_id=_rp_id(),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    if len(verified.credential_id) > _LONGEST_ID:
        raise InvalidPasskey(_NOT_ACCEPTED)
    with unit_of_work() as unit:
        member = current_member(unit)
        _mark_challenge_used(unit, challenge, member.id)
        known = authentication_factors.list_passkeys(unit, member.id)
        passkey = Passkey(
            member_id=member.id,
            user_handle=known[0].user_handle if known else challenge.user_handle,
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            # Transports that the WebAuthn library does not support are ignored.
            transports=[way.value for way in AuthenticatorTransport if way in (read.response.transports or ())],
            name=name,
            created_at=now(),
        )
        end_other_sessions_and_notify(unit, member, now=now())
        return authentication_factors.register_passkey(unit, passkey)


def authenticate_by_passkey(credential_json: str) -> Member:
    """Return the member whose passkey signed the challenge. Raises InvalidPasskey or TooManyRequests."""
    rate_limits.count_sign_in()
    try:
        return _verify_passkey(credential_json)
    except InvalidPasskey:
        log_security_event(SecurityEvent.SIGN_IN_FAILED, factor="passkey")
        raise


def _verify_passkey(credential_json: str) -> Member:
    import webauthn

    challenge = _consume_challenge(_SIGN_IN_PURPOSE)
    with _convert_library_errors():
        read = webauthn.helpers.parse_authentication_credential_json(credential_json)
    with read_session() as reader:
        passkey = authentication_factors.find_passkey_by_credential_id(reader, read.raw_id)
    if passkey is None or passkey.user_handle != read.response.user_handle:
        raise InvalidPasskey(_NOT_ACCEPTED)
    with _convert_library_errors():
        result = webauthn.verify_authentication_response(
            credential=read,
            expected_challenge=challenge.value,
            expected_rp_id=_rp_id(),
            expected_origin=_origin(),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    with unit_of_work() as unit:
        _mark_challenge_used(unit, challenge, passkey.member_id)
        return authentication_factors.record_passkey_use(unit, passkey.id, sign_count=result.new_sign_count, now=now())


def _get_or_create_challenge(purpose: str) -> _PasskeyChallenge:
    """Return the challenge in the session, or a new challenge. Browser tabs of the same session share the challenge."""
    found = _find_challenge(purpose)
    if found is None:
        found = _PasskeyChallenge(secrets.token_bytes(32), secrets.token_bytes(64))
        challenge, handle = base64_encode(found.value), base64_encode(found.user_handle)
        browser_sessions.set_temp(purpose, challenge=challenge.decode(), handle=handle.decode())
    return found


def _consume_challenge(purpose: str) -> _PasskeyChallenge:
    found = _find_challenge(purpose)
    browser_sessions.pop_temp(purpose)
    if found is None:
        raise InvalidPasskey(_NOT_ACCEPTED)
    return found


def _find_challenge(purpose: str) -> _PasskeyChallenge | None:
    data = browser_sessions.get_temp(purpose, max_age=_CHALLENGE_MAX_AGE)
    return None if data is None else _PasskeyChallenge(base64_decode(data["challenge"]), base64_decode(data["handle"]))


def _mark_challenge_used(session: Session, challenge: _PasskeyChallenge, member_id: str) -> None:
    # Deleting the challenge from the session cookie is not sufficient, because an old cookie could be replayed.
    if not claim_form_token(session, f"passkey {challenge.value.hex()}", member_id=member_id):
        raise InvalidPasskey(_NOT_ACCEPTED)


def _rp_id() -> str:
    return urlsplit(settings().base_url).hostname or ""


def _origin() -> str:
    parts = urlsplit(settings().base_url)
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


@contextmanager
def _convert_library_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # The WebAuthn library parses untrusted input and does not document all exceptions that it can raise.
        _LOG.info("a passkey was rejected: %s: %s", type(error).__name__, error)
        raise InvalidPasskey(_NOT_ACCEPTED) from error
