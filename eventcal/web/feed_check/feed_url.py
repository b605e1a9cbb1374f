"""Which of our own feeds a URL names, however somebody wrote it: webcal, http or https, with or without the port."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from flask import current_app
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from eventcal.kit.refusals import Fault, Invalid, Sentence
from eventcal.web.feeds.endpoints import FEEDS
from eventcal.web.http.urls import quote_path, with_query
from eventcal.web.params.feed_check import SCHEMES
from eventcal.web.params.listing_filters import Asked, canonical_query
from eventcal.web.request.context import settings

HIDDEN = "…"
"""What is shown in place of a secret."""

KINDS_BY_PATH = {
    "calendar": "calendar",
    "deadlines": "deadlines",
    "events": "event",
    "talks": "talk",
    "speakers": "speaker",
    "feeds": "personal",
}
_USUAL_PORTS = {None, 80, 443}
_FOREIGN = Sentence("is no address of this calendar; to look at somebody else's feed, run `eventcal lint URL`")


@dataclass(frozen=True, kw_only=True)
class OurUrl:
    """An address of ours. `endpoint` is "" where there is no feed at it; `path` is decoded."""

    path: str
    args: MultiDict[str, str]
    endpoint: str
    view_args: Mapping[str, str]

    @classmethod
    def at(cls, path: str, args: MultiDict[str, str]) -> "OurUrl":
        """Return the address with this path and this query."""
        try:
            endpoint, view_args = current_app.url_map.bind("").match(path, method="GET")
        except HTTPException:
            endpoint, view_args = "", {}
        is_feed = endpoint in FEEDS
        return cls(path=path, args=args, endpoint=endpoint if is_feed else "", view_args=view_args if is_feed else {})

    @property
    def secret(self) -> str | None:
        """Return the secret in the address of a member's feed, None for every other."""
        return self.view_args.get("secret")

    @property
    def format(self) -> str:
        """Return what its path ends in: ics, atom, csv."""
        return self.path.rpartition("/")[2].rpartition(".")[2]

    @property
    def kind(self) -> str:
        """Return what it is a feed of: calendar, deadlines, event, talk, speaker, personal; else other."""
        return KINDS_BY_PATH.get(self.path.split("/")[1].partition(".")[0], "other")

    def shown(self, asked: Asked | None) -> str:
        """Return the address in its canonical form, without the secret that is in it or may be.

        Without `asked` the query is left out: nobody could read it.
        """
        query = canonical_query(asked) if asked is not None else ""
        if self.secret:
            query = query.replace(self.secret, HIDDEN)
        return with_query(f"{settings().base_url}{self._shown_path()}", query)

    def _shown_path(self) -> str:
        if self.secret:
            return f"/feeds/{HIDDEN}.{self.format}"
        # What was not quite copied may be a secret all the same.
        if not self.endpoint and "feeds" in self.path.casefold():
            return f"/{HIDDEN}"
        return quote_path(self.path)


def our_url(url: str) -> OurUrl:
    """Return what of ours a URL names. Raises Invalid for whatever is no address of this calendar."""
    parts = _split(url)
    if parts is None or _place(parts) != _place(urlsplit(settings().base_url)):
        raise Invalid(faults=[Fault("?url", _FOREIGN)])
    path = unquote(parts.path).rstrip("/") or "/"
    return OurUrl.at(path, MultiDict(parse_qsl(parts.query, keep_blank_values=True)))


def feed_beside(here: OurUrl) -> str | None:
    """Return the address of the feed that belongs to a page of ours, where somebody subscribed to the page."""
    beside = OurUrl.at(f"{here.path}.ics", MultiDict())
    return beside.shown(None) if beside.endpoint and beside.secret is None else None


def same_entries(here: OurUrl) -> OurUrl | None:
    """Return the .ics that has the same entries as a feed in another format; None where there is none."""
    if here.format == "ics":
        return here
    if here.format not in {"jcal", "xcal", "jscal"}:
        return None
    beside = OurUrl.at(f"{here.path.removesuffix(here.format)}ics", here.args)
    return beside if beside.endpoint else None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        known = parts.scheme in SCHEMES and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if known else None


def _place(parts: SplitResult) -> tuple[str, int | None]:
    """Return host and port in the form in which they can be compared."""
    host = (parts.hostname or "").rstrip(".")
    with suppress(UnicodeError):
        host = host.encode("idna").decode()
    return host, None if parts.port in _USUAL_PORTS else parts.port
