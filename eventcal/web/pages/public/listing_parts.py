"""Code shared by the list and the month view: reading their resources, and the filters above them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import orjson
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import exclude_without_occurrence, public_events_by_slug
from eventcal.events.recurrence.occurrences import Occurrence, complete_day_range, occurrences_between
from eventcal.events.words import EventKind, EventStatus, TalkKind
from eventcal.feeds.resources import list_event_json, list_talk_json
from eventcal.kit.paging import MAX_LIMIT, Page, PageRequest, Row
from eventcal.kit.refusals import FieldError
from eventcal.web.i18n import translate_field_errors
from eventcal.web.params.listing_query import ItemKind, Layout, ListingPageQuery, RawQuery
from eventcal.web.rendering.dates import When, occurrence_when, rule_in_words, when
from eventcal.web.rendering.labels import kind_in_words, value_in_words, word_for
from eventcal.web.rendering.page import FeedLink
from eventcal.web.request.context import links, settings
from eventcal.web.schemas.out import Json

# The attributes of an event that `occurrences_between` reads and that its resource has under the same name.
_RECURRING = ("timezone", "starts", "ends", "recurrence", "recurrence_overrides", "title", "summary", "online_url")
# The number of occurrences shown for a recurring event.
_SHOWN = 3
# The maximum number of tags offered as filters.
_MOST_TAGS = 12
_IN_THE_FORM = frozenset({"q", "from", "to", "kind", "country", "city", "tag", "series", "cfp"})


@dataclass(frozen=True, kw_only=True)
class Found:
    """A page of event or talk resources, and the cursor of the next page.

    events: the events of talks by slug. countries: the countries of the resources, with repetitions.
    """

    items: Sequence[Json] = ()
    next: str | None = None
    events: Mapping[str, Event] = field(default_factory=dict)
    countries: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """The recurrence of an event as text, its next time, the status of that occurrence, and later times."""

    often: str
    next: When | None
    status: str
    later: tuple[When, ...]


def find_resources(
    session: Session, show: ItemKind, asked: Filter, *, sort: Sort, paging: PageRequest, moment: datetime
) -> Found:
    """Return a page of public events or talks as resources."""
    if show == ItemKind.EVENTS:
        page = list_event_json(
            session, exclude_without_occurrence(session, asked), sort=sort, paging=paging, now=moment
        )
        items = [orjson.loads(text) for text in page.items]
        countries = [item["location"]["country"] for item in items]
        return Found(items=items, next=page.next_cursor, countries=list(filter(None, countries)))
    page = list_talk_json(session, asked, sort=sort, paging=paging, now=moment)
    items = [orjson.loads(text) for text in page.items]
    events = public_events_by_slug(session, {item["event"] for item in items})
    countries = [events[item["event"]].country for item in items]
    return Found(items=items, next=page.next_cursor, events=events, countries=list(filter(None, countries)))


def repeats(event: Json, asked: Filter, moment: datetime) -> Repeats | None:
    """Return the next occurrences of a recurring event within the filter's days, or None if it does not recur."""
    if event["recurrence"] is None:
        return None
    first, last = complete_day_range(asked.from_day, asked.to_day) or (moment.astimezone(UTC).date(), None)
    found = occurrences_in(event, first, last, limit=_SHOWN)
    times = [said for one in found if (said := occurrence_when(one, event["timezone"]))]
    return Repeats(
        often=rule_in_words(event["recurrence"]) or _("Again and again"),
        next=times[0] if times else when(event, tzid=event["timezone"]),
        status=found[0].status.value if found else event["status"],
        later=tuple(times[1:]),
    )


