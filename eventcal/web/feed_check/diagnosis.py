"""Resolving the URL of a feed, and detecting problems that may keep subscribers from seeing updates."""

import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from flask import current_app
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from eventcal.feeds.feed import with_window
from eventcal.feeds.inspect_feed import FeedSummary
from eventcal.feeds.options import Cancelled
from eventcal.kit.refusals import DomainError, FieldError, Invalid, Message
from eventcal.web.feeds.endpoints import FEEDS
from eventcal.web.http.urls import quote_path, with_query
from eventcal.web.params.feed_check import SCHEMES
from eventcal.web.params.listing_filters import Asked, canonical_query
from eventcal.web.request.context import settings

HIDDEN = "…"
"""The placeholder shown in place of a secret."""

KINDS_BY_PATH = {
    "calendar": "calendar",
    "deadlines": "deadlines",
    "events": "event",
    "talks": "talk",
    "speakers": "speaker",
    "feeds": "personal",
}
_USUAL_PORTS = {None, 80, 443}
_FOREIGN = Message("is no address of this calendar; to look at somebody else's feed, run `eventcal lint URL`")
LARGEST_BODY = 1_000_000
"""The largest feed that Google is reported to read, in bytes."""

LONGEST_URL = 256
"""The longest URL that Google accepts. It ignores longer ones without an error."""


@dataclass(frozen=True, kw_only=True)
class FeedUrl:
    """A URL on this site. `endpoint` is "" if it is not a feed; `path` is percent-decoded."""

    path: str
    args: MultiDict[str, str]
    endpoint: str
    view_args: Mapping[str, str]

    @classmethod
    def at(cls, path: str, args: MultiDict[str, str]) -> "FeedUrl":
        """Resolve a decoded path and the query parameters."""
        try:
            endpoint, view_args = current_app.url_map.bind("").match(path, method="GET")
        except HTTPException:
            endpoint, view_args = "", {}
        is_feed = endpoint in FEEDS
        return cls(path=path, args=args, endpoint=endpoint if is_feed else "", view_args=view_args if is_feed else {})

    @property
    def secret(self) -> str | None:
        """The secret of a personal feed, None for other URLs."""
        return self.view_args.get("secret")

    @property
    def format(self) -> str:
        """The suffix of the path, such as ics, atom or csv."""
        return self.path.rpartition("/")[2].rpartition(".")[2]

    @property
    def kind(self) -> str:
        """The kind of feed: calendar, deadlines, event, talk, speaker, personal or other."""
        return KINDS_BY_PATH.get(self.path.split("/")[1].partition(".")[0], "other")

    def shown(self, asked: Asked | None) -> str:
        """Return the canonical URL, with secrets replaced by the placeholder.

        If `asked` is None, because the query string is invalid, it is omitted.
        """
        query = canonical_query(asked) if asked is not None else ""
        if self.secret:
            query = query.replace(self.secret, HIDDEN)
        return with_query(f"{settings().base_url}{self._shown_path()}", query)

    def _shown_path(self) -> str:
        if self.secret:
            return f"/feeds/{HIDDEN}.{self.format}"
        # An incompletely copied URL may still contain a secret.
        if not self.endpoint and "feeds" in self.path.casefold():
            return f"/{HIDDEN}"
        return quote_path(self.path)


def parse_feed_url(url: str) -> FeedUrl:
    """Resolve a URL. Raises Invalid if it does not belong to this site."""
    parts = _split(url)
    if parts is None or _place(parts) != _place(urlsplit(settings().base_url)):
        raise Invalid(errors=[FieldError("?url", _FOREIGN)])
    path = unquote(parts.path).rstrip("/") or "/"
    return FeedUrl.at(path, MultiDict(parse_qsl(parts.query, keep_blank_values=True)))


def sibling_feed(here: FeedUrl) -> str | None:
    """Return the URL of the feed that belongs to a page, or None if the URL is not that of such a page."""
    beside = FeedUrl.at(f"{here.path}.ics", MultiDict())
    return beside.shown(None) if beside.endpoint and beside.secret is None else None


