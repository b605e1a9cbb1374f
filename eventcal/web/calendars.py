"""The .ics feeds: a path and a query become a Feed, and a Feed's version or bytes the answer."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from eventcal.events.queries import get_event
from eventcal.feeds.feed import Feed, assemble, version_of, windowed
from eventcal.feeds.ics import FeedHead
from eventcal.feeds.ledger import state_of
from eventcal.kit.database import Database
from eventcal.kit.markdown import to_plain
from eventcal.kit.refusals import Busy, Gone, NotFound
from eventcal.members.caller import VISITOR
from eventcal.members.models import PersonalFeed
from eventcal.members.queries import find_feed_by_secret
from eventcal.speakers.queries import get_speaker
from eventcal.talks.queries import agenda_ids, get_talk
from eventcal.web.access import feed as for_everybody
from eventcal.web.conditional import (
    PRIVATE,
    PUBLIC,
    Rendition,
    RenditionCache,
    RenditionKey,
    Version,
    serve,
    unchanged,
)
from eventcal.web.filters import Asked, Include, canonical_query, read_feed
from eventcal.web.work import house, links, now, reading, settings

calendars = Blueprint("calendars", __name__)

MEDIA_TYPE = "text/calendar; charset=utf-8"
# How exactly a member is told when a device of theirs last came: each note is a write.
_NOTED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A feed at a URL: what it is asked for, what stands above it, and who may keep it.

    `dated` says that the public data and the day decide on it alone, so that it has a Last-Modified.
    """

    feed: Feed
    head: FeedHead
    filename: str
    cache_control: str = PUBLIC
    dated: bool = True


# What is asked for at a moment, as a subscription; refuses what is not there.
Subscribe = Callable[[Session, Asked, datetime], Subscription]


@calendars.get("/calendar.ics")
@for_everybody
def whole_calendar() -> Response:
    """Serve all public events and talks, from 30 days back to 400 days ahead unless told otherwise."""

    def subscribe(session: Session, asked: Asked, moment: datetime) -> Subscription:
        del session
        feed = _feed(replace(asked, filter=windowed(asked.filter, now=moment)))
        about = "Events and talks."
        head = _head(settings().name, about, zone="UTC", url=links().home(), path=_path("/calendar.ics", asked))
        return Subscription(feed=feed, head=head, filename="calendar.ics", dated=not asked.filter.call_open)

    return _serve(subscribe)


@calendars.get("/events/<slug>.ics")
@for_everybody
def event_calendar(slug: str) -> Response:
    """Serve an event and its talks, whole."""

    def subscribe(session: Session, asked: Asked, moment: datetime) -> Subscription:
        del moment
        event = get_event(session, slug, VISITOR)
        feed = _feed(replace(asked, filter=replace(asked.filter, events=_only(slug, asked.filter.events))))
        about = to_plain(event.summary or "") or f"{event.title} and its talks."
        path = _path(f"/events/{slug}.ics", asked)
        head = _head(event.title, about, zone=event.timezone, url=links().event_page(slug), path=path)
        return Subscription(feed=feed, head=head, filename=f"{slug}.ics", dated=not asked.filter.call_open)

    return _serve(subscribe)


@calendars.get("/talks/<talk_id>.ics")
@for_everybody
def talk_calendar(talk_id: str) -> Response:
    """Serve one talk, whether it has its time or waits for it."""

    def subscribe(session: Session, asked: Asked, moment: datetime) -> Subscription:
        del moment
        talk = get_talk(session, talk_id, VISITOR)
        feed = replace(_feed(asked, unscheduled=True), events=False, talks_only_of=frozenset({talk.id}))
        about, path = f"A talk at {talk.event.title}.", _path(f"/talks/{talk_id}.ics", asked)
        head = _head(talk.title, about, zone=talk.event.timezone, url=links().talk_page(talk_id), path=path)
        filename = f"talk-{talk_id}.ics"
        return Subscription(feed=feed, head=head, filename=filename, dated=not asked.filter.call_open)

    return _serve(subscribe)


@calendars.get("/speakers/<slug>.ics")
@for_everybody
def speaker_calendar(slug: str) -> Response:
    """Serve a speaker's talks, with and without times."""

    def subscribe(session: Session, asked: Asked, moment: datetime) -> Subscription:
        del moment
        speaker = get_speaker(session, slug, VISITOR)
        narrowed = replace(asked.filter, speakers=_only(speaker.slug, asked.filter.speakers))
        feed = replace(_feed(replace(asked, filter=narrowed), unscheduled=True), events=False)
        page, path = links().speaker_page(speaker.slug), _path(f"/speakers/{speaker.slug}.ics", asked)
        head = _head(speaker.name, f"Talks by {speaker.name}.", zone="UTC", url=page, path=path)
        filename = f"{speaker.slug}.ics"
        return Subscription(feed=feed, head=head, filename=filename, dated=not asked.filter.call_open)

    return _serve(subscribe)


