"""Passkeys (WebAuthn): options for the browser, and verification of its responses.

The relying party and origin come from the settings, never from the request. User verification (fingerprint or PIN) is
required, so that a passkey counts as both factors. A challenge belongs to one session and can be used once.
"""

import ipaddress
import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import webauthn
from sqlalchemy.orm import Session
from webauthn import helpers
from webauthn.helpers import structs

from eventcal.kit.refusals import Message
from eventcal.members import factors
from eventcal.members.errors import InvalidPasskey
from eventcal.members.models import Member, Passkey
from eventcal.web.identity.accounts import factors_changed
from eventcal.web.identity.current_user import current_member
from eventcal.web.request import rate_limits, sessions
from eventcal.web.request.context import now, reading, settings, unit_of_work
from eventcal.web.request.idempotency import claim_form_token

_LOG = logging.getLogger(__name__)
_LONGEST_ID = 1023  # the limit in the WebAuthn specification
_USUAL_PORTS = {"http": 80, "https": 443}
# Names of the session values that hold the challenges.
_ADD, _SIGN_IN = "passkey_to_add", "passkey_to_sign_in"
_CHALLENGE_GOOD_FOR = timedelta(hours=1)
_NOT_TAKEN = Message("This passkey was not taken.")


@dataclass(frozen=True)
class _Challenge:
    """A challenge for a passkey to sign. `handle` is the WebAuthn user handle for a member without passkeys."""

    value: bytes
    handle: bytes


def are_possible() -> bool:
    """Return whether browsers support passkeys on this site: they require HTTPS and a host name, not an IP address."""
    parts = urlsplit(settings().base_url)
    name = parts.hostname or ""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.isascii() and (parts.scheme == "https" or name == "localhost" or name.endswith(".localhost"))
    return False


def options_to_add(member: Member, known: Sequence[Passkey]) -> str:
    """Return the WebAuthn options to create a passkey, as JSON. `known` are the member's existing passkeys."""
    challenge = _ask(_ADD)
    options = webauthn.generate_registration_options(
        rp_id=_site(),
        rp_name=settings().name,
        user_id=known[0].user_handle if known else challenge.handle,
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
            for one in known
        ],
    )
    return webauthn.options_to_json(options)


def options_to_sign_in() -> str | None:
    """Return the WebAuthn options to sign in with a passkey, as JSON.

    None if the site does not support passkeys.
    """
    if not are_possible():
        return None
    options = webauthn.generate_authentication_options(
        rp_id=_site(), challenge=_ask(_SIGN_IN).value, user_verification=structs.UserVerificationRequirement.REQUIRED
    )
    return webauthn.options_to_json(options)


def add(answer: str, *, name: str) -> Passkey:
    """Verify and add the passkey that a browser created for the current user.

    Raises InvalidPasskey, DuplicatePasskey.
    """
    challenge = _take(_ADD)
    with _refusing_errors():
        read = helpers.parse_registration_credential_json(answer)
        verified = webauthn.verify_registration_response(
            credential=read,
            expected_challenge=challenge.value,
            expected_rp_id=_site(),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    if len(verified.credential_id) > _LONGEST_ID:
        raise InvalidPasskey(_NOT_TAKEN)
    with unit_of_work() as unit:
        member = current_member(unit)
        _spend(unit, challenge, member.id)
        known = factors.list_passkeys(unit, member.id)
        passkey = Passkey(
            member_id=member.id,
            user_handle=known[0].user_handle if known else challenge.handle,
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            # Ignore transports that the library does not know.
            transports=[way.value for way in structs.AuthenticatorTransport if way in (read.response.transports or ())],
            name=name,
            created_at=now(),
        )
        factors_changed(unit, member, now=now())
        return factors.register_passkey(unit, passkey)


def authenticate(answer: str) -> Member:
    """Return the member whose passkey signed the challenge. Raises InvalidPasskey, TooManyRequests."""
    rate_limits.count_sign_in(None)
    challenge = _take(_SIGN_IN)
    with _refusing_errors():
        read = helpers.parse_authentication_credential_json(answer)
    with reading() as reader:
        passkey = factors.find_passkey_by_credential_id(reader, read.raw_id)
    if passkey is None or passkey.user_handle != read.response.user_handle:
        raise InvalidPasskey(_NOT_TAKEN)
    with _refusing_errors():
        verified = webauthn.verify_authentication_response(
            credential=read,
            expected_challenge=challenge.value,
            expected_rp_id=_site(),
            expected_origin=_origin(),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    with unit_of_work() as unit:
        _spend(unit, challenge, passkey.member_id)
        return factors.record_passkey_use(unit, passkey.id, sign_count=verified.new_sign_count, now=now())


def _ask(what: str) -> _Challenge:
    """Return the challenge of this session. An existing one is reused, because other tabs may show it."""
    found = _find_challenge(what)
    if found is None:
        found = _Challenge(secrets.token_bytes(32), secrets.token_bytes(64))
        sessions.set_temp(
            what, challenge=helpers.bytes_to_base64url(found.value), handle=helpers.bytes_to_base64url(found.handle)
        )
    return found


def _take(what: str) -> _Challenge:
    """Return the challenge of this session and delete it from the session. Raises InvalidPasskey."""
    found = _find_challenge(what)
    sessions.pop_temp(what)
    if found is None:
        raise InvalidPasskey(_NOT_TAKEN)
    return found


def _find_challenge(what: str) -> _Challenge | None:
    noted = sessions.get_temp(what, within=_CHALLENGE_GOOD_FOR)
    if noted is None:
        return None
    return _Challenge(helpers.base64url_to_bytes(noted["challenge"]), helpers.base64url_to_bytes(noted["handle"]))


def _spend(unit: Session, challenge: _Challenge, member_id: str) -> None:
    """Mark a challenge as used by a member. Raises InvalidPasskey if it was used before.

    Deleting it from the session is not enough, because a copy of the signed cookie could be replayed.
    """
    if not claim_form_token(unit, f"passkey {challenge.value.hex()}", member_id=member_id):
        raise InvalidPasskey(_NOT_TAKEN)


def _site() -> str:
    return urlsplit(settings().base_url).hostname or ""


def _origin() -> str:
    parts = urlsplit(settings().base_url)
    port = "" if parts.port in {None, _USUAL_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


@contextmanager
def _refusing_errors() -> Iterator[None]:
    """Convert all exceptions that the library raises for a browser's response to InvalidPasskey."""
    try:
        yield
    except Exception as error:
        # The library parses untrusted bytes, and does not document all exceptions that this can raise.
        _LOG.info("a passkey was refused: %s: %s", type(error).__name__, error)
        raise InvalidPasskey(_NOT_TAKEN) from error
