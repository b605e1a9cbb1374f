"""The public responses of a calendar after a scenario: feeds, lists and pages, with every kind of tombstone."""

from tests.comparison.public_responses import HTML_TYPE, list_values
from tests.comparison.recorder import Recorder

_CALENDAR_FORMATS = ("ics", "jcal", "xcal", "jscal")
_ALL_ENTRIES_QUERY = "from=2020-01-01&include=events,talks,deadlines"
_PAGE_PATHS = ("/", "/?show=talks", "/?from=2020-01-01&show=talks", "/sitemap.xml", "/sitemap-1.xml")


def record_outcome(recorder: Recorder) -> None:
    visitor = recorder.create_client("later")
    for form in (*_CALENDAR_FORMATS, "csv", "atom"):
        visitor.get(f"/calendar.{form}")
    for form in _CALENDAR_FORMATS:
        visitor.get(f"/calendar.{form}?{_ALL_ENTRIES_QUERY}")
        visitor.get(f"/deadlines.{form}")
    visitor.get(f"/calendar.ics?{_ALL_ENTRIES_QUERY}&cancelled=hide")
    visitor.get(f"/calendar.ics?{_ALL_ENTRIES_QUERY}&cancelled=mark&profile=rich&tz=utc")
    for path in _PAGE_PATHS:
        visitor.get(path, Accept=HTML_TYPE)
    visitor.call_api("GET", "/changes")
    for slug in list_values(visitor, "/events", "slug"):
        for form in (*_CALENDAR_FORMATS, "atom"):
            visitor.get(f"/events/{slug}.{form}")
        for form in ("xml", "json"):
            visitor.get(f"/events/{slug}/schedule.{form}")
        for part in ("", "/talks", "/occurrences", "/sponsors", "/tiers", "/rooms", "/tracks"):
            visitor.call_api("GET", f"/events/{slug}{part}")
        visitor.get(f"/events/{slug}", Accept=HTML_TYPE)
        visitor.get(f"/events/{slug}/schedule", Accept=HTML_TYPE)
    for talk in list_values(visitor, "/talks", "id"):
        visitor.call_api("GET", f"/talks/{talk}")
        visitor.get(f"/talks/{talk}.ics")
        visitor.get(f"/talks/{talk}", Accept=HTML_TYPE)
    for slug in list_values(visitor, "/speakers", "slug"):
        visitor.call_api("GET", f"/speakers/{slug}")
        visitor.get(f"/speakers/{slug}.ics")
        visitor.get(f"/speakers/{slug}", Accept=HTML_TYPE)
