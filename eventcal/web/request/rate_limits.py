"""Rate limits for expensive and security-sensitive requests.

Requests that only read data are not limited, except for feed checks.

Requests are counted in Redis, or separately by each worker if Redis is not configured or not available. If a limit is
exceeded, the `count_*` functions raise TooManyRequests.
"""

import hashlib
from math import ceil
from typing import cast

from flask import Flask, current_app
from limits import RateLimitItem, RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from eventcal.config import Settings
from eventcal.kit.errors import Message
from eventcal.kit.text import email_key
from eventcal.web.limiters import Limiters
from eventcal.web.request.client_address import IPV6_SITE_PREFIX, client_network
from eventcal.web.request.request_counter import MemoryCounter, RedisCounter

SIGN_IN_LIMIT_PER_CLIENT = RateLimitItemPerMinute(60, namespace="sign-in-from")
REGISTER_LIMIT_PER_CLIENT = RateLimitItemPerMinute(20, namespace="register-from")
EMAIL_LIMIT = RateLimitItemPerMinute(5, namespace="mail")
EMAIL_LIMIT_PER_CLIENT = RateLimitItemPerMinute(20, namespace="mail-from")
UNSAFE_REQUEST_LIMIT = RateLimitItemPerMinute(300, namespace="write")
FEED_CHECK_LIMIT = RateLimitItemPerMinute(30, namespace="feed-check")
# In megapixels.
IMAGE_UPLOAD_LIMIT = RateLimitItemPerMinute(64, namespace="picture")

# The number of clients for which the limit of a whole IPv6 site is sufficient.
_SITE_FACTOR = 4


def init_rate_limits(app: Flask, settings: Settings, limiters: Limiters) -> None:
    """Set up rate limits, which the RATELIMIT_ENABLED configuration value can disable at any time."""
    app.config.setdefault("RATELIMIT_ENABLED", True)
    url = settings.redis_url
    counter = MemoryCounter() if url is None else RedisCounter(url, slots=limiters.redis)
    app.extensions["eventcal_limits"] = counter


def count_sign_in() -> None:
    """Count an attempt to sign in. Attempts for one account are limited by `identity/guessing.py`."""
    _hit_client_or_raise(SIGN_IN_LIMIT_PER_CLIENT)


def count_registration() -> None:
    """Count a registration."""
    _hit_client_or_raise(REGISTER_LIMIT_PER_CLIENT)


def count_email(email: str) -> None:
    """Count a request that sends an email to this address."""
    count_email_token()
    _hit_or_raise(EMAIL_LIMIT, client_network(), _hash_email(email))


def count_email_token() -> None:
    """Count an attempt to use a token that was sent by email."""
    _hit_client_or_raise(EMAIL_LIMIT_PER_CLIENT)


def count_unsafe_request(member_id: str | None) -> None:
    """Count an unsafe request by a member or, if `member_id` is None, by an anonymous client."""
    if member_id is None:
        _hit_client_or_raise(UNSAFE_REQUEST_LIMIT)
    else:
        _hit_or_raise(UNSAFE_REQUEST_LIMIT, member_id)


def count_image_upload(member_id: str, *, pixels: int) -> None:
    """Count the pixels of an image that a member uploads, because decoding images is expensive."""
    detail = Message(
        "The limit is %(most)s megapixels per minute. Wait a moment and try again.", most=IMAGE_UPLOAD_LIMIT.amount
    )
    _hit_or_raise(IMAGE_UPLOAD_LIMIT, member_id, cost=ceil(pixels / 1_000_000), detail=detail)


def count_feed_check() -> None:
    """Count a feed check, because rendering and checking a feed is expensive."""
    _hit_client_or_raise(FEED_CHECK_LIMIT)


def _hit_client_or_raise(limit: RateLimitItem) -> None:
    """Count a request of the client and, for an IPv6 address, of the larger network that the client belongs to."""
    _hit_or_raise(limit, client_network())
    site = client_network(ipv6_prefix=IPV6_SITE_PREFIX)
    if ":" in site:
        amount = limit.amount * _SITE_FACTOR
        _hit_or_raise(type(limit)(amount, namespace=f"{limit.namespace}-site"), site)


def _hit_or_raise(limit: RateLimitItem, *identifiers: str, cost: int = 1, detail: Message | None = None) -> None:
    if not current_app.config["RATELIMIT_ENABLED"]:
        return
    counter = cast("MemoryCounter | RedisCounter", current_app.extensions["eventcal_limits"])
    if not counter.hit(limit, *identifiers, cost=cost):
        usual = Message("The limit is %(most)s requests per minute. Wait a moment and try again.", most=limit.amount)
        raise TooManyRequests(detail or usual, retry_after=limit.get_expiry())


def _hash_email(email: str) -> str:
    # Email addresses are hashed, so that they are not stored in Redis.
    return hashlib.sha256(email_key(email).encode()).hexdigest()
