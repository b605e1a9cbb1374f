"""How a calendar looks once a scenario is over: its feeds, lists and pages, with every kind of tombstone."""

from tests.comparison.public import HTML, listed
from tests.comparison.recorder import Recorder

_CALENDARS = ("ics", "jcal", "xcal", "jscal")
_ALL = "from=2020-01-01&include=events,talks,deadlines"
_PAGES = ("/", "/?show=talks", "/?from=2020-01-01&show=talks", "/sitemap.xml", "/sitemap-1.xml")


def record_afterwards(recorder: Recorder) -> None:
    """Record the public feeds, lists and pages of a small calendar."""
    visitor = recorder.person("later")
    for form in (*_CALENDARS, "csv", "atom"):
        visitor.get(f"/calendar.{form}")
    for form in _CALENDARS:
        visitor.get(f"/calendar.{form}?{_ALL}")
        visitor.get(f"/deadlines.{form}")
    visitor.get(f"/calendar.ics?{_ALL}&cancelled=hide")
    visitor.get(f"/calendar.ics?{_ALL}&cancelled=mark&profile=rich&tz=utc")
    for path in _PAGES:
        visitor.get(path, Accept=HTML)
    visitor.api("GET", "/changes")
    for slug in listed(visitor, "/events", "slug"):
        for form in (*_CALENDARS, "atom"):
            visitor.get(f"/events/{slug}.{form}")
        for form in ("xml", "json"):
            visitor.get(f"/events/{slug}/schedule.{form}")
        for part in ("", "/talks", "/occurrences", "/sponsors", "/tiers", "/rooms", "/tracks"):
            visitor.api("GET", f"/events/{slug}{part}")
        visitor.get(f"/events/{slug}", Accept=HTML)
        visitor.get(f"/events/{slug}/schedule", Accept=HTML)
    for talk in listed(visitor, "/talks", "id"):
        visitor.api("GET", f"/talks/{talk}")
        visitor.get(f"/talks/{talk}.ics")
        visitor.get(f"/talks/{talk}", Accept=HTML)
    for slug in listed(visitor, "/speakers", "slug"):
        visitor.api("GET", f"/speakers/{slug}")
        visitor.get(f"/speakers/{slug}.ics")
        visitor.get(f"/speakers/{slug}", Accept=HTML)
