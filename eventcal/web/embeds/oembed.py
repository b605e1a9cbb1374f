"""The oEmbed 1.0 endpoint, which returns an iframe for the URL of a page."""

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
from eventcal.kit.errors import Message, NotFound
from eventcal.kit.pagination import MAX_LIMIT, PageRequest
from eventcal.members.caller import ANONYMOUS
from eventcal.talks.queries import get_talk
from eventcal.web.documents import Document, RenderedBody, Snapshot, serve_cached
from eventcal.web.embeds.listing import EmbedQuery, embeds, render_iframe
from eventcal.web.http.representation import RenderSource
from eventcal.web.http.url_converters import SegmentConverter
from eventcal.web.identity.permissions import anonymous
from eventcal.web.params.fields import IntegerParam, LineParam, QuerySchema, in_range, language_arg_or_empty, load_query
from eventcal.web.params.listing_query import ItemKind, parse_listing_page_query, parse_raw_query
from eventcal.web.request.context import links, settings

_WIDTH, _HEIGHT, _HEIGHT_OF_ONE = 640, 480, 220
_MAX_SIZE = 10_000


class _OEmbedQuerySchema(QuerySchema):
    url = LineParam(required=True)
    maxwidth = IntegerParam(validate=in_range(1, _MAX_SIZE))
    maxheight = IntegerParam(validate=in_range(1, _MAX_SIZE))


_QUERY_SCHEMA = _OEmbedQuerySchema()


@dataclass(kw_only=True)
class _OEmbedDocument(Document):
    query: Mapping[str, Any]
    media_type: str = "application/json"
    title: str = field(init=False)
    embed: EmbedQuery = field(init=False)

    def load(self, snapshot: Snapshot, /) -> None:
        self.title, self.embed = _title_and_embed_of_page(snapshot.session, self.query["url"])

    def render(self, _snapshot: Snapshot, _previous_source: RenderSource | None, /) -> RenderedBody:
        width = min(_WIDTH, self.query.get("maxwidth", _WIDTH))
        wanted = _HEIGHT if self.embed.talk is None else _HEIGHT_OF_ONE
        height = min(wanted, self.query.get("maxheight", wanted))
        url = f"{links().base}{self.embed.iframe_path}"
        answer = {
            "type": "rich",
            "version": "1.0",
            "title": self.title,
            "provider_name": settings().name,
            "provider_url": links().home(),
            "cache_age": 3600,  # seconds
            "html": render_iframe(url, title=self.title, width=str(width), height=str(height)),
            "width": width,
            "height": height,
        }
        return RenderedBody(orjson.dumps(answer))


@embeds.get("/oembed")
@anonymous
def oembed() -> Response:
    """Return the iframe of an embed that has the same content as the page at `url`."""
    if request.args.get("format", "json").lower() != "json":
        raise NoSuchFormat("Only format=json is supported.")
    # Unknown parameters are ignored, because oEmbed consumers can send additional parameters.
    return serve_cached(_OEmbedDocument(query=load_query(_QUERY_SCHEMA, request.args, unknown="ignore")))


def _title_and_embed_of_page(session: Session, url: str) -> tuple[str, EmbedQuery]:
    """Return the title of the page at a URL, and the embed with the same content. Raises NotFound or Invalid."""
    path, query = _parse_site_url(url)
    lang = language_arg_or_empty(query)
    match path:
        case []:
            wanted = parse_listing_page_query(parse_raw_query(query))
            # The embed and the listing page show upcoming items if the query string specifies no dates.
            upcoming = wanted.filter.from_day is None and wanted.filter.to_day is None
            embed = EmbedQuery(filter=wanted.filter, sort=wanted.sort, show=wanted.show, upcoming=upcoming, lang=lang)
            return settings().name, embed
        case ["events", slug] | ["events", slug, "schedule"]:
            event = get_event(session, slug, ANONYMOUS)
            only = Filter(events=(event.slug,))
            return event.title, EmbedQuery(filter=only, paging=PageRequest(MAX_LIMIT), show=ItemKind.TALKS, lang=lang)
        case ["talks", talk_id]:
            talk = get_talk(session, talk_id, ANONYMOUS)
            return talk.title, EmbedQuery(talk=talk.id, lang=lang)
    raise NotFound(Message("The page at this URL cannot be embedded."))


def _parse_site_url(url: str) -> tuple[list[str], MultiDict[str, str]]:
    """Return the path segments and query parameters of a URL. Raises NotFound if the URL is not on this site."""
    base = urlsplit(links().base)
    try:
        there = urlsplit(url)
    except ValueError as error:
        raise NotFound(Message("This is not a URL.")) from error
    ours = there.scheme in {"http", "https"} and there.netloc.lower() == base.netloc.lower()
    if not ours or not f"{there.path}/".startswith(f"{base.path}/"):
        raise NotFound(Message("This URL does not belong to this calendar."))
    steps = [unquote(step) for step in there.path[len(base.path) :].strip("/").split("/") if step]
    if not all(re.fullmatch(SegmentConverter.regex, step) for step in steps):
        raise NotFound(Message("There is no resource at this URL."))
    return steps, MultiDict(parse_qsl(there.query, keep_blank_values=True))
