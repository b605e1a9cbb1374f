"""Requests that fail: every error status, as JSON and as a page."""

from tests.comparison.application import REVOKED_FEED_SECRET
from tests.comparison.public_responses import HTML_TYPE
from tests.comparison.recorder import RecordingClient

_FAILING_PATHS = (
    "/nothing",
    "/events/nobody",
    "/events/nobody/schedule",
    "/events/nobody.ics",
    "/events/nobody.atom",
    "/events/nobody/schedule.xml",
    "/talks/nobody",
    "/talks/nobody.ics",
    "/speakers/nobody",
    "/speakers/nobody.ics",
    "/feeds/nobody.ics",
    f"/feeds/{REVOKED_FEED_SECRET}.ics",
    f"/feeds/{REVOKED_FEED_SECRET}.jscal",
    "/sitemap-9.xml",
    "/media/nobody.webp",
    "/calendar.pdf",
    "/calendar.ics?nobody=knows",
    "/calendar.ics?from=tomorrow&to=2026-02-30&tz=CET&profile=poor&include=all&cancelled=maybe",
    "/calendar.ics?from=2026-03-02&to=2026-03-01",
    "/oembed",
    "/oembed?url=https%3A%2F%2Felsewhere.example%2F",
    "/embed/listing?limit=0&theme=pink&show=all&talk=nobody",
    "/?from=tomorrow&limit=0&cursor=nobody",
    "/feeds/check?url=nonsense",
    "/language/tlh",
    "/events/sum%00mit",
    "//events",
    "/api/v1/nothing",
    "/api/v1/events/nobody",
    "/api/v1/events/nobody/talks",
    "/api/v1/talks/nobody",
    "/api/v1/speakers/nobody",
    "/api/v1/sponsors/nobody",
    "/api/v1/events?limit=0&sort=sideways&nobody=knows&kind=party&country=Germany&scheduled=maybe",
    "/api/v1/events?cursor=nonsense",
    "/api/v1/talks?limit=1000000&limit=2",
    "/api/v1/events?status=pending",
    "/api/v1/changes?since=yesterday",
    "/api/v1/events/summit/occurrences?from=never",
    "/api/v1/me",
    "/api/v1/me/tokens",
    "/api/v1/events/summit/team",
    "/api/v1/events/summit/sponsorships",
    "/api/v1/sponsorships/held",
)
_WRONG_METHODS = (
    ("DELETE", "/"),
    ("POST", "/calendar.ics"),
    ("PUT", "/events/summit"),
    ("GET", "/logout"),
    ("DELETE", "/api/v1/events"),
    ("GET", "/api/v1/auth/login"),
    ("PATCH", "/api/v1/me/stars/confirmed"),
)
_SIGN_IN_REQUIRED = (
    ("POST", "/events"),
    ("PATCH", "/events/summit"),
    ("DELETE", "/events/summit"),
    ("POST", "/events/summit/talks"),
    ("POST", "/talks/confirmed/accept"),
    ("PUT", "/me/stars/confirmed"),
    ("DELETE", "/me"),
    ("PATCH", "/speakers/ada"),
    ("PUT", "/sponsors/rackspace/logo"),
)
_FORM_PATHS = (
    "/login",
    "/register",
    "/reset",
    "/confirm",
    "/logout",
    "/submit",
    "/propose",
    "/me/account",
    "/organise/summit/event",
)


def record_errors(visitor: RecordingClient, member: RecordingClient, moderator: RecordingClient) -> None:
    """Record error responses to a visitor, a member and a moderator."""
    for path in _FAILING_PATHS:
        visitor.get(path, label="plain")
        visitor.get(path, label="page", Accept=HTML_TYPE)
        visitor.get(path, label="German page", Accept=HTML_TYPE, Accept_Language="de")
    for method, path in _WRONG_METHODS:
        visitor.request(method, path, label="plain")
        visitor.request(method, path, label="page", headers={"Accept": HTML_TYPE})
    for method, path in _SIGN_IN_REQUIRED:
        visitor.call_api(method, path, {})
    for path in _FORM_PATHS:
        visitor.request("POST", path, label="without a session", headers={"Accept": HTML_TYPE}, data={"name": "x"})
    visitor.call_api("GET", "/events", label="bad token", Authorization="Bearer evc_nonsense")
    visitor.call_api("GET", "/events", label="nothing acceptable", Accept="image/png")
    visitor.get("/calendar.ics", label="nothing acceptable", Accept="image/png")
    _record_invalid_bodies(member)
    _record_forbidden(member)
    _record_conflicts(moderator)


