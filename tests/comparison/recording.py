"""The complete recording: its calendars, and the requests of each client."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask

from tests.clocks import FixedClock
from tests.comparison import application as app_
from tests.comparison.api_scenario import record_api_scenario
from tests.comparison.commands import record_commands
from tests.comparison.error_responses import record_errors
from tests.comparison.form_scenario import record_form_scenario
from tests.comparison.large_dataset import CONFERENCES, make_large_dataset
from tests.comparison.openapi_files import write_openapi_files
from tests.comparison.public_responses import CalendarContents, list_values, record_public
from tests.comparison.randomness import Randomness, patch_secrets
from tests.comparison.recorder import Recorder, RouteCoverage, get_json
from tests.comparison.scenario_outcome import record_outcome
from tests.comparison.second_factor_scenario import record_second_factor_scenario
from tests.comparison.signed_in_pages import EventParts, record_account_pages, record_organiser_pages

DEMO_NOW = datetime(2014, 7, 1, 12, tzinfo=UTC)
"""A time before the summits in the demo data, so that lists of upcoming events are not empty."""

_BASE_URL = "https://calendar.example.org"
_SETTINGS = {
    "base_url": _BASE_URL,
    "domain": "calendar.example.org",
    "mail_url": "smtp://mail.example.org",
    "name": "Example",
}
_DEMO_FILTERS = (
    "from=2014-06-01&to=2014-08-31",
    "q=xen",
    "tag=xen",
    "kind=conference",
    "country=US",
    "city=Chicago",
    "event=xen-project-developer-summit-2014",
    "cfp=open",
    "scheduled=false",
)
_LARGE_FILTERS = (
    "from=2026-06-01&to=2026-06-30",
    "q=memory+sched",
    "q=%C3%BCber",
    "tag=xen&tag=conference",
    "tag=ARM+%26+RISC-V",
    "kind=meetup,talk",
    "country=de,AU",
    "city=Berlin",
    "event=berlin,monthly",
    "track=Security",
    "room=Gro%C3%9Fer+Saal",
    "speaker=speaker-001,speaker-002",
    "language=pt-BR",
    "state=cancelled",
    "status=tentative,postponed",
    "series=The+Conference",
    "cfp=open",
    "scheduled=true",
    "scheduled=false",
    "updated_since=2026-03-01T12:30:00Z",
    "from=2020-01-01",
)
_MEMBERS = (("olga", "member"), ("rita", "member"), ("max", "moderator"), ("alan", "admin"))
_SCENARIOS: Mapping[str, Callable[[Recorder], None]] = {
    "api": record_api_scenario,
    "forms": record_form_scenario,
    "factors": record_second_factor_scenario,
}


class IncompleteRecordingError(Exception):
    """Raised if the recording does not cover all routes. The message lists the missing routes."""


def record_all(folder: Path) -> int:
    """Record all responses and return the number of responses. Raise IncompleteRecordingError if routes are missing."""
    routes = RouteCoverage()
    with tempfile.TemporaryDirectory() as scratch, patch_secrets() as randomness:
        recording = _Recording(folder, Path(scratch), randomness, routes=routes)
        recording.record_commands()
        recording.record_scenarios()
        recording.record_demo()
        app = recording.record_large()
    missing = routes.list_missing(app)
    if missing:
        raise IncompleteRecordingError("Never requested, or only answered with errors: " + ", ".join(missing))
    return recording.count


class _Recording:
    def __init__(self, folder: Path, scratch: Path, randomness: Randomness, *, routes: RouteCoverage) -> None:
        self.folder, self.scratch, self.randomness, self.routes = folder, scratch, randomness, routes
        self.count = 0

    @contextmanager
    def open_calendar(
        self, place: str, moment: datetime, **settings: str
    ) -> Iterator[tuple[Flask, FixedClock, Recorder]]:
        """Provide a new application, its clock and its recorder."""
        self.randomness.seed(place)
        with app_.create_application(self.scratch / place, moment, **settings) as (app, clock):
            base_url = settings.get("base_url", "http://127.0.0.1:8000")
            recorder = Recorder(app, self.folder / place, self.randomness, self.routes, base_url)
            yield app, clock, recorder
            self.count += recorder.count

    def record_commands(self) -> None:
        """Record the output of commands that load data sets."""
        scratch = self.scratch / "commands"
        scratch.mkdir()
        self.count += record_commands(self.folder / "commands", scratch, self.randomness)

    def record_scenarios(self) -> None:
        """Record each scenario of unsafe requests in a separate calendar, and the public responses afterwards."""
        for name, scenario in _SCENARIOS.items():
            with self.open_calendar(f"scenario-{name}", app_.LARGE_CALENDAR_NOW, **_SETTINGS) as (app, clock, recorder):
                app_.load_sample_calendar(app)
                app_.add_member(app, "max@example.org", role="moderator")
                app_.add_member(app, "alan@example.org", role="admin")
                recorder.clock = clock
                scenario(recorder)
                record_outcome(recorder)

    def record_demo(self) -> None:
        """Record the demo data with the default settings, at a time before its events."""
        with self.open_calendar("demo", DEMO_NOW) as (app, clock, recorder):
            app_.load_demo(app, DEMO_NOW)
            clock.tick(3600)
            visitor = recorder.create_client("visitor")
            contents = CalendarContents(
                events=list_values(visitor, "/events", "slug"),
                talks=list_values(visitor, "/talks", "id"),
                speakers=list_values(visitor, "/speakers", "slug"),
                sponsors=("rackspace",),
                filters=_DEMO_FILTERS,
            )
            record_public(visitor, contents)
            write_openapi_files(get_json(visitor.call_api("GET", "/openapi.json")), self.folder / "openapi")
            organiser = recorder.create_client("organiser").sign_in(app_.DEMO_ORGANISER)
            slug = "xen-project-developer-summit-2014"
            record_account_pages(organiser, (), event=slug)
            record_organiser_pages(organiser, EventParts(slug, talks=contents.talks[:2]))

    def record_large(self) -> Flask:
        """Record a calendar of about 1,000 talks, and return its application."""
        with self.open_calendar("large", app_.LARGE_CALENDAR_NOW, **_SETTINGS) as (app, clock, recorder):
            app_.load_sample_calendar(app)
            app_.load_json_dataset(app, make_large_dataset())
            for name, role in _MEMBERS:
                teams = {
                    "olga": {"organises": ["summit", "hackday", "berlin", "status-draft"]},
                    "rita": {"reviews": ["summit"]},
                }
                app_.add_member(app, f"{name}@example.org", role=role, **teams.get(name, {}))
            clock.tick(3600)
            _change_large_calendar(recorder)
            clock.tick(3600)
            _record_large_calendar(recorder)
            return app


def _change_large_calendar(recorder: Recorder) -> None:
    """Change, cancel and erase some objects, so that the calendar has tombstones, histories and several revisions."""
    moderator = recorder.create_client("earlier moderator", Authorization=f"Bearer {app_.MODERATOR_TOKEN}")
    titles = get_json(moderator.call_api("GET", "/events/berlin/talks?limit=200&state=confirmed"))["items"]
    for talk, step in zip(titles, ("cancel", "redact", "cancel", "redact"), strict=False):
        moderator.call_api("POST", f"/talks/{talk['id']}/{step}")
    for talk in titles[4:8]:
        moderator.call_api("PATCH", f"/talks/{talk['id']}", {"title": f"{talk['title']}, again"}, If_Match="*")
    moderator.call_api("PATCH", "/events/sydney", {"summary": "A new summary."}, If_Match="*")
    moderator.call_api("POST", "/events/meetup-03/cancel")
    moderator.call_api("POST", "/events/meetup-04/redact")
    moderator.call_api("POST", "/speakers/speaker-010/merge", {"other": "speaker-011"})


def _record_large_calendar(recorder: Recorder) -> None:
    visitor = recorder.create_client("visitor")
    talks = list_values(visitor, "/talks", "id")
    events = list_values(visitor, "/events", "slug")
    speakers = list_values(visitor, "/speakers", "slug")
    contents = CalendarContents(
        events=sorted(events, key=lambda slug: (slug not in {"summit", *CONFERENCES}, events.index(slug))),
        talks=("confirmed", "announced", *talks[::40]),
        speakers=("ada", "grace", "speaker-011", *speakers[::12]),
        sponsors=("rackspace", "company-0"),
        filters=_LARGE_FILTERS,
        feed_secrets=(app_.FEED_SECRET,),
        hidden_paths=("/events/proposed", "/talks/submitted", "/speakers/twin"),
    )
    record_public(visitor, contents)
    member = recorder.create_client("member token", Authorization=f"Bearer {app_.MEMBER_TOKEN}")
    moderator = recorder.create_client("moderator token", Authorization=f"Bearer {app_.MODERATOR_TOKEN}")
    record_errors(visitor, member, moderator)
    _record_members(recorder)


def _record_members(recorder: Recorder) -> None:
    own = ("draft", "submitted", "waitlisted", "accepted", "confirmed", "withdrawn", "announced")
    others = (
        "/me/feeds/feed-phone",
        "/me/tokens/token-old",
        "/speakers/ada/edit",
        "/speakers/grace/edit",
        "/organise/summit",
    )
    member = recorder.create_client("member").sign_in("ada@example.org")
    record_account_pages(member, own, event="summit", others=others)
    record_organiser_pages(member, EventParts("proposed", members=("member-ada",)))
    summit = EventParts(
        "summit",
        talks=("submitted", "waitlisted", "accepted", "confirmed", "withdrawn"),
        rooms_and_tracks=("attic", "security"),
        tiers=("gold", "silver"),
        sponsorships=("held", "enquiry"),
        members=("member-olga", "member-rita"),
    )
    organiser = recorder.create_client("organiser").sign_in("olga@example.org")
    record_account_pages(organiser, (), event="meetup-01", others=("/sponsors/rackspace/edit",))
    for parts in (
        summit,
        EventParts("berlin"),
        EventParts("hackday", talks=("offered",)),
        EventParts("status-draft"),
    ):
        record_organiser_pages(organiser, parts)
    record_organiser_pages(recorder.create_client("reviewer").sign_in("rita@example.org"), summit)
    moderator = recorder.create_client("moderator").sign_in("max@example.org")
    profiles = ("/speakers/ada/edit", "/speakers/twin/edit", "/sponsors/rackspace/edit", "/sponsors/citrix/edit")
    record_account_pages(moderator, (), event="summit", others=profiles)
    for parts in (
        summit,
        EventParts("hackday", talks=("offered", "announced")),
        EventParts("proposed"),
        EventParts("meetup-04"),
    ):
        record_organiser_pages(moderator, parts)
    admin = recorder.create_client("admin").sign_in("alan@example.org")
    for path in ("/events?status=pending", "/events?status=draft", "/me", "/speakers/twin", "/sponsors/citrix"):
        admin.call_api("GET", path)
