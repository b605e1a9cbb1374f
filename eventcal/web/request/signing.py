"""Signed tokens in emails and forms. Signatures use HMAC with SHA-256, as the signatures of session cookies do."""

import hashlib

from itsdangerous import URLSafeTimedSerializer

from eventcal.web.request.context import settings

DIGEST_METHOD = hashlib.sha256


def token_serializer(salt: str) -> URLSafeTimedSerializer:
    """Return a serializer for signed tokens. Tokens with another salt are invalid."""
    signer_kwargs = {"key_derivation": "hmac", "digest_method": DIGEST_METHOD}
    return URLSafeTimedSerializer(settings().secret_key, salt=salt, signer_kwargs=signer_kwargs)