def occurrences_in(event: Json, first: date, last: date | None, *, limit: int) -> list[Occurrence]:
    """Return the occurrences of an event that overlap these days, computed from its resource."""
    # This event is not added to a session; it is only read.
    series = Event(status=EventStatus(event["status"]), venue=event["location"]["venue"])
    for name in _RECURRING:
        setattr(series, name, event[name])
    return occurrences_between(series, first, last, limit=limit)


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link to a similar listing; `current` if it is the one displayed."""

    url: str
    label: str
    current: bool = False


def bar_of(typed: RawQuery, found: Found, faults: Iterable[FieldError] = ()) -> Mapping[str, object]:
    """Return the variables of pages/filters.html for the requested listing and the errors of its query.

    kinds: each kind with its name and whether it is selected. hidden: parameters without a field. wrong: the errors
    for the summary, each with the display name of the parameter and the id of its field. opened: whether a filter
    other than the search text is used. cleared: the URL of the listing without filters.
    """
    said = MultiDict(translate_field_errors(faults))
    search, inputs = _input(typed, "q", 0, said), list(_inputs(typed, said))
    ids = {"kind": "f-kind", "cfp": "f-cfp"} | {one["name"]: one["id"] for one in reversed([search, *inputs])}
    shown = ItemKind.TALKS if typed.get("show") == ItemKind.TALKS else ItemKind.EVENTS
    is_month, chosen = typed.get("view") == Layout.MONTH, typed.getlist("kind")
    kinds: list[str] = list(EventKind if shown == ItemKind.EVENTS else TalkKind)
    kinds += [kind for kind in chosen if kind not in kinds]
    return {
        "search": search,
        "inputs": inputs,
        "kinds": [(kind, kind_in_words(kind), kind in chosen) for kind in kinds],
        "kind_faults": said.getlist("kind"),
        "call_open": "open" in typed.getlist("cfp"),
        "hidden": [(name, value) for name, value in typed.with_params().pairs if name not in _IN_THE_FORM],
        "wrong": [(word_for(name), detail, ids.get(name)) for name, detail in said.items(multi=True)],
        "opened": any(name != "q" for name, _value in typed.filters),
        "views": [
            Link(url=typed.with_params(view=None, month=None).url, label=_("List"), current=not is_month),
            Link(url=typed.with_params(view=Layout.MONTH.value, sort=None).url, label=_("Month"), current=is_month),
        ],
        "shows": [
            Link(url=typed.for_kind(show).url, label=label, current=show == shown)
            for show, label in ((ItemKind.EVENTS, _("Events")), (ItemKind.TALKS, _("Talks")))
        ],
        "chips": [
            Link(
                url=typed.without_pairs((name, value)).url,
                label=_("%(name)s: %(value)s", name=word_for(name), value=value_in_words(name, value)),
            )
            for name, value in typed.filters
        ],
        "cleared": typed.without_pairs(*typed.filters).url,
        "offers": list(_offers(typed, found)),
    }


def feeds_of(wanted: ListingPageQuery) -> tuple[FeedLink, ...]:
    """Return the feeds with the selected events or talks."""
    name = settings().name
    kinds = (
        (".ics", "text/calendar", _("%(name)s: calendar of what is shown", name=name)),
        (".atom", "application/atom+xml", _("%(name)s: news of what is shown", name=name)),
        (".csv", "text/csv", _("%(name)s: table of what is shown", name=name)),
    )
    return tuple(
        FeedLink(url=f"{links().calendar_feed(suffix)}?{wanted.feed_query}", type=media_type, title=title)
        for suffix, media_type, title in kinds
    )


def _inputs(typed: RawQuery, said: MultiDict[str, str]) -> Iterator[Json]:
    for name in ("from", "to", "country", "city", "tag", "series"):
        values = typed.getlist(name)
        # Offer an empty field for another tag.
        for place in range(len(values) + 1 if name == "tag" else len(values) or 1):
            yield _input(typed, name, place, said)


def _input(typed: RawQuery, name: str, place: int, said: MultiDict[str, str]) -> Json:
    values = typed.getlist(name)
    # Browsers do not display an invalid value in a date field.
    kind = "date" if name in {"from", "to"} and name not in said else "text"
    hints = {"country": _("Two letters, such as DE."), "tag": _("All of them.")}
    return {
        "id": f"f-{name}-{place + 1}" if place else f"f-{name}",
        "name": name,
        "label": word_for(name),
        "value": values[place] if place < len(values) else "",
        "type": "search" if name == "q" else kind,
        "hint": hints.get(name, ""),
        "faults": said.getlist(name),
    }


def _offers(typed: RawQuery, found: Found) -> Iterator[tuple[str, Sequence[Link]]]:
    tags = Counter(tag for item in found.items for tag in item["tags"])
    values = {
        "kind": sorted({item["kind"] for item in found.items if item["kind"]}),
        "country": sorted(set(found.countries)),
        "tag": [tag for tag, _often in tags.most_common(_MOST_TAGS)],
    }
    for name, several in values.items():
        new = [value for value in several if value not in typed.getlist(name)]
        # If all items are of the same kind or country, that filter would change nothing.
        if new and (name == "tag" or len(several) > 1):
            narrowed = [
                typed.with_added_value(name, one) if name == "tag" else typed.with_params(**{name: one}) for one in new
            ]
            pairs = zip(narrowed, new, strict=True)
            yield word_for(name), [Link(url=more.url, label=value_in_words(name, one)) for more, one in pairs]


def all_rows(read: Callable[[PageRequest], Page[Row]], *, at_once: int = MAX_LIMIT) -> Iterator[Row]:
    """Yield the rows of all pages of a list, which `read` returns in pages of `at_once` rows."""
    page = read(PageRequest(at_once))
    yield from page.items
    while page.next_cursor is not None:
        page = read(PageRequest(at_once, page.next_cursor))
        yield from page.items