@calendars.get("/feeds/<secret>.ics")
@for_everybody
def personal_calendar(secret: str) -> Response:
    """Serve a member's stars and own public talks, to whoever holds the secret."""
    with reading() as session:
        found = _get_personal_feed(session, secret)

    def subscribe(session: Session, asked: Asked, moment: datetime) -> Subscription:
        del moment
        ids = frozenset(agenda_ids(session, found.member_id or ""))
        feed = replace(_feed(asked, unscheduled=True), events=False, talks_only_of=ids)
        # The secret is nowhere in the body: calendars are forwarded, exported and synchronised.
        path = _path(f"/me/feeds/{found.id}", asked)
        head = _head(found.name, "My talks and stars.", zone="UTC", url=links().home(), path=path)
        head = replace(head, source=None)
        # A star that was taken back leaves no date.
        return Subscription(feed=feed, head=head, filename="my-talks.ics", cache_control=PRIVATE, dated=False)

    answer = _serve(subscribe, kept=False)
    moment, database = now(), house().database
    if found.last_fetched_at is None or moment - found.last_fetched_at >= _NOTED_EVERY:
        # By then the device has its answer, so that no reader waits for those who write.
        answer.call_on_close(lambda: _note_fetch(database, found.id, moment))
    return answer


def _get_personal_feed(session: Session, secret: str) -> PersonalFeed:
    found = find_feed_by_secret(session, secret)
    if found is None:
        raise NotFound("There is no such feed.")
    if found.revoked_at is not None or found.member_id is None:
        raise Gone("This feed was revoked; make a new one for this device.")
    return found


def _note_fetch(database: Database, feed_id: str, moment: datetime) -> None:
    """Write down for its owner that a device came; where too much else is written, the next time will do."""
    with suppress(Busy), database.unit_of_work() as unit:
        unit.session.get_one(PersonalFeed, feed_id).last_fetched_at = moment


def _serve(subscribe: Subscribe, *, kept: bool = True) -> Response:
    """Answer from what is kept for this URL, else by its version, else with its bytes.

    One statement tells whether anything public changed since this URL was last answered; where it did not, or
    only elsewhere, no entry is read.
    """
    asked = read_feed(request.args)
    moment = now()
    cache = house().renditions if kept and not asked.filter.call_open else RenditionCache(0)
    with reading() as session:
        state = state_of(session)
        key = RenditionKey(request.full_path, state.revision, moment.astimezone(UTC).date())
        rendition = cache.get(key)
        if rendition is not None:
            return serve(rendition, request, moment)
        # The version alone, where whoever asked had the bytes already.
        bare = key._replace(url=f"version of {key.url}")
        known = cache.get(bare)
        same = unchanged(known.version, request, moment) if known is not None else None
        if same is not None:
            return same
        subscription = subscribe(session, asked, moment)
        version = _version(session, subscription, moment, state.changed_at)
        same = unchanged(version, request, moment)
        if same is not None:
            cache.put(bare, _bare(version))
            return same
        rendition = _render(session, subscription, version, moment)
        cache.put(key, rendition)
    return serve(rendition, request, moment)


def _version(session: Session, subscription: Subscription, moment: datetime, changed_at: datetime) -> Version:
    """Return what names the feed's bytes. Windows and tombstones move at midnight (UTC), and so the date too."""
    names = hashlib.blake2b(repr(subscription.head).encode(), digest_size=8).hexdigest()
    midnight = datetime.combine(moment.astimezone(UTC).date(), time(), tzinfo=UTC)
    return Version(
        etag=version_of(session, subscription.feed, renderer=f"{house().ledger.renderer} {names}", now=moment),
        last_modified=max(changed_at, midnight) if subscription.dated else None,
        cache_control=subscription.cache_control,
    )


def _render(session: Session, subscription: Subscription, version: Version, moment: datetime) -> Rendition:
    return replace(
        _bare(version),
        body=assemble(session, subscription.feed, subscription.head, now=moment),
        filename=subscription.filename,
    )


def _bare(version: Version) -> Rendition:
    """Return a version in the form in which it can be kept."""
    return Rendition(
        body=b"",
        media_type=MEDIA_TYPE,
        etag=version.etag,
        last_modified=version.last_modified,
        cache_control=version.cache_control,
    )


def _feed(asked: Asked, *, unscheduled: bool = False) -> Feed:
    """Return what is asked for; talks without times stay out unless the feed is one that has them."""
    include = asked.include or (Include.EVENTS, Include.TALKS)
    scheduled = asked.filter.scheduled
    if scheduled is None and not unscheduled:
        scheduled = True
    return Feed(
        asked=replace(asked.filter, scheduled=scheduled),
        events=Include.EVENTS in include,
        talks=Include.TALKS in include,
        cancelled=asked.cancelled,
        utc=asked.utc,
    )


def _only(one: str, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return what to ask for within the feed of one event or speaker: where others are wanted, nothing fits."""
    return (one,) if one in wanted or not wanted else ("",)


def _path(path: str, asked: Asked) -> str:
    """Return where a feed is found, with what it is asked for."""
    query = canonical_query(asked)
    return f"{path}?{query}" if query else path


def _head(name: str, about: str, *, zone: str, url: str, path: str) -> FeedHead:
    """Return what stands above the entries; the feed's own UID follows from its path and our domain."""
    digest = hashlib.blake2b(path.encode(), digest_size=8).hexdigest()
    return FeedHead(
        uid=f"feed-{digest}@{settings().domain}",
        name=name,
        description=about,
        zone=zone,
        url=url,
        source=settings().base_url + path,
        changed_at=None,
    )
