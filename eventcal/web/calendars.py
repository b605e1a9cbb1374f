"""The .ics feeds: a path and a query become a Feed, and a Feed's version or bytes the answer."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter
from eventcal.events.queries import get_event
from eventcal.feeds.feed import Feed, assemble, version_of, windowed
from eventcal.feeds.ics import FeedHead
from eventcal.feeds.ledger import state_of
from eventcal.kit.refusals import Gone, NotFound
from eventcal.members.caller import VISITOR
from eventcal.members.queries import find_feed_by_secret
from eventcal.speakers.queries import get_speaker
from eventcal.talks.queries import agenda_ids, get_talk
from eventcal.web.access import feed as for_everybody
from eventcal.web.conditional import PRIVATE, PUBLIC, Rendition, RenditionKey, Version, serve, unchanged
from eventcal.web.filters import Asked, Include, read_feed
from eventcal.web.work import house, links, now, reading, settings

calendars = Blueprint("calendars", __name__)

MEDIA_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A feed at a URL: what it is asked for, what stands above it, and who may keep it."""

    feed: Feed
    head: FeedHead
    filename: str
    cache_control: str = PUBLIC


@calendars.get("/calendar.ics")
@for_everybody
def whole_calendar() -> Response:
    """Serve all public events and talks, from 30 days back to 400 days ahead unless told otherwise."""

    def subscribe(session: Session, asked: Asked) -> Subscription:
        del session
        feed = _feed(replace(asked, filter=windowed(asked.filter, now=now())))
        head = _head(settings().name, "Events and talks.", zone="UTC", url=links().home(), path="/calendar.ics")
        return Subscription(feed=feed, head=head, filename="calendar.ics")

    return _serve(subscribe)


@calendars.get("/events/<slug>.ics")
@for_everybody
def event_calendar(slug: str) -> Response:
    """Serve an event and its talks, whole."""

    def subscribe(session: Session, asked: Asked) -> Subscription:
        event = get_event(session, slug, VISITOR)
        feed = _feed(_narrowed(asked, events=(slug,)))
        about = event.summary or f"{event.title} and its talks."
        head = _head(event.title, about, zone=event.timezone, url=links().event_page(slug), path=f"/events/{slug}.ics")
        return Subscription(feed=feed, head=head, filename=f"{slug}.ics")

    return _serve(subscribe)


@calendars.get("/talks/<talk_id>.ics")
@for_everybody
def talk_calendar(talk_id: str) -> Response:
    """Serve one talk, whether it has its time or waits for it."""

    def subscribe(session: Session, asked: Asked) -> Subscription:
        talk = get_talk(session, talk_id, VISITOR)
        feed = replace(_feed(asked, unscheduled=True), events=False, talks_only_of=frozenset({talk.id}))
        path, zone = f"/talks/{talk_id}.ics", talk.event.timezone
        head = _head(talk.title, f"A talk at {talk.event.title}.", zone=zone, url=links().talk_page(talk_id), path=path)
        return Subscription(feed=feed, head=head, filename=f"talk-{talk_id}.ics")

    return _serve(subscribe)


@calendars.get("/speakers/<slug>.ics")
@for_everybody
def speaker_calendar(slug: str) -> Response:
    """Serve a speaker's talks, with and without times."""

    def subscribe(session: Session, asked: Asked) -> Subscription:
        speaker = get_speaker(session, slug, VISITOR)
        feed = replace(_feed(_narrowed(asked, speakers=(speaker.slug,)), unscheduled=True), events=False)
        page = links().speaker_page(speaker.slug)
        head = _head(speaker.name, f"Talks by {speaker.name}.", zone="UTC", url=page, path=f"/speakers/{slug}.ics")
        return Subscription(feed=feed, head=head, filename=f"{speaker.slug}.ics")

    return _serve(subscribe)


@calendars.get("/feeds/<secret>.ics")
@for_everybody
def personal_calendar(secret: str) -> Response:
    """Serve a member's stars and own public talks, to whoever holds the secret."""

    def subscribe(session: Session, asked: Asked) -> Subscription:
        found = find_feed_by_secret(session, secret)
        if found is None:
            raise NotFound("There is no such feed.")
        if found.revoked_at is not None or found.member_id is None:
            raise Gone("This feed was revoked; make a new one for this device.")
        ids = frozenset(agenda_ids(session, found.member_id))
        feed = replace(_feed(asked, unscheduled=True), events=False, talks_only_of=ids)
        # The secret is nowhere in the body: calendars are forwarded, exported and synchronised.
        head = _head(found.name, "My talks and stars.", zone="UTC", url=links().home(), path="/calendar.ics")
        return Subscription(feed=feed, head=head, filename="my-talks.ics", cache_control=PRIVATE)

    return _serve(subscribe, kept=False)


def _serve(subscribe: Callable[[Session, Asked], Subscription], *, kept: bool = True) -> Response:
    """Answer from what is kept for this URL, else by its version, else with its bytes.

    One statement tells whether anything public changed since this URL was last answered; where it did not, or
    only elsewhere, no entry is read.
    """
    asked = read_feed(request.args)
    moment = now()
    renditions = house().renditions
    kept = kept and not asked.filter.call_open
    with reading() as session:
        state = state_of(session)
        key = RenditionKey(request.full_path, state.revision, moment.astimezone(UTC).date())
        rendition = renditions.get(key) if kept else None
        if rendition is None:
            rendition = _render(session, subscribe(session, asked), moment, state.changed_at)
            if isinstance(rendition, Response):
                return rendition
            if kept:
                renditions.put(key, rendition)
    return serve(rendition, request, moment)


def _render(
    session: Session, subscription: Subscription, moment: datetime, changed_at: datetime
) -> Rendition | Response:
    """Return the feed's bytes, or a 304 where its version alone shows that the caller has them."""
    head = subscription.head
    names = hashlib.blake2b(repr(head).encode(), digest_size=8).hexdigest()
    renderer = f"{house().ledger.renderer} {names}"
    midnight = datetime.combine(moment.astimezone(UTC).date(), time(), tzinfo=UTC)
    version = Version(
        etag=version_of(session, subscription.feed, renderer=renderer, now=moment),
        last_modified=max(changed_at, midnight),
        cache_control=subscription.cache_control,
    )
    same = unchanged(version, request, moment)
    if same is not None:
        return same
    return Rendition(
        body=assemble(session, subscription.feed, head, now=moment),
        media_type=MEDIA_TYPE,
        etag=version.etag,
        last_modified=version.last_modified,
        cache_control=version.cache_control,
        filename=subscription.filename,
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


def _narrowed(asked: Asked, **names: tuple[str, ...]) -> Asked:
    narrowed: Filter = replace(asked.filter, **names)  # type: ignore[arg-type]  # only names of tuples are given
    return replace(asked, filter=narrowed)


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