def without_format(here: FeedUrl) -> FeedUrl | None:
    """Return the .ics feed with the same entries as a feed in any format, or None if there is none."""
    if here.format == "ics":
        return here
    if here.format not in {"jcal", "xcal", "jscal"}:
        return None
    beside = FeedUrl.at(f"{here.path.removesuffix(here.format)}ics", here.args)
    return beside if beside.endpoint else None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        known = parts.scheme in SCHEMES and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if known else None


def _place(parts: SplitResult) -> tuple[str, int | None]:
    """Return the host and port in normalised form, for comparison."""
    host = (parts.hostname or "").rstrip(".")
    with suppress(UnicodeError):
        host = host.encode("idna").decode()
    return host, None if parts.port in _USUAL_PORTS else parts.port


class Diagnosis(NamedTuple):
    """A possible reason why a feed does not update. `detail` is a message for people."""

    code: str
    detail: str


def diagnose_unknown_url(here: FeedUrl, refusal: DomainError) -> Iterator[Diagnosis]:
    """Yield the problems of a URL that is answered with an error."""
    if not here.endpoint:
        beside = sibling_feed(here)
        detail = (
            Message("There is no feed at this address. This is a page; its feed is %(feed)s.", feed=beside)
            if beside
            else Message("There is no feed at this address. The addresses of feeds end in .ics.")
        )
        yield Diagnosis("no-feed", detail)
    elif not refusal.errors:
        yield Diagnosis(refusal.code, refusal.detail)
    else:
        for fault in refusal.errors:
            name = fault.pointer.removeprefix("?")
            yield Diagnosis(refusal.code, Message("%(name)s %(fault)s.", name=name, fault=fault.detail))


def diagnose(
    here: FeedUrl, asked: Asked, seen: FeedSummary | None, *, size: int, length: int, moment: datetime
) -> Iterator[Diagnosis]:
    """Yield the possible problems of a working feed. `size` is that of its body, `length` that of its URL."""
    if seen is not None and seen.entries == 0:
        yield Diagnosis("empty", Message("Nothing fits what this address asks for; a wider one may have entries."))
    window = with_window(asked.filter, now=moment)
    if here.kind == "calendar" and window != asked.filter:
        text = Message(
            "It has the days %(first)s to %(last)s, which move on each day; from and to in the address say otherwise. "
            "An event's own feed is whole.",
            first=window.from_day,
            last=window.to_day,
        )
        yield Diagnosis("window", text)
    last = asked.filter.to_day
    if last is not None and last < moment.astimezone(UTC).date():
        yield Diagnosis("over", Message("It ends on %(last)s (to), so nothing new comes into it.", last=last))
    if asked.cancelled == Cancelled.HIDE:
        text = Message("What is called off is left out (cancelled=hide); some programs then keep showing it as it was.")
        yield Diagnosis("cancelled-hidden", text)
    if seen is not None and seen.errors:
        yield Diagnosis("faulty", Message("It has faults, for which programs may refuse it: see lint."))
    if size > LARGEST_BODY:
        text = Message(
            "It has %(size)s bytes; Google is reported to stop at 1 MB. Ask for less, with a filter or from.",
            size=f"{size:,}",
        )
        yield Diagnosis("large", text)
    if length > LONGEST_URL:
        text = Message(
            "Its address has %(length)s characters; Google is reported to take no more than %(most)s.",
            length=length,
            most=LONGEST_URL,
        )
        yield Diagnosis("long-address", text)
    if not _is_public(urlsplit(settings().base_url).hostname or ""):
        text = Message(
            "Its address leads nowhere from outside of this network: services that fetch for their members, such as "
            "Google and Outlook.com, cannot reach it."
        )
        yield Diagnosis("not-public", text)


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".") and not host.endswith((".local", ".localhost", ".internal"))
