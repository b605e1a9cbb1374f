"""oEmbed (oembed.com, 1.0): from the address of a page to the frame that shows the same elsewhere."""

import re
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
from eventcal.kit.paging import LARGEST_LIMIT, Paging
from eventcal.kit.refusals import NotFound, Sentence
from eventcal.members.caller import VISITOR
from eventcal.talks.queries import get_talk
from eventcal.web.embeds.embed import Embed, iframe
from eventcal.web.embeds.listing import embeds
from eventcal.web.http.representation import Origin
from eventcal.web.http.url_converters import Segment
from eventcal.web.identity.permissions import feed
from eventcal.web.params.fields import Count, Query, Text, chosen_language, in_range, load_query
from eventcal.web.params.listing_query import Show, read_wanted, typed_in
from eventcal.web.request.context import links, settings
from eventcal.web.serving.cached_document import Document, Rendered, Snapshot, serve_cached

_WIDTH, _HEIGHT, _HEIGHT_OF_ONE = 640, 480, 220
# How many seconds a consumer may keep an answer.
_CACHE_AGE = 3600
_LARGEST = 10_000
_JSON = "json"


class _OEmbedArgs(Query):
    url = Text(required=True)
    maxwidth = Count(validate=in_range(1, _LARGEST))
    maxheight = Count(validate=in_range(1, _LARGEST))


_ARGS = _OEmbedArgs()


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """What is shown of a page, and how high that wants to be."""

    title: str
    embed: Embed
    height: int = _HEIGHT


@dataclass(kw_only=True)
class _OEmbedDocument(Document):
    """The answer to a consumer's query."""

    asked: dict[str, Any]
    media_type: str = "application/json"
    frame: _Frame = field(init=False)

    def find(self, snapshot: Snapshot, /) -> None:
        self.frame = _frame_of(snapshot.session, self.asked["url"])

    def render(self, _snapshot: Snapshot, _earlier: Origin | None, /) -> Rendered:
        return Rendered(orjson.dumps(_answer(self.frame, self.asked)))


@embeds.get("/oembed")
@feed
def oembed() -> Response:
    """Answer which frame shows the page at `url`: the listing with its filters, an event's talks, or one talk."""
    if request.args.get("format", _JSON).lower() != _JSON:
        raise NoSuchFormat("Only format=json is spoken here.")
    # Consumers add parameters of their own.
    asked: dict[str, Any] = load_query(_ARGS, request.args, unknown="ignore")
    return serve_cached(_OEmbedDocument(asked=asked))


def _answer(frame: _Frame, asked: dict[str, Any]) -> dict[str, Any]:
    width = min(_WIDTH, asked.get("maxwidth", _WIDTH))
    height = min(frame.height, asked.get("maxheight", frame.height))
    return {
        "type": "rich",
        "version": "1.0",
        "title": frame.title,
        "provider_name": settings().name,
        "provider_url": links().home(),
        "cache_age": _CACHE_AGE,
        "html": iframe(f"{links().base}{frame.embed.path}", title=frame.title, width=str(width), height=str(height)),
        "width": width,
        "height": height,
    }


def _frame_of(session: Session, url: str) -> _Frame:
    """Return what is shown of the page at an address. Raises NotFound for what is not ours or not public."""
    path, query = _ours(url)
    lang = chosen_language(query)
    match path:
        case []:
            return _listing(query, lang)
        case ["events", slug] | ["events", slug, "schedule"]:
            event = get_event(session, slug, VISITOR)
            only = Filter(events=(event.slug,))
            embed = Embed(filter=only, paging=Paging(LARGEST_LIMIT), show=Show.TALKS, lang=lang)
            return _Frame(title=event.title, embed=embed)
        case ["talks", talk_id]:
            talk = get_talk(session, talk_id, VISITOR)
            return _Frame(title=talk.title, embed=Embed(talk=talk.id, lang=lang), height=_HEIGHT_OF_ONE)
    raise NotFound(Sentence("There is nothing at this address that could be shown elsewhere."))


def _listing(query: MultiDict[str, str], lang: str) -> _Frame:
    wanted = read_wanted(typed_in(query))
    # As the page does where it names no days.
    upcoming = wanted.filter.from_day is None and wanted.filter.to_day is None
    embed = Embed(filter=wanted.filter, sort=wanted.sort, show=wanted.show, upcoming=upcoming, lang=lang)
    return _Frame(title=settings().name, embed=embed)


def _ours(url: str) -> tuple[list[str], MultiDict[str, str]]:
    """Return the steps of a path of ours, and the query. Raises NotFound for other people's addresses."""
    base = urlsplit(links().base)
    try:
        there = urlsplit(url)
    except ValueError as error:
        raise NotFound(Sentence("This is no address.")) from error
    ours = there.scheme in {"http", "https"} and there.netloc.lower() == base.netloc.lower()
    if not ours or not f"{there.path}/".startswith(f"{base.path}/"):
        raise NotFound(Sentence("This address is none of this calendar's."))
    steps = [unquote(step) for step in there.path[len(base.path) :].strip("/").split("/") if step]
    if not all(re.fullmatch(Segment.regex, step) for step in steps):
        raise NotFound(Sentence("There is nothing at this address."))
    return steps, MultiDict(parse_qsl(there.query, keep_blank_values=True))
