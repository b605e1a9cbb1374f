"""Feed definitions, which specify the entries and the metadata of the feed at each path."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.entry_selection import Feed, with_window
from eventcal.feeds.event_and_talk_titles import get_event_title, get_talk_title
from eventcal.kit.errors import Gone, Message, NotFound
from eventcal.kit.markdown import to_plain_text
from eventcal.members.caller import ANONYMOUS
from eventcal.members.models import PersonalFeed
from eventcal.members.service import find_personal_feed_by_secret
from eventcal.speakers.service import get_speaker
from eventcal.talks.queries import starred_and_own_talk_ids
from eventcal.web.params.listing_filters import FeedQuery, Include
from eventcal.web.request.context import links, settings

_KINDS: Mapping[Include, frozenset[EntryKind]] = {
    Include.EVENTS: frozenset({EntryKind.EVENT}),
    Include.TALKS: frozenset({EntryKind.TALK}),
    Include.DEADLINES: frozenset({EntryKind.OPENING, EntryKind.CLOSING}),
}
_DEFAULT_INCLUDE = (Include.EVENTS, Include.TALKS)


@dataclass(frozen=True, kw_only=True)
class FeedDefinition:
    """The entries and metadata of a feed. `path` contains neither a secret nor a suffix such as .ics.

    `page_url`: the URL of the web page with the same content, or None for the home page.
    `is_personal`: whether the content depends on a member, and not only on the public data and the day.
    """

    feed: Feed
    path: str
    name: str
    description: str
    filename: str
    timezone: str = "UTC"
    page_url: str | None = None
    is_personal: bool = False


def calendar_feed(_session: Session, query: FeedQuery, now: datetime) -> FeedDefinition:
    """Serve all public events and talks, by default from 30 days ago to 400 days ahead."""
    return FeedDefinition(
        feed=_build_feed(replace(query, filter=with_window(query.filter, now=now))),
        path="/calendar",
        name=settings().name,
        description="Events and talks.",
        filename="calendar",
    )


def news_feed(session: Session, query: FeedQuery, now: datetime) -> FeedDefinition:
    """Return the calendar feed without a default period, because newly announced events can take place at any time."""
    return replace(calendar_feed(session, query, now), feed=_build_feed(query))


def deadlines_feed(_session: Session, query: FeedQuery, _now: datetime) -> FeedDefinition:
    """Serve the opening and closing times of calls for talks."""
    return FeedDefinition(
        feed=_build_feed(query, default_include=(Include.DEADLINES,)),
        path="/deadlines",
        name=f"{settings().name}: calls for talks",
        description="When calls for talks open and close.",
        filename="deadlines",
    )


def event_feed(session: Session, query: FeedQuery, _now: datetime, *, slug: str) -> FeedDefinition:
    """Serve an event and its talks, regardless of their dates."""
    event = get_event_title(session, slug)
    return FeedDefinition(
        feed=_build_feed(replace(query, filter=replace(query.filter, events=_restrict_to(slug, query.filter.events)))),
        path=f"/events/{slug}",
        name=event.title,
        description=to_plain_text(event.summary or "") or f"{event.title} and its talks.",
        timezone=event.timezone,
        page_url=links().event_page(slug),
        filename=slug,
    )


def talk_feed(session: Session, query: FeedQuery, _now: datetime, *, talk_id: str) -> FeedDefinition:
    """Serve a talk, even if the talk is unscheduled."""
    talk = get_talk_title(session, talk_id)
    return FeedDefinition(
        feed=replace(_build_talk_feed(query), talk_ids=frozenset({talk_id})),
        path=f"/talks/{talk_id}",
        name=talk.title,
        description=f"A talk at {talk.event_title}.",
        timezone=talk.timezone,
        page_url=links().talk_page(talk_id),
        filename=f"talk-{talk_id}",
    )


def speaker_feed(session: Session, query: FeedQuery, _now: datetime, *, slug: str) -> FeedDefinition:
    """Serve a speaker's talks, including unscheduled talks."""
    speaker = get_speaker(session, slug, ANONYMOUS)
    narrowed = replace(query.filter, speakers=_restrict_to(speaker.slug, query.filter.speakers))
    return FeedDefinition(
        feed=_build_talk_feed(replace(query, filter=narrowed)),
        path=f"/speakers/{speaker.slug}",
        name=speaker.name,
        description=f"Talks by {speaker.name}.",
        page_url=links().speaker_page(speaker.slug),
        filename=speaker.slug,
    )


def personal_feed(session: Session, query: FeedQuery, _now: datetime, *, secret: str) -> FeedDefinition:
    """Serve a member's starred talks and own public talks. Anyone who knows the secret URL has access to the feed."""
    found = get_personal_feed(session, secret)
    check_feed_active(found)
    talk_ids = frozenset(starred_and_own_talk_ids(session, found.member_id or ""))
    return FeedDefinition(
        feed=replace(_build_talk_feed(query), talk_ids=talk_ids),
        path=f"/me/feeds/{found.id}",
        name=found.name,
        description="My talks and stars.",
        filename="my-talks",
        is_personal=True,
    )


def get_personal_feed(session: Session, secret: str) -> PersonalFeed:
    """Return the active or revoked personal feed with the given secret. Raises NotFound."""
    found = find_personal_feed_by_secret(session, secret)
    if found is None:
        raise NotFound(Message("Feed not found."))
    return found


def check_feed_active(feed: PersonalFeed) -> None:
    """Raise Gone if the feed was revoked or the member's account was deleted."""
    if feed.revoked_at is not None or feed.member_id is None:
        raise Gone(Message("This feed was revoked. Create a new one for this device."))


def _build_feed(query: FeedQuery, *, default_include: tuple[Include, ...] = _DEFAULT_INCLUDE) -> Feed:
    """Return the feed for a query string. By default, the feed excludes unscheduled talks."""
    scheduled = True if query.filter.scheduled is None else query.filter.scheduled
    kinds = frozenset[EntryKind]().union(*(_KINDS[one] for one in query.include or default_include))
    return Feed(filters=replace(query.filter, scheduled=scheduled), kinds=kinds, cancelled=query.cancelled)


def _build_talk_feed(query: FeedQuery) -> Feed:
    """Return a feed that contains only talks, by default including unscheduled talks."""
    feed = _build_feed(query)
    return replace(feed, filters=query.filter, kinds=feed.kinds & _KINDS[Include.TALKS])


def _restrict_to(value: str, requested: tuple[str, ...]) -> tuple[str, ...]:
    """Return a filter for `value`, or a filter that matches nothing if the request specifies only other values."""
    return (value,) if value in requested or not requested else ("",)
