"""Feed definitions: the entries and the metadata of the feed at each path."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.feed import Feed, with_window
from eventcal.feeds.feed_titles import get_event_title, get_talk_title
from eventcal.kit.markdown import to_plain_text
from eventcal.kit.refusals import Gone, Message, NotFound
from eventcal.members.caller import ANONYMOUS
from eventcal.members.models import PersonalFeed
from eventcal.members.service import find_personal_feed_by_secret
from eventcal.speakers.service import get_speaker
from eventcal.talks.queries import starred_and_own_talk_ids
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
    """The feed at a URL: its entries, its metadata and the file name for downloads.

    path: the path without the suffix; for a personal feed, the path of its page, which does not contain the secret.
    page: the URL of the web page with the same content; by default the home page.
    secret: whether it is a personal feed. Then its content depends on more than the public data and the day.
    """

    feed: Feed
    path: str
    name: str
    about: str
    filename: str
    zone: str = "UTC"
    page: str | None = None
    secret: bool = False


def whole_calendar(_session: Session, asked: Asked, moment: datetime) -> Subscription:
    """Serve all public events and talks, by default from 30 days ago to 400 days ahead."""
    return Subscription(
        feed=_feed(replace(asked, filter=with_window(asked.filter, now=moment))),
        path="/calendar",
        name=settings().name,
        about="Events and talks.",
        filename="calendar",
    )


def calendar_news(session: Session, asked: Asked, moment: datetime) -> Subscription:
    """Return the calendar without its default period: a recently announced event may take place at any time."""
    return replace(whole_calendar(session, asked, moment), feed=_feed(asked))


def deadlines(_session: Session, asked: Asked, _moment: datetime) -> Subscription:
    """Serve the opening and closing times of calls for talks."""
    return Subscription(
        feed=_feed(asked, usual=(Include.DEADLINES,)),
        path="/deadlines",
        name=f"{settings().name}: calls for talks",
        about="When calls for talks open and close.",
        filename="deadlines",
    )


def one_event(session: Session, asked: Asked, _moment: datetime, *, slug: str) -> Subscription:
    """Serve an event and its talks, regardless of the date."""
    event = get_event_title(session, slug)
    return Subscription(
        feed=_feed(replace(asked, filter=replace(asked.filter, events=_only(slug, asked.filter.events)))),
        path=f"/events/{slug}",
        name=event.title,
        about=to_plain_text(event.summary or "") or f"{event.title} and its talks.",
        zone=event.timezone,
        page=links().event_page(slug),
        filename=slug,
    )


def one_talk(session: Session, asked: Asked, _moment: datetime, *, talk_id: str) -> Subscription:
    """Serve a talk, whether or not it has been scheduled."""
    talk = get_talk_title(session, talk_id)
    return Subscription(
        feed=replace(_talk_feed(asked), talk_ids=frozenset({talk_id})),
        path=f"/talks/{talk_id}",
        name=talk.title,
        about=f"A talk at {talk.event_title}.",
        zone=talk.timezone,
        page=links().talk_page(talk_id),
        filename=f"talk-{talk_id}",
    )


def one_speaker(session: Session, asked: Asked, _moment: datetime, *, slug: str) -> Subscription:
    """Serve a speaker's talks, including unscheduled ones."""
    speaker = get_speaker(session, slug, ANONYMOUS)
    narrowed = replace(asked.filter, speakers=_only(speaker.slug, asked.filter.speakers))
    return Subscription(
        feed=_talk_feed(replace(asked, filter=narrowed)),
        path=f"/speakers/{speaker.slug}",
        name=speaker.name,
        about=f"Talks by {speaker.name}.",
        page=links().speaker_page(speaker.slug),
        filename=speaker.slug,
    )


def one_agenda(session: Session, asked: Asked, _moment: datetime, *, secret: str) -> Subscription:
    """Serve a member's starred talks and their own public talks. Anyone who knows the secret URL has access."""
    found = get_personal_feed(session, secret)
    check_works(found)
    return Subscription(
        feed=replace(_talk_feed(asked), talk_ids=frozenset(starred_and_own_talk_ids(session, found.member_id or ""))),
        path=f"/me/feeds/{found.id}",
        name=found.name,
        about="My talks and stars.",
        filename="my-talks",
        secret=True,
    )


def get_personal_feed(session: Session, secret: str) -> PersonalFeed:
    """Return the personal feed with this secret, even if it was revoked. Raises NotFound if there is none."""
    found = find_personal_feed_by_secret(session, secret)
    if found is None:
        raise NotFound(Message("There is no such feed."))
    return found


def check_works(found: PersonalFeed) -> None:
    """Raise Gone if the feed was revoked or the account of its member was deleted."""
    if found.revoked_at is not None or found.member_id is None:
        raise Gone(Message("This feed was revoked; make a new one for this device."))


def _feed(asked: Asked, *, usual: tuple[Include, ...] = _USUAL) -> Feed:
    """Return the requested feed, by default without unscheduled talks."""
    scheduled = True if asked.filter.scheduled is None else asked.filter.scheduled
    kinds = frozenset[EntryKind]().union(*(_KINDS[one] for one in asked.include or usual))
    return Feed(filters=replace(asked.filter, scheduled=scheduled), kinds=kinds, cancelled=asked.cancelled)


def _talk_feed(asked: Asked) -> Feed:
    """Return the requested feed, restricted to talks and including unscheduled ones."""
    feed = _feed(asked)
    return replace(feed, filters=asked.filter, kinds=feed.kinds & _KINDS[Include.TALKS])


def _only(one: str, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Restrict a filter to one event or speaker. If it names only others, the result matches nothing."""
    return (one,) if one in wanted or not wanted else ("",)
