"""Passkeys (WebAuthn): what a browser is asked for, and whether its answer holds.

Which site a key belongs to comes from the settings, never from the request. A key has to verify its user (a finger, a
PIN), so that signing in with one counts as both factors.
"""

import ipaddress
import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from eventcal.members.errors import PasskeyRefused
from eventcal.members.models import Member, Passkey
from eventcal.members.passkeys import NewKey, add_passkey, find_by_credential, list_passkeys, use_passkey
from eventcal.web.identity import passwords
from eventcal.web.identity.current_user import current_member
from eventcal.web.identity.webauthn_challenges import ADD, NOT_TAKEN, SIGN_IN, ask, spend, take
from eventcal.web.request import rate_limits
from eventcal.web.request.context import now, reading, settings, unit_of_work

_LOG = logging.getLogger(__name__)
_LONGEST_ID = 1023  # as WebAuthn has it
_USUAL_PORTS = {"http": 80, "https": 443}

T = TypeVar("T")


def are_possible() -> bool:
    """Say whether browsers do passkeys here: they want TLS and a name, not the number of a machine."""
    parts = urlsplit(settings().base_url)
    name = parts.hostname or ""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.isascii() and (parts.scheme == "https" or name == "localhost" or name.endswith(".localhost"))
    return False


def options_to_add(member: Member, known: Sequence[Passkey]) -> str:
    """Return what to ask a browser for, as JSON, so that it makes a key for this member; `known` are theirs."""
    asked = ask(ADD)
    options = generate_registration_options(
        rp_id=_site(),
        rp_name=settings().name,
        user_id=known[0].user_handle if known else asked.handle,
        user_name=member.email,
        user_display_name=member.name,
        challenge=asked.challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[_descriptor(one) for one in known],
    )
    return options_to_json(options)


def options_to_sign_in() -> str:
    """Return what to ask a browser for, as JSON, so that it offers the keys that it has for this site."""
    options = generate_authentication_options(
        rp_id=_site(),
        challenge=ask(SIGN_IN).challenge,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def add(answer: str, *, name: str) -> Passkey:
    """Add the key that a browser made for the member who calls. Raises PasskeyRefused, PasskeyKnown."""
    asked = take(ADD)
    given = _json(answer)
    verified = _held(
        lambda: verify_registration_response(
            credential=given,
            expected_challenge=asked.challenge,
            expected_rp_id=_site(),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    )
    if len(verified.credential_id) > _LONGEST_ID:
        raise PasskeyRefused(NOT_TAKEN)
    with unit_of_work() as unit:
        member = current_member(unit)
        spend(unit, asked, member.id)
        known = list_passkeys(unit, member.id)
        key = NewKey(
            user_handle=known[0].user_handle if known else asked.handle,
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            transports=_transports(given),
        )
        passwords.factors_changed(unit, member, now=now())
        return add_passkey(unit, member, key, name=name, now=now())


def authenticate(answer: str) -> Member:
    """Return the member whose key a browser signed with. Raises PasskeyRefused, TooMany."""
    rate_limits.count_passkey()
    asked = take(SIGN_IN)
    given = _json(answer)
    read = _held(lambda: parse_authentication_credential_json(given))
    with reading() as reader:
        found = find_by_credential(reader, read.raw_id)
    if found is None or found[0].user_handle != read.response.user_handle:
        raise PasskeyRefused(NOT_TAKEN)
    passkey = found[0]
    verified = _held(
        lambda: verify_authentication_response(
            credential=read,
            expected_challenge=asked.challenge,
            expected_rp_id=_site(),
            expected_origin=_origin(),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    )
    with unit_of_work() as unit:
        spend(unit, asked, passkey.member_id)
        return use_passkey(unit, passkey.id, sign_count=verified.new_sign_count, now=now())


def _site() -> str:
    """Return the name that a key belongs to (the relying party's id)."""
    return urlsplit(settings().base_url).hostname or ""


def _origin() -> str:
    """Return the origin of our pages, as browsers write it."""
    parts = urlsplit(settings().base_url)
    port = "" if parts.port in {None, _USUAL_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


def _json(answer: str) -> dict[str, Any]:
    try:
        given = orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        raise PasskeyRefused(NOT_TAKEN) from error
    if not isinstance(given, dict):
        raise PasskeyRefused(NOT_TAKEN)
    return given


def _held(check: Callable[[], T]) -> T:
    """Return what the library makes of a browser's answer. Raises PasskeyRefused."""
    try:
        return check()
    except Exception as error:
        # It reads foreign bytes, and does not name everything that they can make it raise.
        _LOG.info("a passkey was refused: %s: %s", type(error).__name__, error)
        raise PasskeyRefused(NOT_TAKEN) from error


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(
        id=passkey.credential_id, transports=[AuthenticatorTransport(one) for one in passkey.transports]
    )


def _transports(given: dict[str, Any]) -> list[str]:
    """Return how the device can be reached, as far as we know the words."""
    known = [one.value for one in AuthenticatorTransport]
    said = given["response"].get("transports")
    return [word for word in known if word in said] if isinstance(said, list) else []
