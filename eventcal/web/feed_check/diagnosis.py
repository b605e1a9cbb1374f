"""What may keep a subscriber of a feed from seeing what they look for: each with a code, and a way out."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from eventcal.feeds.feed import windowed
from eventcal.feeds.inspect_feed import Glance
from eventcal.feeds.options import Cancelled
from eventcal.kit.refusals import Refusal, Sentence
from eventcal.web.feed_check.feed_url import OurUrl, feed_beside
from eventcal.web.params.listing_filters import Asked
from eventcal.web.request.context import settings

LARGEST_BODY = 1_000_000
"""Google is reported to read no more of a feed than this, in bytes."""

LONGEST_URL = 256
"""Google takes no longer address, and says nothing of it."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something that may be in the way; `detail` is for people."""

    code: str
    detail: str


def refused_problems(here: OurUrl, refusal: Refusal) -> list[Problem]:
    """Return why an address of ours is answered with a refusal."""
    if here.endpoint is None:
        beside = feed_beside(here)
        detail = (
            Sentence("There is no feed at this address. This is a page; its feed is %(feed)s.", feed=beside)
            if beside
            else Sentence("There is no feed at this address. The addresses of feeds end in .ics.")
        )
        return [Problem(code="no-feed", detail=detail)]
    if refusal.faults:
        return [
            Problem(
                code=refusal.code,
                detail=Sentence("%(name)s %(fault)s.", name=fault.pointer.removeprefix("?"), fault=fault.detail),
            )
            for fault in refusal.faults
        ]
    return [Problem(code=refusal.code, detail=refusal.detail)]


def problems_of(
    here: OurUrl, asked: Asked, seen: Glance | None, *, size: int, length: int, moment: datetime
) -> list[Problem]:
    """Return what may be in the way of a feed that is answered: `size` of its body, `length` of its address."""
    return [
        *_in_what_it_has(here, asked, seen, moment),
        *_in_how_it_is_reached(size=size, length=length),
    ]


def _in_what_it_has(here: OurUrl, asked: Asked, seen: Glance | None, moment: datetime) -> Iterator[Problem]:
    today = moment.astimezone(UTC).date()
    if seen is not None and seen.entries == 0:
        yield Problem(
            code="empty", detail=Sentence("Nothing fits what this address asks for; a wider one may have entries.")
        )
    window = windowed(asked.filter, now=moment)
    if here.kind == "calendar" and window != asked.filter:
        yield Problem(
            code="window",
            detail=Sentence(
                "It has the days %(first)s to %(last)s, which move on each day; from and to in the address say "
                "otherwise. An event's own feed is whole.",
                first=window.from_day,
                last=window.to_day,
            ),
        )
    if asked.filter.to_day is not None and asked.filter.to_day < today:
        ends = Sentence("It ends on %(last)s (to), so nothing new comes into it.", last=asked.filter.to_day)
        yield Problem(code="over", detail=ends)
    if asked.cancelled == Cancelled.HIDE:
        yield Problem(
            code="cancelled-hidden",
            detail=Sentence(
                "What is called off is left out (cancelled=hide); some programs then keep showing it as it was."
            ),
        )
    if seen is not None and seen.errors:
        yield Problem(code="faulty", detail=Sentence("It has faults, for which programs may refuse it: see lint."))


def _in_how_it_is_reached(*, size: int, length: int) -> Iterator[Problem]:
    if size > LARGEST_BODY:
        yield Problem(
            code="large",
            detail=Sentence(
                "It has %(size)s bytes; Google is reported to stop at 1 MB. Ask for less, with a filter or from.",
                size=f"{size:,}",
            ),
        )
    if length > LONGEST_URL:
        yield Problem(
            code="long-address",
            detail=Sentence(
                "Its address has %(length)s characters; Google is reported to take no more than %(most)s.",
                length=length,
                most=LONGEST_URL,
            ),
        )
    if not _is_public(urlsplit(settings().base_url).hostname or ""):
        yield Problem(
            code="not-public",
            detail=Sentence(
                "Its address leads nowhere from outside of this network: services that fetch for their members, such "
                "as Google and Outlook.com, cannot reach it."
            ),
        )


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".") and not host.endswith((".local", ".localhost", ".internal"))
