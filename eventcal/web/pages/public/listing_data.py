"""The database queries and the filter bar of the listing page."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import orjson
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from eventcal.events.enums import EventKind, EventStatus, TalkKind
from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import exclude_without_occurrence, public_events_by_slug
from eventcal.events.recurrence.occurrences import Occurrence, complete_day_range, occurrences_between
from eventcal.feeds.stored_json_queries import list_event_json, list_talk_json
from eventcal.kit.errors import FieldError
from eventcal.kit.pagination import MAX_LIMIT, Page, PageRequest, Row
from eventcal.web.i18n import translate_field_errors
from eventcal.web.params.listing_query import ItemKind, Layout, ListingPageQuery, RawQuery
from eventcal.web.rendering.dates import (
    FormattedTimes,
    format_occurrence_times,
    format_resource_times,
    recurrence_rule_label,
)
from eventcal.web.rendering.labels import kind_label, parameter_label, parameter_value_label
from eventcal.web.rendering.page import FeedLink
from eventcal.web.request.context import links, settings
from eventcal.web.schemas.response_schema import Json

# The attributes of Event that `occurrences_between` reads and that have the same names in an event resource.
_SERIES_FIELDS = ("timezone", "starts", "ends", "recurrence", "recurrence_overrides", "title", "summary", "online_url")
_MAX_OCCURRENCES, _MAX_TAGS = 3, 12
_FORM_PARAMETERS = frozenset({"q", "from", "to", "kind", "country", "city", "tag", "series", "cfp"})


@dataclass(frozen=True, kw_only=True)
class ListingResult:
    """A page of event or talk resources. `next` is the next page's cursor. `events` maps slugs to the talks' events."""

    items: Sequence[Json] = ()
    next: str | None = None
    events: Mapping[str, Event] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RecurrenceSummary:
    """The recurrence rule of an event as text, the status of the next occurrence, and the times of occurrences."""

    rule_label: str
    next: FormattedTimes | None
    status: str
    later: tuple[FormattedTimes, ...]


def list_public_resources(
    session: Session, show: ItemKind, filters: Filter, *, sort: Sort, paging: PageRequest, now: datetime
) -> ListingResult:
    if show == ItemKind.EVENTS:
        page = list_event_json(session, exclude_without_occurrence(session, filters), sort=sort, paging=paging, now=now)
        return ListingResult(items=[orjson.loads(text) for text in page.items], next=page.next_cursor)
    page = list_talk_json(session, filters, sort=sort, paging=paging, now=now)
    items = [orjson.loads(text) for text in page.items]
    events = public_events_by_slug(session, {item["event"] for item in items})
    return ListingResult(items=items, next=page.next_cursor, events=events)


def summarise_recurrence(event: Json, filters: Filter, now: datetime) -> RecurrenceSummary | None:
    """Return the next occurrences of an event within the selected period, or None if the event does not recur."""
    if event["recurrence"] is None:
        return None
    first, last = complete_day_range(filters.from_day, filters.to_day) or (now.astimezone(UTC).date(), None)
    occurrences = list_resource_occurrences(event, first, last, limit=_MAX_OCCURRENCES)
    times = [time for occurrence in occurrences if (time := format_occurrence_times(occurrence, event["timezone"]))]
    return RecurrenceSummary(
        rule_label=recurrence_rule_label(event["recurrence"]) or _("Again and again"),
        next=times[0] if times else format_resource_times(event, tzid=event["timezone"]),
        status=occurrences[0].status.value if occurrences else event["status"],
        later=tuple(times[1:]),
    )


def list_resource_occurrences(event: Json, first: date, last: date | None, *, limit: int) -> list[Occurrence]:
    """Return the occurrences that overlap the days from `first` to `last`."""
    # The `Event` object is not added to a database session, because it is used only to compute the occurrences.
    shared = {name: event[name] for name in _SERIES_FIELDS}
    series = Event(status=EventStatus(event["status"]), venue=event["location"]["venue"], **shared)
    return occurrences_between(series, first, last, limit=limit)


@dataclass(frozen=True)
class ListingLink:
    """A link to a listing. `current` is true if the listing is the displayed page."""

    url: str
    label: str
    current: bool = False


def filter_bar_context(
    raw_query: RawQuery, result: ListingResult, faults: Iterable[FieldError] = ()
) -> Mapping[str, object]:
    """Return the variables for the template pages/filters.html. `faults` are the errors in the query string."""
    errors = MultiDict(translate_field_errors(faults))
    search, inputs = _filter_input(raw_query, "q", 0, errors=errors), list(_iter_filter_inputs(raw_query, errors))
    ids = {"kind": "f-kind", "cfp": "f-cfp"} | {item["name"]: item["id"] for item in reversed([search, *inputs])}
    current = ItemKind.TALKS if raw_query.get("show") == ItemKind.TALKS else ItemKind.EVENTS
    is_month, chosen = raw_query.get("view") == Layout.MONTH, raw_query.getlist("kind")
    kinds: list[str] = list(EventKind if current == ItemKind.EVENTS else TalkKind)
    kinds += [kind for kind in chosen if kind not in kinds]
    return {
        "search": search,
        "inputs": inputs,
        "kinds": [(kind, kind_label(kind), kind in chosen) for kind in kinds],
        "kind_faults": errors.getlist("kind"),
        "call_open": "open" in raw_query.getlist("cfp"),
        "hidden": [(name, value) for name, value in raw_query.with_params().pairs if name not in _FORM_PARAMETERS],
        "wrong": [(parameter_label(name), detail, ids.get(name)) for name, detail in errors.items(multi=True)],
        "opened": any(name != "q" for name, _value in raw_query.filters),
        "views": [
            ListingLink(raw_query.with_params(view=None, month=None).url, _("List"), current=not is_month),
            ListingLink(raw_query.with_params(view=Layout.MONTH.value, sort=None).url, _("Month"), current=is_month),
        ],
        "shows": [
            ListingLink(raw_query.for_kind(show).url, label, current=show == current)
            for show, label in ((ItemKind.EVENTS, _("Events")), (ItemKind.TALKS, _("Talks")))
        ],
        "chips": [
            ListingLink(
                raw_query.without_pairs((name, value)).url,
                _("%(name)s: %(value)s", name=parameter_label(name), value=parameter_value_label(name, value)),
            )
            for name, value in raw_query.filters
        ],
        "cleared": raw_query.without_pairs(*raw_query.filters).url,
        "offers": list(_iter_suggested_filters(raw_query, result)),
    }


def listing_feed_links(query: ListingPageQuery) -> tuple[FeedLink, ...]:
    name = settings().name
    kinds = (
        (".ics", "text/calendar", _("%(name)s: calendar of what is shown", name=name)),
        (".atom", "application/atom+xml", _("%(name)s: news of what is shown", name=name)),
        (".csv", "text/csv", _("%(name)s: table of what is shown", name=name)),
    )
    return tuple(
        FeedLink(url=f"{links().calendar_feed(suffix)}?{query.feed_query}", type=media_type, title=title)
        for suffix, media_type, title in kinds
    )


def _iter_filter_inputs(raw_query: RawQuery, errors: MultiDict[str, str]) -> Iterator[Json]:
    for name in ("from", "to", "country", "city", "tag", "series"):
        values = raw_query.getlist(name)
        # An empty field allows the user to enter another tag.
        for index in range(len(values) + 1 if name == "tag" else len(values) or 1):
            yield _filter_input(raw_query, name, index, errors=errors)


def _filter_input(raw_query: RawQuery, name: str, index: int, *, errors: MultiDict[str, str]) -> Json:
    values = raw_query.getlist(name)
    # A text field is used for an invalid date, because browsers do not display invalid dates in date fields.
    kind = "date" if name in {"from", "to"} and name not in errors else "text"
    hints = {"country": _("Two letters, such as DE."), "tag": _("All of them.")}
    return {
        "id": f"f-{name}-{index + 1}" if index else f"f-{name}",
        "name": name,
        "label": parameter_label(name),
        "value": values[index] if index < len(values) else "",
        "type": "search" if name == "q" else kind,
        "hint": hints.get(name, ""),
        "faults": errors.getlist(name),
    }


def _iter_suggested_filters(raw_query: RawQuery, result: ListingResult) -> Iterator[tuple[str, Sequence[ListingLink]]]:
    tags = Counter(tag for item in result.items for tag in item["tags"])
    countries = [
        item["location"]["country"] if "location" in item else result.events[item["event"]].country
        for item in result.items
    ]
    values = {
        "kind": sorted({item["kind"] for item in result.items if item["kind"]}),
        "country": sorted(set(filter(None, countries))),
        "tag": [tag for tag, _often in tags.most_common(_MAX_TAGS)],
    }
    for name, several in values.items():
        new = [value for value in several if value not in raw_query.getlist(name)]
        # A filter by kind or country has no effect if all items have the same kind or country.
        if new and (name == "tag" or len(several) > 1):
            add = (raw_query if name == "tag" else raw_query.with_params(**{name: None})).with_added_value
            offers = [ListingLink(add(name, value).url, parameter_value_label(name, value)) for value in new]
            yield parameter_label(name), offers


def iter_all_rows(list_page: Callable[[PageRequest], Page[Row]], *, page_size: int = MAX_LIMIT) -> Iterator[Row]:
    """Yield all rows of a list, which `list_page` loads in pages of `page_size` rows."""
    page = list_page(PageRequest(page_size))
    yield from page.items
    while page.next_cursor is not None:
        page = list_page(PageRequest(page_size, page.next_cursor))
        yield from page.items
