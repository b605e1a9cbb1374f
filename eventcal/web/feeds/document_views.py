"""The feeds that are written in one go: Atom, and an event's programme as schedule.xml and schedule.json."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from functools import partial

from flask import Blueprint
from sqlalchemy.orm import Session

from eventcal import __version__
from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.feed import Feed, newest_rows, rows_of, settled
from eventcal.feeds.format_registry import COLUMNS, PLAIN, Options, kept_entry
from eventcal.feeds.formats import atom
from eventcal.feeds.frab.json_format import JSON_MEDIA_TYPE, schedule_json
from eventcal.feeds.frab.schedule_model import Programme
from eventcal.feeds.frab.xml import XML_MEDIA_TYPE, schedule_xml
from eventcal.feeds.index.models import LedgerEntry
from eventcal.feeds.index.state import State
from eventcal.kit.markdown import to_plain
from eventcal.members.caller import VISITOR
from eventcal.web.feeds import definitions
from eventcal.web.feeds.definitions import Subscription, head_of
from eventcal.web.feeds.endpoint import offered
from eventcal.web.http.conditional import etag_of
from eventcal.web.http.representation import Origin
from eventcal.web.identity.permissions import feed as for_everybody
from eventcal.web.params.listing_filters import Asked, canonical_query
from eventcal.web.request.context import links, settings
from eventcal.web.serving.cached_document import Document, Find, Made

documents = Blueprint("documents", __name__)

# What a reader of news is told of at most.
_MOST_NEWS = 100
_ENTRIES = COLUMNS[LedgerEntry.entry]

# Writes what is asked for at a moment, given what the path names.
Write = Callable[..., bytes]


def _offer(rule: str, write: Write, *, media_type: str) -> None:
    """Serve what `write` writes, for anybody to keep, at a rule whose last part names it."""

    def make_find(asked: Asked, **named: str) -> Find:
        def make(session: Session, _state: State, _earlier: Origin | None, *, moment: datetime) -> Made:
            body = write(session, asked, moment, **named)
            return Made(version=etag_of(body), body=body)

        def find(_session: Session, moment: datetime) -> Document:
            return Document(
                make=partial(make, moment=moment),
                media_type=media_type,
                filename=_filename(rule, **named),
                dated=not asked.filter.call_open,
            )

        return find

    view = offered(make_find, media_type=media_type, says=write.__doc__)
    documents.add_url_rule(rule, write.__name__, for_everybody(view))


def _filename(rule: str, slug: str = "") -> str:
    """Return "calendar.atom", "summit.atom" or "summit-schedule.xml"."""
    return rule.replace("/events/", "").replace("<slug>", slug).strip("/").replace("/", "-")


def calendar_news(session: Session, asked: Asked, moment: datetime) -> bytes:
    """Serve what was announced and changed last."""
    calendar = definitions.whole_calendar(session, asked, moment)
    # News are news, on whatever days.
    everything = replace(calendar.feed, asked=replace(asked.filter, scheduled=calendar.feed.asked.scheduled))
    return _news(session, replace(calendar, feed=everything), asked, moment)


def event_news(session: Session, asked: Asked, moment: datetime, *, slug: str) -> bytes:
    """Serve what was announced and changed last of an event and its talks."""
    return _news(session, definitions.one_event(session, asked, moment, slug=slug), asked, moment)


def _news(session: Session, subscription: Subscription, asked: Asked, moment: datetime) -> bytes:
    rows = newest_rows(session, settled(session, subscription.feed), _ENTRIES, limit=_MOST_NEWS, now=moment)
    entries = [kept_entry(row, _options(asked)) for row in rows]
    changed_at = max((kept.stamps.changed_at for kept in entries), default=None)
    head = replace(head_of(subscription, canonical_query(asked), suffix="atom"), changed_at=changed_at)
    return atom.atom_feed(
        head, entries, self_url=head.source or "", author=settings().name, generated_version=__version__
    )


def programme_xml(session: Session, asked: Asked, moment: datetime, *, slug: str) -> bytes:
    """Serve an event's programme as frab's XML."""
    return schedule_xml(_programme(session, asked, moment, slug=slug))


def programme_json(session: Session, asked: Asked, moment: datetime, *, slug: str) -> bytes:
    """Serve an event's programme as the JSON of the same family."""
    return schedule_json(_programme(session, asked, moment, slug=slug))


def _programme(session: Session, asked: Asked, moment: datetime, *, slug: str) -> Programme:
    event = get_event(session, slug, VISITOR)
    feed = definitions.one_event(session, asked, moment, slug=slug).feed
    return _programme_of(session, event, replace(feed, kinds=feed.kinds & {EntryKind.TALK}), now=moment)


def _programme_of(session: Session, event: Event, talks: Feed, *, now: datetime) -> Programme:
    rows = rows_of(session, talks, _ENTRIES, now=now)
    entries = [kept_entry(row, PLAIN) for row in sorted(rows, key=lambda row: (row.first_day, row.uid))]
    return Programme(
        slug=event.slug,
        title=event.title,
        description=to_plain(event.summary or ""),
        url=links().event_page(event.slug),
        zone=event.timezone,
        first_day=date.fromisoformat(event.first_day),
        last_day=date.fromisoformat(event.last_day),
        rooms=tuple(room.name for room in event.rooms),
        tracks=tuple((track.name, track.colour) for track in event.tracks),
        base_url=settings().base_url,
        talks=tuple(entries),
        changed_at=max([event.updated_at, *(kept.stamps.changed_at for kept in entries)]),
    )


def _options(asked: Asked) -> Options:
    return Options(cancelled=asked.cancelled, utc=asked.utc)


_offer("/calendar.atom", calendar_news, media_type=atom.MEDIA_TYPE)
_offer("/events/<slug>.atom", event_news, media_type=atom.MEDIA_TYPE)
_offer("/events/<slug>/schedule.xml", programme_xml, media_type=XML_MEDIA_TYPE)
_offer("/events/<slug>/schedule.json", programme_json, media_type=JSON_MEDIA_TYPE)
