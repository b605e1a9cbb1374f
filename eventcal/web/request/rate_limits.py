"""Rate limits for expensive and security-sensitive requests. Reads are not limited.

Requests are counted in Redis if it is configured, else in each worker. If Redis is unavailable, requests are still
accepted, and each worker counts for itself.
"""

import hashlib
import ipaddress
import logging
from typing import cast

from flask import Flask, current_app, request
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from eventcal.config import Settings
from eventcal.kit.refusals import Message
from eventcal.kit.text import email_key

_LOG = logging.getLogger(__name__)

SIGN_IN = RateLimitItemPerMinute(10, namespace="sign-in")
SIGN_IN_FROM = RateLimitItemPerMinute(60, namespace="sign-in-from")
CODE = RateLimitItemPerMinute(10, namespace="code")
CODE_LONG = RateLimitItemPerHour(30, namespace="code-long")
REGISTER_FROM = RateLimitItemPerMinute(20, namespace="register-from")
MAIL = RateLimitItemPerMinute(5, namespace="mail")
MAIL_FROM = RateLimitItemPerMinute(20, namespace="mail-from")
WRITE = RateLimitItemPerMinute(300, namespace="write")
PICTURE = RateLimitItemPerMinute(20, namespace="picture")

# A household usually has a whole IPv6 /64 network, which is therefore counted as one client.
_V6_PREFIX = 64


class Counter:
    """A counter of requests in a moving window of a minute or an hour."""

    def __init__(self, redis_url: str | None) -> None:
        self._own = MovingWindowRateLimiter(storage_from_string("memory://"))
        self._shared = None
        if redis_url is not None:
            self._shared = MovingWindowRateLimiter(storage_from_string(redis_url, wrap_exceptions=True))

    def allows(self, limit: RateLimitItem, *who: str) -> bool:
        """Count a request and return whether it is within the limit."""
        if self._shared is not None:
            try:
                return self._shared.hit(limit, *who)
            except StorageError:
                _LOG.warning("Redis does not answer; this worker counts for itself", exc_info=True)
        return self._own.hit(limit, *who)


def start_limits(app: Flask, settings: Settings) -> None:
    """Set up rate limits for the app. They can be disabled at any time with RATELIMIT_ENABLED in its config."""
    app.config.setdefault("RATELIMIT_ENABLED", True)
    app.extensions["eventcal_limits"] = Counter(settings.redis_url)


def count_sign_in(address: str | None) -> None:
    """Count a sign-in attempt with an email address, or with a passkey if `address` is None. Raises TooManyRequests."""
    _count(SIGN_IN_FROM, _visitor())
    if address is not None:
        _count(SIGN_IN, _visitor(), _digest(address))


def count_code(member_id: str) -> None:
    """Count an attempt to enter a code, from any IP address: there are only a million codes. Raises TooManyRequests."""
    _count(CODE, member_id)
    _count(CODE_LONG, member_id)


def count_registration() -> None:
    """Count a registration. Raises TooManyRequests."""
    _count(REGISTER_FROM, _visitor())


def count_mail(address: str) -> None:
    """Count a request that sends an email to this address. Raises TooManyRequests."""
    count_mailed_token()
    _count(MAIL, _visitor(), _digest(address))


def count_mailed_token() -> None:
    """Count an attempt to use an emailed token. Raises TooManyRequests."""
    _count(MAIL_FROM, _visitor())


def count_write(member_id: str | None) -> None:
    """Count any other unsafe request, by member or, if not signed in, by IP address. Raises TooManyRequests."""
    _count(WRITE, member_id or _visitor())


def count_picture(member_id: str) -> None:
    """Count an image upload of a member, because decoding is expensive. Raises TooManyRequests."""
    _count(PICTURE, member_id)


def _count(limit: RateLimitItem, *who: str) -> None:
    if not current_app.config["RATELIMIT_ENABLED"]:
        return
    counter = cast("Counter", current_app.extensions["eventcal_limits"])
    if not counter.allows(limit, *who):
        most = limit.amount
        detail = Message("No more than %(most)s a minute of these; wait a little, then try again.", most=most)
        if limit.GRANULARITY.name == "hour":
            detail = Message("No more than %(most)s an hour of these; wait a little, then try again.", most=most)
        raise TooManyRequests(detail, retry_after=limit.get_expiry())


def _visitor() -> str:
    """Return the client's IPv4 address or IPv6 /64 network."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if address.version == 4:  # noqa: PLR2004 - IPv4
        return str(address)
    return str(ipaddress.ip_network((address, _V6_PREFIX), strict=False))


def _digest(address: str) -> str:
    # Addresses are hashed, so that Redis holds no list of email addresses.
    return hashlib.sha256(email_key(address).encode()).hexdigest()
