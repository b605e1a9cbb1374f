"""All public responses of a calendar: feeds in all formats, documents, JSON and pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from tests.comparison.recorder import RecordingClient, get_json

HTML_TYPE = "text/html"

_CALENDAR_FORMATS = ("ics", "jcal", "xcal", "jscal")
_FEED_OPTIONS = (
    "tz=utc",
    "profile=rich",
    "cancelled=hide",
    "cancelled=mark",
    "include=events",
    "include=talks",
    "include=deadlines",
    "include=events,talks,deadlines",
    "include=events,talks,deadlines&tz=utc&profile=rich&cancelled=mark",
)
_ENCODINGS = ("gzip", "br", "zstd", "deflate", "gzip;q=0, *;q=0")
_LANGUAGES = {"en": "en-US", "de": "de-DE,de;q=0.9"}


@dataclass(frozen=True)
class CalendarContents:
    """The content of a calendar: slugs of events, speakers and sponsors, ids of talks, and queries for lists.

    The first object of each kind is also requested with all options. `hidden_paths` are paths that are not public.
    """

    events: Sequence[str]
    talks: Sequence[str]
    speakers: Sequence[str]
    sponsors: Sequence[str]
    filters: Sequence[str]
    feed_secrets: Sequence[str] = ()
    """Secrets of personal feeds."""
    hidden_paths: Sequence[str] = ()


def list_values(visitor: RecordingClient, path: str, key: str) -> list[str]:
    """Return one field of all items in a paginated list, and record the pages of the list."""
    found: list[str] = []
    query = "?limit=200"
    while True:
        page = get_json(visitor.call_api("GET", f"{path}{query}"))
        found += [item[key] for item in page["items"]]
        if not page["next"]:
            return found
        query = f"?limit=200&cursor={quote(page['next'])}"


def record_public(visitor: RecordingClient, contents: CalendarContents) -> None:
    """Record all public responses of a calendar."""
    for path in _feed_paths(contents):
        _record_feed(visitor, path)
    for path in _feed_option_paths(contents):
        visitor.get(path)
    for path in _api_paths(contents):
        answer = visitor.call_api("GET", path)
        if "ETag" in answer.headers and "?" not in path:
            visitor.call_api("GET", path, label="unchanged", If_None_Match=answer.headers["ETag"])
    for path in _page_paths(contents):
        for language, accepted in _LANGUAGES.items():
            answer = visitor.get(path, label=language, Accept=HTML_TYPE, Accept_Language=accepted)
        if "ETag" in answer.headers:
            visitor.get(
                path,
                label="unchanged",
                Accept=HTML_TYPE,
                Accept_Language=accepted,
                If_None_Match=answer.headers["ETag"],
            )
    _record_feed_checks(visitor, contents)
    _record_other_responses(visitor, contents)


def _feed_paths(contents: CalendarContents) -> Iterator[str]:
    for name in ("/calendar", "/deadlines"):
        yield from (f"{name}.{form}" for form in _CALENDAR_FORMATS)
    yield from ("/calendar.csv", "/calendar.atom")
    for slug in contents.events:
        yield from (f"/events/{slug}.{form}" for form in (*_CALENDAR_FORMATS, "atom"))
        yield from (f"/events/{slug}/schedule.{form}" for form in ("xml", "json"))
    for kind, names in (("talks", contents.talks), ("speakers", contents.speakers), ("feeds", contents.feed_secrets)):
        yield from (f"/{kind}/{name}.{form}" for name in names for form in _CALENDAR_FORMATS)


def _feed_option_paths(contents: CalendarContents) -> Iterator[str]:
    some = ["/calendar", f"/events/{contents.events[0]}", *(f"/feeds/{secret}" for secret in contents.feed_secrets)]
    yield from (f"{feed}.{form}?{option}" for feed in some for form in _CALENDAR_FORMATS for option in _FEED_OPTIONS)
    yield from (f"/calendar.{form}?{wanted}" for wanted in contents.filters for form in ("ics", "csv", "atom"))
    yield from (f"/calendar.csv?{option}" for option in _FEED_OPTIONS if "profile" not in option)
    few = ("tz=utc", "cancelled=hide")
    more = [*contents.events[1:4], *contents.events[-3:]]
    yield from (f"/events/{slug}.{form}?{option}" for slug in more for form in _CALENDAR_FORMATS for option in few)
    yield from (f"/talks/{contents.talks[0]}.ics?{option}" for option in few)
    yield from (f"/speakers/{contents.speakers[0]}.ics?{option}" for option in few)
    yield "/deadlines.ics?tz=utc"


def _record_feed(visitor: RecordingClient, path: str) -> None:
    """Record a feed, and the 304 response to a conditional request for the feed."""
    answer = visitor.get(path)
    if "ETag" in answer.headers:
        visitor.get(path, label="unchanged", If_None_Match=answer.headers["ETag"])


def _api_paths(contents: CalendarContents) -> Iterator[str]:
    for path in ("/events", "/talks", "/speakers", "/changes"):
        yield path
        yield f"{path}?limit=3"
    for path in ("/events", "/talks"):
        yield from (f"{path}?{wanted}" for wanted in contents.filters)
        yield from (f"{path}?limit=5&sort={sort}" for sort in ("starts", "-starts", "updated", "sideways"))
    yield "/changes?since=5&limit=10"
    parts = ("", "/talks", "/occurrences", "/rooms", "/tracks", "/tiers", "/sponsors")
    yield from (f"/events/{slug}{part}" for slug in contents.events for part in parts)
    yield from (f"/events/{slug}/occurrences?from=2026-03-01&to=2027-03-01&limit=5" for slug in contents.events[:12])
    yield f"/events/{contents.events[0]}/talks?sort=-starts&limit=7"
    yield from (f"/talks/{one}" for one in contents.talks)
    yield from (f"/speakers/{slug}" for slug in contents.speakers)
    yield from (f"/sponsors/{slug}" for slug in contents.sponsors)
    yield "/docs"


def _page_paths(contents: CalendarContents) -> Iterator[str]:
    yield from ("/", "/?show=talks", "/?view=month", "/?view=month&show=talks&month=2026-06", "/subscribe")
    yield from ("/?sort=-starts", "/?q=nothing-has-this", "/?month=no&view=no", "/subscribe?show=talks&tag=xen")
    yield from (f"/?{show}{wanted}" for wanted in contents.filters for show in ("", "show=talks&"))
    yield from (
        "/login",
        "/register",
        "/reset",
        "/confirm",
        "/login/code",
        "/me/account/deleted",
        "/feeds/check",
        "/embed",
    )
    for slug in contents.events:
        yield from (f"/events/{slug}", f"/events/{slug}/schedule")
    yield f"/events/{contents.events[0]}?tz=Asia/Tokyo"
    yield f"/events/{contents.events[0]}/schedule?tz=Asia/Tokyo"
    yield from (f"/talks/{one}" for one in contents.talks)
    yield from (f"/speakers/{slug}" for slug in contents.speakers)
    yield from ("/embed/listing", "/embed/listing?show=talks&limit=5", "/embed/listing?theme=dark&from=today")
    yield f"/embed/listing?talk={contents.talks[0]}"
    yield f"/embed?show=talks&event={contents.events[0]}"
    # Pages for members redirect visitors to the sign-in page.
    yield from ("/me", "/organise", "/submit", "/propose", "/me/stars?past")
    yield from contents.hidden_paths


def _record_feed_checks(visitor: RecordingClient, contents: CalendarContents) -> None:
    base = visitor.recorder.base_url
    feeds = [
        "/calendar.ics",
        f"/events/{contents.events[0]}.ics?tz=utc",
        *(f"/feeds/{one}.ics" for one in contents.feed_secrets),
    ]
    # Requests by several calendar apps make the page list these apps.
    for number, program in enumerate(("iOS/26.6 (23G71) dataaccessd/1.0", "Google-Calendar-Importer", "curl/8.5.0")):
        visitor.get("/calendar.ics", label=f"program {number}", User_Agent=program)
    for feed in (*feeds, "/events/nobody.ics", "/about", "/calendar.ics?nobody=knows"):
        url = quote(f"{base}{feed}", safe="")
        visitor.get(f"/feeds/check?url={url}")
        for language, accepted in _LANGUAGES.items():
            visitor.get(f"/feeds/check?url={url}", label=language, Accept=HTML_TYPE, Accept_Language=accepted)
    visitor.get("/feeds/check?url=https%3A%2F%2Felsewhere.example%2Ffeed.ics")


def _record_other_responses(visitor: RecordingClient, contents: CalendarContents) -> None:
    """Record responses other than feeds, lists and pages, and responses that depend on request headers."""
    base = visitor.recorder.base_url
    shown = ["/", "/?show=talks&tag=xen", f"/events/{contents.events[0]}", f"/talks/{contents.talks[0]}", "/login"]
    for path in shown:
        visitor.get(f"/oembed?url={quote(base + path, safe='')}&maxwidth=300")
    visitor.get(f"/oembed?format=xml&url={quote(base, safe='')}")
    for path in ("/robots.txt", "/sitemap.xml", "/sitemap-1.xml", "/healthz", "/readyz", "/favicon.ico", "/embed.js"):
        visitor.get(path)
    for path in ("site.css", "site.js", "docs.css", "embed.css", "icon.svg", "nothing.css"):
        visitor.get(f"/static/{path}")
    # A new client is used, because the language is stored in a cookie.
    german = visitor.recorder.create_client("German reader")
    german.get("/language/de?next=/subscribe", Accept=HTML_TYPE)
    german.get("/subscribe", Accept=HTML_TYPE, Accept_Language="en")
    german.get("/language/en?next=/subscribe", Accept=HTML_TYPE)
    visitor.get("/", label="en-GB", Accept=HTML_TYPE, Accept_Language="en-GB")
    for encoding in _ENCODINGS:
        visitor.get("/calendar.ics", label=encoding, Accept_Encoding=encoding)
        visitor.get("/api/v1/events", label=encoding, Accept_Encoding=encoding)
        visitor.get("/", label=encoding, Accept=HTML_TYPE, Accept_Encoding=encoding)
    for path in ("/calendar.ics", "/api/v1/events", f"/events/{contents.events[0]}", "/"):
        visitor.request("HEAD", path)
        visitor.request(
            "OPTIONS", path, headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
        )
        visitor.get(path, label="since", If_Modified_Since="Fri, 31 Dec 2027 00:00:00 GMT")
        visitor.get(path, label="changed", If_None_Match='"another"')
        visitor.get(path, label="range", Range="bytes=0-99")
