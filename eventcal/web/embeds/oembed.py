"""The oEmbed endpoint (oembed.com, 1.0): returns an iframe for the URL of a page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson
from flask import Response, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotImplemented as NoSuchFormat

from eventcal.events.filter import Filter
from eventcal.events.queries import get_event
from eventcal.kit.paging import MAX_LIMIT, PageRequest
from eventcal.kit.refusals import Message, NotFound
from eventcal.members.caller import ANONYMOUS
from eventcal.talks.queries import get_talk
from eventcal.web.embeds.listing import Embed, embeds, iframe
from eventcal.web.http.representation import Origin
from eventcal.web.http.url_converters import Segment
from eventcal.web.identity.permissions import anonymous
from eventcal.web.params.fields import Count, Query, Text, chosen_language, in_range, load_query
from eventcal.web.params.listing_query import Show, read_wanted, typed_in
from eventcal.web.request.context import links, settings
from eventcal.web.serving import Document, Rendered, Snapshot, serve_cached

_WIDTH, _HEIGHT, _HEIGHT_OF_ONE = 640, 480, 220
# The time for which consumers may cache a response, in seconds.
_CACHE_AGE = 3600
_LARGEST = 10_000
_JSON = "json"


class _OEmbedArgs(Query):
    url = Text(required=True)
    maxwidth = Count(validate=in_range(1, _LARGEST))
    maxheight = Count(validate=in_range(1, _LARGEST))


_ARGS = _OEmbedArgs()


@dataclass(kw_only=True)
class _OEmbedDocument(Document):
    """The oEmbed response: the title of the page, and the HTML of the iframe."""

    asked: Mapping[str, Any]
    media_type: str = "application/json"
    title: str = field(init=False)
    embed: Embed = field(init=False)

    def find(self, snapshot: Snapshot, /) -> None:
        self.title, self.embed = _titled_embed(snapshot.session, self.asked["url"])

    def render(self, _snapshot: Snapshot, _earlier: Origin | None, /) -> Rendered:
        width = min(_WIDTH, self.asked.get("maxwidth", _WIDTH))
        wanted = _HEIGHT if self.embed.talk is None else _HEIGHT_OF_ONE
        height = min(wanted, self.asked.get("maxheight", wanted))
        url = f"{links().base}{self.embed.path}"
        answer = {
            "type": "rich",
            "version": "1.0",
            "title": self.title,
            "provider_name": settings().name,
            "provider_url": links().home(),
            "cache_age": _CACHE_AGE,
            "html": iframe(url, title=self.title, width=str(width), height=str(height)),
            "width": width,
            "height": height,
        }
        return Rendered(orjson.dumps(answer))


@embeds.get("/oembed")
@anonymous
def oembed() -> Response:
    """Return the iframe for the page at `url`: the listing with its filters, an event's talks, or one talk."""
    if request.args.get("format", _JSON).lower() != _JSON:
        raise NoSuchFormat("Only format=json is spoken here.")
    # Consumers may add parameters of their own.
    asked: Mapping[str, Any] = load_query(_ARGS, request.args, unknown="ignore")
    return serve_cached(_OEmbedDocument(asked=asked))


def _titled_embed(session: Session, url: str) -> tuple[str, Embed]:
    """Return the title of the page at a URL, and the embed with the same content.

    Raises NotFound if the page does not exist or is not public, and Invalid for invalid filters.
    """
    path, query = _ours(url)
    lang = chosen_language(query)
    match path:
        case []:
            wanted = read_wanted(typed_in(query))
            # Like the page, the embed shows upcoming events if the query has no days.
            upcoming = wanted.filter.from_day is None and wanted.filter.to_day is None
            embed = Embed(filter=wanted.filter, sort=wanted.sort, show=wanted.show, upcoming=upcoming, lang=lang)
            return settings().name, embed
        case ["events", slug] | ["events", slug, "schedule"]:
            event = get_event(session, slug, ANONYMOUS)
            only = Filter(events=(event.slug,))
            return event.title, Embed(filter=only, paging=PageRequest(MAX_LIMIT), show=Show.TALKS, lang=lang)
        case ["talks", talk_id]:
            talk = get_talk(session, talk_id, ANONYMOUS)
            return talk.title, Embed(talk=talk.id, lang=lang)
    raise NotFound(Message("There is nothing at this address that could be shown elsewhere."))


def _ours(url: str) -> tuple[list[str], MultiDict[str, str]]:
    """Return the path segments and the query of a URL of this site. Raises NotFound for other URLs."""
    base = urlsplit(links().base)
    try:
        there = urlsplit(url)
    except ValueError as error:
        raise NotFound(Message("This is no address.")) from error
    ours = there.scheme in {"http", "https"} and there.netloc.lower() == base.netloc.lower()
    if not ours or not f"{there.path}/".startswith(f"{base.path}/"):
        raise NotFound(Message("This address is none of this calendar's."))
    steps = [unquote(step) for step in there.path[len(base.path) :].strip("/").split("/") if step]
    if not all(re.fullmatch(Segment.regex, step) for step in steps):
        raise NotFound(Message("There is nothing at this address."))
    return steps, MultiDict(parse_qsl(there.query, keep_blank_values=True))