def _record_invalid_bodies(member: RecordingClient) -> None:
    """Record responses to invalid bodies: 400, 413, 415 and 422."""
    path = "/api/v1/events/summit/talks"
    as_json = {"Content-Type": "application/json"}
    for label, body in (("empty", b""), ("cut", b'{"title": '), ("not UTF-8", b'{"title": "\xff"}'), ("a list", b"[]")):
        member.request("POST", path, label=label, data=body, headers=as_json)
    member.request("POST", path, label="a form", data={"title": "A talk"})
    member.request("POST", path, label="deep", data=b"[" * 200_000, headers=as_json)
    member.request("POST", path, label="large", data=b" " * (1024 * 1024 + 1), headers=as_json)
    member.call_api(
        "POST", "/events/summit/talks", {"title": "", "kind": "party", "tags": "xen", "duration_minutes": 0, "x": 1}
    )
    member.call_api(
        "POST", "/events/summit/talks", {"title": "A\nline", "abstract": "x" * 20_001, "language": "Klingon!"}
    )
    member.call_api("POST", "/events", {"title": "An event", "starts": "2026-02-30", "timezone": "Mars/Olympus"})
    member.call_api(
        "POST",
        "/events",
        {
            "title": "An event",
            "starts": "2026-05-01",
            "ends": "2026-04-01",
            "timezone": "Europe/Berlin",
            "recurrence": "FREQ=NEVER",
            "recurrence_overrides": {"never": {"excluded": False}},
            "location": {"country": "Germany", "latitude": 91},
            "registration": {"url": "javascript:alert(1)", "price": {"amount": "-1", "currency": "euro"}},
        },
    )
    member.request(
        "PUT", "/api/v1/speakers/ada/photo", label="no picture", data=b"GIF89a", headers={"Content-Type": "image/png"}
    )
    member.request(
        "PUT", "/api/v1/speakers/ada/photo", label="wrong type", data=b"GIF89a", headers={"Content-Type": "image/gif"}
    )


def _record_forbidden(member: RecordingClient) -> None:
    for method, path, body in (
        ("PATCH", "/events/summit", {"title": "New"}),
        ("POST", "/events/summit/cancel", None),
        ("POST", "/events/proposed/publish", None),
        ("POST", "/talks/confirmed/accept", None),
        ("POST", "/talks/confirmed/redact", None),
        ("PATCH", "/speakers/grace", {"bio": "New"}),
        ("PATCH", "/sponsors/rackspace", {"name": "New"}),
        ("GET", "/events/summit/team", None),
        ("GET", "/me/tokens", None),
        ("PATCH", "/talks/confirmed", {"title": "New"}),
        ("POST", "/events/finished/talks", {"title": "Too late"}),
        ("POST", "/talks/withdrawn/confirm", None),
    ):
        member.call_api(method, path, body, If_Match="*")


def _record_conflicts(moderator: RecordingClient) -> None:
    """Record responses to changes without If-Match (428), with an outdated ETag (412), or with conflicts (409)."""
    for path, body in (
        ("/events/summit", {"title": "New"}),
        ("/talks/confirmed", {"title": "New"}),
        ("/speakers/ada", {"bio": "New"}),
        ("/sponsors/rackspace", {"name": "New"}),
    ):
        moderator.call_api("PATCH", path, body, label="no version")
        moderator.call_api("PATCH", path, body, label="old version", If_Match='"old"')
    moderator.call_api("PATCH", "/events/summit", {"slug": "another"}, label="fixed slug", If_Match="*")
    moderator.call_api("POST", "/events", {"title": "T", "slug": "summit", "timezone": "UTC", "starts": "2026-09-01"})
    moderator.call_api("DELETE", "/events/summit")
    moderator.call_api("POST", "/events/summit/publish")
    moderator.call_api("POST", "/events/summit/rooms", {"name": "Attic"})
    moderator.call_api("DELETE", "/tiers/gold")
    moderator.call_api("POST", "/speakers/ada/merge", {"other": "ada"})
    moderator.call_api("POST", "/talks/withdrawn/accept")
