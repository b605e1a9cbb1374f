"""What each feed's path stands for: which entries, and what is said above them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from eventcal.feeds.entries.entry import EntryKind, FeedHead
from eventcal.feeds.feed import Feed, windowed
from eventcal.feeds.feed_titles import get_event_heading, get_talk_heading
from eventcal.kit.markdown import to_plain
from eventcal.kit.refusals import Gone, NotFound, Sentence
from eventcal.members.caller import VISITOR
from eventcal.members.models import PersonalFeed
from eventcal.members.queries import find_feed_by_secret
from eventcal.speakers.service import get_speaker
from eventcal.talks.queries import agenda_ids
from eventcal.web.http.conditional import PRIVATE, PUBLIC
from eventcal.web.params.listing_filters import Asked, Include
from eventcal.web.request.context import links, settings

_KINDS: Mapping[Include, frozenset[EntryKind]] = {
    Include.EVENTS: frozenset({EntryKind.EVENT}),
    Include.TALKS: frozenset({EntryKind.TALK}),
    Include.DEADLINES: frozenset({EntryKind.OPENING, EntryKind.CLOSING}),
}
_USUAL = (Include.EVENTS, Include.TALKS)


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A feed at a URL: which entries, what stands above them, what a download is called, and who may keep it.

    `path` has no suffix; for a secret one it is where its owner sees it. `dated` says that the public data and the day
    decide on it alone, so that it has a Last-Modified.
    """

    feed: Feed
    path: str
    name: str
    about: str
    zone: str
    page: str
    filename: str
    cache_control: str = PUBLIC
    dated: bool = True

    @property
    def secret(self) -> bool:
        """Say whether its address is its owner's alone."""
        return self.cache_control == PRIVATE


def whole_calendar(_session: Session, asked: Asked, moment: datetime) -> Subscription:
    """Serve all public events and talks, from 30 days back to 400 days ahead unless told otherwise."""
    feed = _feed(replace(asked, filter=windowed(asked.filter, now=moment)))
    return Subscription(
        feed=feed,
        path="/calendar",
        name=settings().name,
        about="Events and talks.",
        zone="UTC",
        page=links().home(),
        filename="calendar",
    )


def calendar_news(session: Session, asked: Asked, moment: datetime) -> Subscription:
    """Return the calendar without its usual days: what was announced last may take place at any time."""
    return replace(whole_calendar(session, asked, moment), feed=_feed(asked))


def deadlines(_session: Session, asked: Asked, _moment: datetime) -> Subscription:
    """Serve when calls for talks open and close."""
    feed = _feed(replace(asked, include=asked.include or (Include.DEADLINES,)))
    return Subscription(
        feed=feed,
        path="/deadlines",
        name=f"{settings().name}: calls for talks",
        about="When calls for talks open and close.",
        zone="UTC",
        page=links().home(),
        filename="deadlines",
    )


def one_event(session: Session, asked: Asked, _moment: datetime, *, slug: str) -> Subscription:
    """Serve an event and its talks, whole."""
    event = get_event_heading(session, slug)
    return Subscription(
        feed=_feed(replace(asked, filter=replace(asked.filter, events=_only(slug, asked.filter.events)))),
        path=f"/events/{slug}",
        name=event.title,
        about=to_plain(event.summary or "") or f"{event.title} and its talks.",
        zone=event.timezone,
        page=links().event_page(slug),
        filename=slug,
    )


def one_talk(session: Session, asked: Asked, _moment: datetime, *, talk_id: str) -> Subscription:
    """Serve one talk, whether it has its time or waits for it."""
    talk = get_talk_heading(session, talk_id)
    only = _feed(replace(asked, include=asked.include or (Include.TALKS,)), unscheduled=True)
    return Subscription(
        feed=replace(only, kinds=only.kinds & _KINDS[Include.TALKS], only=frozenset({talk_id})),
        path=f"/talks/{talk_id}",
        name=talk.title,
        about=f"A talk at {talk.event_title}.",
        zone=talk.timezone,
        page=links().talk_page(talk_id),
        filename=f"talk-{talk_id}",
    )


def one_speaker(session: Session, asked: Asked, _moment: datetime, *, slug: str) -> Subscription:
    """Serve a speaker's talks, with and without times."""
    speaker = get_speaker(session, slug, VISITOR)
    narrowed = replace(asked.filter, speakers=_only(speaker.slug, asked.filter.speakers))
    feed = _feed(replace(asked, filter=narrowed), unscheduled=True)
    return Subscription(
        feed=replace(feed, kinds=feed.kinds & _KINDS[Include.TALKS]),
        path=f"/speakers/{speaker.slug}",
        name=speaker.name,
        about=f"Talks by {speaker.name}.",
        zone="UTC",
        page=links().speaker_page(speaker.slug),
        filename=speaker.slug,
    )


def one_agenda(session: Session, asked: Asked, _moment: datetime, *, secret: str) -> Subscription:
    """Serve a member's stars and own public talks, to whoever holds the secret."""
    found = get_personal_feed(session, secret)
    check_works(found)
    feed = _feed(asked, unscheduled=True)
    return Subscription(
        feed=replace(
            feed,
            kinds=feed.kinds & _KINDS[Include.TALKS],
            only=frozenset(agenda_ids(session, found.member_id or "")),
        ),
        path=f"/me/feeds/{found.id}",
        name=found.name,
        about="My talks and stars.",
        zone="UTC",
        page=links().home(),
        filename="my-talks",
        cache_control=PRIVATE,
        # A star that was taken back leaves no date.
        dated=False,
    )


def get_personal_feed(session: Session, secret: str) -> PersonalFeed:
    """Return the secret feed of an address, a revoked one too. Raises NotFound where there never was one."""
    found = find_feed_by_secret(session, secret)
    if found is None:
        raise NotFound(Sentence("There is no such feed."))
    return found


def check_works(found: PersonalFeed) -> None:
    """Refuse a feed that was revoked, or whose member left (Gone)."""
    if found.revoked_at is not None or found.member_id is None:
        raise Gone(Sentence("This feed was revoked; make a new one for this device."))


def _feed(asked: Asked, *, unscheduled: bool = False) -> Feed:
    """Return what is asked for; talks without times stay out unless the feed is one that has them."""
    scheduled = asked.filter.scheduled
    if scheduled is None and not unscheduled:
        scheduled = True
    kinds = frozenset[EntryKind]().union(*(_KINDS[one] for one in asked.include or _USUAL))
    return Feed(asked=replace(asked.filter, scheduled=scheduled), kinds=kinds, cancelled=asked.cancelled)


def _only(one: str, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return what to ask for within the feed of one event or speaker: where others are wanted, nothing fits."""
    return (one,) if one in wanted or not wanted else ("",)


def head_of(subscription: Subscription, query: str, *, suffix: str) -> FeedHead:
    """Return what stands above the entries; the feed's own UID, the same in all formats, follows from its path.

    `query` is the canonical one, `suffix` that of the format.
    """
    asked = f"?{query}" if query else ""
    digest = hashlib.blake2b(f"{subscription.path}.ics{asked}".encode(), digest_size=8).hexdigest()
    source = f"{settings().base_url}{subscription.path}.{suffix}{asked}"
    return FeedHead(
        uid=f"feed-{digest}@{settings().domain}",
        name=subscription.name,
        description=subscription.about,
        zone=subscription.zone,
        url=subscription.page,
        # The secret is nowhere in the body: calendars are forwarded, exported and synchronised.
        source=None if subscription.secret else source,
        changed_at=None,
    )
