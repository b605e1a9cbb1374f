"""Every feed endpoint: its URL rule, the document it serves, and its description in the OpenAPI document."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from eventcal.feeds.format_registry import CALENDARS, CSV, Format
from eventcal.feeds.formats import atom
from eventcal.feeds.frab.documents import JSON_MEDIA_TYPE, XML_MEDIA_TYPE, schedule_json, schedule_xml
from eventcal.web.feeds import definitions
from eventcal.web.feeds.feed_documents import AtomDocument, CalendarDocument, FeedDocument, ScheduleDocument, Subscribe
from eventcal.web.params.listing_filters import Asked


@dataclass(frozen=True, kw_only=True)
class FeedEndpoint:
    """A feed at a URL rule: the name of its endpoint, its media type, and what creates its document."""

    name: str
    rule: str
    media_type: str
    description: str
    create: Callable[..., FeedDocument]

    def document(self, asked: Asked, path_args: Mapping[str, str], *, counted: str | None = None) -> FeedDocument:
        """Return the document of a request; `counted` is the key that its fetches are counted under, if they are."""
        return self.create(media_type=self.media_type, asked=asked, path_args=path_args, counted=counted)


def _calendar(path: str, subscribe: Subscribe, formats: Iterable[Format]) -> Iterator[FeedEndpoint]:
    """Yield an endpoint for each format of a calendar, described by the docstring of `subscribe`."""
    for fmt in formats:
        yield FeedEndpoint(
            name=f"{subscribe.__name__}_{fmt.name}",
            rule=f"{path}.{fmt.name}",
            media_type=fmt.media_type,
            description=subscribe.__doc__ or "",
            create=partial(CalendarDocument, subscribe=subscribe, format=fmt, suffix=f".{fmt.name}"),
        )


CALENDAR_FEEDS = (
    *_calendar("/calendar", definitions.whole_calendar, [*CALENDARS, CSV]),
    *_calendar("/deadlines", definitions.deadlines, CALENDARS),
    *_calendar("/events/<slug>", definitions.one_event, CALENDARS),
    *_calendar("/talks/<talk_id>", definitions.one_talk, CALENDARS),
    *_calendar("/speakers/<slug>", definitions.one_speaker, CALENDARS),
)
PERSONAL_FEEDS = tuple(_calendar("/feeds/<secret>", definitions.one_agenda, CALENDARS))
OTHER_FEEDS = (
    FeedEndpoint(
        name="calendar_news",
        rule="/calendar.atom",
        media_type=atom.MEDIA_TYPE,
        description="Serve what was announced and changed last.",
        create=partial(AtomDocument, subscribe=definitions.calendar_news, suffix=".atom"),
    ),
    FeedEndpoint(
        name="event_news",
        rule="/events/<slug>.atom",
        media_type=atom.MEDIA_TYPE,
        description="Serve what was announced and changed last of an event and its talks.",
        create=partial(AtomDocument, subscribe=definitions.one_event, suffix=".atom"),
    ),
    FeedEndpoint(
        name="programme_xml",
        rule="/events/<slug>/schedule.xml",
        media_type=XML_MEDIA_TYPE,
        description="Serve an event's programme as frab's XML.",
        create=partial(ScheduleDocument, subscribe=definitions.one_event, suffix="-schedule.xml", write=schedule_xml),
    ),
    FeedEndpoint(
        name="programme_json",
        rule="/events/<slug>/schedule.json",
        media_type=JSON_MEDIA_TYPE,
        description="Serve an event's programme as the JSON of the same family.",
        create=partial(ScheduleDocument, subscribe=definitions.one_event, suffix="-schedule.json", write=schedule_json),
    ),
)
FEEDS: Mapping[str, FeedEndpoint] = {
    f"{blueprint}.{feed.name}": feed
    for blueprint, feeds in (("calendars", (*CALENDAR_FEEDS, *PERSONAL_FEEDS)), ("documents", OTHER_FEEDS))
    for feed in feeds
}
"""The endpoints by their names in the app."""
