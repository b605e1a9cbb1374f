"""Codes of an authenticator app (RFC 6238), and the secrets that they are made from, sealed."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from passlib.exc import TokenError
from passlib.totp import TOTP, AppWallet

DRIFT = 30
"""How many seconds the clock of an app may be off: one step, so that its code before and after is taken too."""

_SEALED_FOR = b"eventcal: secrets of authenticator apps"


@dataclass(frozen=True)
class Authenticator:
    """Makes and reads sealed secrets. `issuer` is what apps show beside a code: the calendar's name."""

    secret_key: str
    issuer: str

    def new_secret(self) -> str:
        """Return a new secret, sealed."""
        return str(self._totp.new().to_json(encrypt=True))

    def to_type(self, sealed: str) -> str:
        """Return the secret itself, in groups, for whoever types it into their app."""
        return str(self._totp.from_source(sealed).pretty_key())

    def to_scan(self, sealed: str, *, member: str) -> str:
        """Return the otpauth: address by which an app takes the secret over; it shows `member` beside it."""
        return str(self._totp.from_source(sealed).to_uri(_without_colon(member)))

    def find_counter(self, sealed: str, code: str, *, now: datetime, after: int | None = None) -> int | None:
        """Return the number of the step that a code belongs to; None for one that is wrong, or not after `after`."""
        try:
            match = self._totp.from_source(sealed).match(code, time=now, window=DRIFT, last_counter=after)
        except TokenError:
            return None
        return int(match.counter)

    @cached_property
    def _totp(self) -> Any:  # noqa: ANN401 - the library has no types
        # What the key is derived from is random and long: stretching it would only cost time.
        derived = HKDF(SHA256(), length=32, salt=None, info=_SEALED_FOR).derive(self.secret_key.encode())
        wallet = AppWallet({"1": derived.hex()}, encrypt_cost=0)
        return TOTP.using(issuer=_without_colon(self.issuer), wallet=wallet)


def _without_colon(name: str) -> str:
    # It parts the issuer from the member in what an app reads.
    return name.replace(":", " ")
