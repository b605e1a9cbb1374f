"""A software security key for tests that creates and uses passkeys, with optional errors."""

import hashlib
import json
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

from eventcal.kit.ids import new_id

ORIGIN = "https://calendar.example.org"

_USER_PRESENT, _USER_VERIFIED, _ATTESTED_CREDENTIAL = 0x01, 0x04, 0x40

Json = dict[str, Any]


@dataclass
class VirtualAuthenticator:
    """A security key with one passkey.

    `reports_sign_count` is true if the authenticator counts its signatures.
    `verifies_user` is true if the authenticator asks for a PIN.
    """

    credential_id: bytes = field(default_factory=lambda: new_id().encode())
    private_key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    user_handle: bytes = b""
    sign_count: int = 0
    reports_sign_count: bool = True
    verifies_user: bool = True

    def create_passkey(self, options: str, *, origin: str = ORIGIN, site: str | None = None) -> str:
        """Return the response to a registration request, with attestation "none"."""
        asked = json.loads(options)
        self.user_handle = base64url_to_bytes(asked["user"]["id"])
        data = self._authenticator_data(site or asked["rp"]["id"], _ATTESTED_CREDENTIAL) + self._credential_data()
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        said = _client_data("webauthn.create", asked["challenge"], origin)
        return self._to_response_json(
            clientDataJSON=said, attestationObject=attestation, transports=["internal", "quantum"]
        )

    def sign_challenge(self, options: str, *, origin: str = ORIGIN, site: str | None = None, **otherwise: bytes) -> str:
        """Return the response to an authentication request. Keyword arguments replace parts of the response."""
        asked = json.loads(options)
        self.sign_count += self.reports_sign_count
        data = self._authenticator_data(site or asked["rpId"], 0)
        said = _client_data("webauthn.get", asked["challenge"], origin)
        signature = self.private_key.sign(data + hashlib.sha256(said).digest(), ECDSA(SHA256()))
        parts = {"authenticatorData": data, "signature": signature, "userHandle": self.user_handle}
        return self._to_response_json(clientDataJSON=said, **(parts | otherwise))

    def _authenticator_data(self, site: str, flags: int) -> bytes:
        flags |= _USER_PRESENT | (_USER_VERIFIED if self.verifies_user else 0)
        return hashlib.sha256(site.encode()).digest() + struct.pack(">BI", flags, self.sign_count)

    def _credential_data(self) -> bytes:
        numbers = self.private_key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        return bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + encode_cbor(cose)

    def _to_response_json(self, **response: Any) -> str:
        told = {
            name: bytes_to_base64url(value) if isinstance(value, bytes) else value for name, value in response.items()
        }
        name = bytes_to_base64url(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": told})


def _client_data(kind: str, challenge: str, origin: str) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()
