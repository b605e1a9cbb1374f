"""Parsing of feed URLs, and diagnosis of problems that can prevent subscribers from seeing updates."""

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

from eventcal.feeds.apply_options import Cancelled
from eventcal.feeds.entry_selection import with_window
from eventcal.feeds.inspect_feed import FeedSummary
from eventcal.kit.errors import DomainError, FieldError, Invalid, Message
from eventcal.web.feeds.endpoints import FEEDS
from eventcal.web.http.urls import quote_path, with_query
from eventcal.web.params.feed_check import SCHEMES
from eventcal.web.params.listing_filters import FeedQuery, canonical_query
from eventcal.web.request.context import settings

REDACTED = "…"
KINDS_BY_PATH = {
    "calendar": "calendar",
    "deadlines": "deadlines",
    "events": "event",
    "talks": "talk",
    "speakers": "speaker",
    "feeds": "personal",
}
_DEFAULT_PORTS = {None, 80, 443}
_FOREIGN_URL_ERROR = Message("is not an address of this calendar; to check another feed, run `eventcal lint URL`")
# The size in bytes of the largest feed that Google is reported to read.
GOOGLE_MAX_BODY = 1_000_000
# The length in characters of the longest URL that Google accepts.
GOOGLE_MAX_URL_LENGTH = 256


@dataclass(frozen=True, kw_only=True)
class FeedUrl:
    """A parsed URL on this site. `path` is percent-decoded, and `endpoint` is empty if the URL is not a feed URL."""

    path: str
    args: MultiDict[str, str]
    endpoint: str
    view_args: Mapping[str, str]

    @classmethod
    def resolve(cls, path: str, args: MultiDict[str, str]) -> "FeedUrl":
        try:
            endpoint, view_args = current_app.url_map.bind("").match(path, method="GET")
        except HTTPException:
            endpoint, view_args = "", {}
        is_feed = endpoint in FEEDS
        return cls(path=path, args=args, endpoint=endpoint if is_feed else "", view_args=view_args if is_feed else {})

    @classmethod
    def parse(cls, url: str) -> "FeedUrl":
        """Parse the URL of a feed or page. Raises Invalid if the URL does not belong to this site."""
        parts = _split_url(url)
        if parts is None or _host_and_port(parts) != _host_and_port(urlsplit(settings().base_url)):
            raise Invalid(errors=[FieldError("?url", _FOREIGN_URL_ERROR)])
        path = unquote(parts.path).rstrip("/") or "/"
        return cls.resolve(path, MultiDict(parse_qsl(parts.query, keep_blank_values=True)))

    @property
    def secret(self) -> str | None:
        return self.view_args.get("secret")

    @property
    def path_suffix(self) -> str:
        return self.path.rpartition("/")[2].rpartition(".")[2]

    @property
    def kind(self) -> str:
        return KINDS_BY_PATH.get(self.path.split("/")[1].partition(".")[0], "other")

    def in_ics_format(self) -> "FeedUrl | None":
        """Return the URL of the .ics feed with the same entries, or None if no .ics feed exists."""
        if self.path_suffix == "ics":
            return self
        if self.path_suffix not in {"jcal", "xcal", "jscal"}:
            return None
        feed = self.resolve(f"{self.path.removesuffix(self.path_suffix)}ics", self.args)
        return feed if feed.endpoint else None

    def redacted_url(self, feed_query: FeedQuery | None) -> str:
        """Return the canonical URL without secrets. If `feed_query` is None, the query string is omitted."""
        query = canonical_query(feed_query) if feed_query is not None else ""
        if self.secret:
            query = query.replace(self.secret, REDACTED)
        return with_query(f"{settings().base_url}{self._redacted_path()}", query)

    def _redacted_path(self) -> str:
        if self.secret:
            return f"/feeds/{REDACTED}.{self.path_suffix}"
        # An incompletely copied URL can still contain a secret.
        if not self.endpoint and "feeds" in self.path.casefold():
            return f"/{REDACTED}"
        return quote_path(self.path)


def _split_url(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        known = parts.scheme in SCHEMES and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if known else None


def _host_and_port(parts: SplitResult) -> tuple[str, int | None]:
    host = (parts.hostname or "").rstrip(".")
    with suppress(UnicodeError):
        host = host.encode("idna").decode()
    return host, None if parts.port in _DEFAULT_PORTS else parts.port


class Diagnosis(NamedTuple):
    """A possible reason why a feed does not update, with a machine-readable code and a message."""

    code: str
    detail: str


def diagnose_unknown_url(feed_url: FeedUrl, error: DomainError) -> Iterator[Diagnosis]:
    if not feed_url.endpoint:
        feed = FeedUrl.resolve(f"{feed_url.path}.ics", MultiDict())
        detail = Message("There is no feed at this address. Feed addresses end in .ics.")
        if feed.endpoint and feed.secret is None:
            detail = Message("This is the address of a page. Its feed is %(feed)s.", feed=feed.redacted_url(None))
        yield Diagnosis("no-feed", detail)
    elif not error.errors:
        yield Diagnosis(error.code, error.detail)
    else:
        for fault in error.errors:
            name = fault.pointer.removeprefix("?")
            yield Diagnosis(error.code, Message("%(name)s %(fault)s.", name=name, fault=fault.detail))


def diagnose(
    feed_url: FeedUrl, query: FeedQuery, summary: FeedSummary | None, *, body_size: int, url_length: int, now: datetime
) -> Iterator[Diagnosis]:
    """Yield the possible problems with a working feed. `body_size` is in bytes, and `url_length` is in characters."""
    if summary is not None and summary.entries == 0:
        yield Diagnosis("empty", Message("No entries match the filters in this address. Remove some of the filters."))
    window = with_window(query.filter, now=now)
    if feed_url.kind == "calendar" and window != query.filter:
        text = Message(
            "The feed covers %(first)s to %(last)s; this period advances every day. Set “from” and “to” in the "
            "address to change it. The feed of a single event is always complete.",
            first=window.from_day,
            last=window.to_day,
        )
        yield Diagnosis("window", text)
    last = query.filter.to_day
    if last is not None and last < now.astimezone(UTC).date():
        text = Message("The feed ends on %(last)s (parameter “to”), so it will not contain new entries.", last=last)
        yield Diagnosis("over", text)
    if query.cancelled == Cancelled.HIDE:
        text = Message("Cancelled entries are left out (cancelled=hide). Some apps then keep showing the old version.")
        yield Diagnosis("cancelled-hidden", text)
    if summary is not None and summary.errors:
        text = Message("The feed has errors that may cause apps to reject it. See the results of lint.")
        yield Diagnosis("faulty", text)
    if body_size > GOOGLE_MAX_BODY:
        text = Message(
            "The feed has %(size)s bytes. Google is reported to stop reading at 1 MB. Reduce it with a filter or "
            "“from”.",
            size=f"{body_size:,}",
        )
        yield Diagnosis("large", text)
    if url_length > GOOGLE_MAX_URL_LENGTH:
        text = Message(
            "The address has %(length)s characters. Google is reported to accept at most %(most)s.",
            length=url_length,
            most=GOOGLE_MAX_URL_LENGTH,
        )
        yield Diagnosis("long-address", text)
    if not _is_public_host(urlsplit(settings().base_url).hostname or ""):
        text = Message(
            "The address is not reachable from outside this network, so services such as Google and Outlook.com "
            "cannot fetch it."
        )
        yield Diagnosis("not-public", text)


def _is_public_host(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".") and not host.endswith((".local", ".localhost", ".internal"))
