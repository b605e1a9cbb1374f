"""What may keep a subscriber of a feed from seeing what they look for: each with a code, and a way out."""

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple
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


class Problem(NamedTuple):
    """Something that may be in the way; `detail` is for people."""

    code: str
    detail: str


def refused_problems(here: OurUrl, refusal: Refusal) -> Iterator[Problem]:
    """Yield why an address of ours is answered with a refusal."""
    if not here.endpoint:
        beside = feed_beside(here)
        detail = (
            Sentence("There is no feed at this address. This is a page; its feed is %(feed)s.", feed=beside)
            if beside
            else Sentence("There is no feed at this address. The addresses of feeds end in .ics.")
        )
        yield Problem("no-feed", detail)
    elif not refusal.faults:
        yield Problem(refusal.code, refusal.detail)
    else:
        for fault in refusal.faults:
            name = fault.pointer.removeprefix("?")
            yield Problem(refusal.code, Sentence("%(name)s %(fault)s.", name=name, fault=fault.detail))


def problems_of(
    here: OurUrl, asked: Asked, seen: Glance | None, *, size: int, length: int, moment: datetime
) -> Iterator[Problem]:
    """Yield what may be in the way of a feed that is answered: `size` of its body, `length` of its address."""
    if seen is not None and seen.entries == 0:
        yield Problem("empty", Sentence("Nothing fits what this address asks for; a wider one may have entries."))
    window = windowed(asked.filter, now=moment)
    if here.kind == "calendar" and window != asked.filter:
        text = Sentence(
            "It has the days %(first)s to %(last)s, which move on each day; from and to in the address say otherwise. "
            "An event's own feed is whole.",
            first=window.from_day,
            last=window.to_day,
        )
        yield Problem("window", text)
    last = asked.filter.to_day
    if last is not None and last < moment.astimezone(UTC).date():
        yield Problem("over", Sentence("It ends on %(last)s (to), so nothing new comes into it.", last=last))
    if asked.cancelled == Cancelled.HIDE:
        text = Sentence(
            "What is called off is left out (cancelled=hide); some programs then keep showing it as it was."
        )
        yield Problem("cancelled-hidden", text)
    if seen is not None and seen.errors:
        yield Problem("faulty", Sentence("It has faults, for which programs may refuse it: see lint."))
    if size > LARGEST_BODY:
        text = Sentence(
            "It has %(size)s bytes; Google is reported to stop at 1 MB. Ask for less, with a filter or from.",
            size=f"{size:,}",
        )
        yield Problem("large", text)
    if length > LONGEST_URL:
        text = Sentence(
            "Its address has %(length)s characters; Google is reported to take no more than %(most)s.",
            length=length,
            most=LONGEST_URL,
        )
        yield Problem("long-address", text)
    if not _is_public(urlsplit(settings().base_url).hostname or ""):
        text = Sentence(
            "Its address leads nowhere from outside of this network: services that fetch for their members, such as "
            "Google and Outlook.com, cannot reach it."
        )
        yield Problem("not-public", text)


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".") and not host.endswith((".local", ".localhost", ".internal"))
