"""The entries affected by a change: their numbers increase if and only if their text changes."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from eventcal.events.enums import EventStatus, TalkKind
from eventcal.events.models import Event, Room, Track
from eventcal.events.state_changes import cancel_event, publish_event, redact_event
from eventcal.feeds.format_registry import Options
from eventcal.feeds.index.feed_index import get_feed_state
from eventcal.feeds.stored_json_queries import list_public_changes
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier
from eventcal.talks.delete_and_merge_referenced import delete_track_or_room
from eventcal.talks.rules import TalkAction
from eventcal.talks.service import redact_talk
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.schemas.events import event_json
from eventcal.web.schemas.talks import talk_json
from tests.clocks import FixedClock
from tests.factories import MODERATOR_CALLER, make_sponsorship
from tests.feed_support.feed_calendar import BASE_URL, EntryVersion, load_entry_versions, load_feed_rows
from tests.feed_support.feed_scenario import (
    Change,
    FeedScenario,
    apply_action,
    change_talk,
    edit_grace,
    edit_room,
    edit_summit,
    edit_track,
    merge_ada_into_grace,
    open_scenario,
    publish_draft,
    set_columns,
)


@pytest.fixture
def world(database_url: str, clock: FixedClock) -> Iterator[FeedScenario]:
    with open_scenario(database_url, clock) as world:
        yield world


SUMMIT_ONLY, BOTH_TALKS, EVENT_AND_TALKS = {"summit"}, {"talk", "waiting"}, {"summit", "talk", "waiting"}

# Each change, and the entries whose text it changes; all others stay the same.
AFFECTED_ENTRIES: dict[str, tuple[Change, set[str]]] = {
    "talk: title": (change_talk("talk", title="Else"), {"talk"}),
    "talk: abstract": (change_talk("talk", abstract="Else"), {"talk"}),
    "talk: tags": (change_talk("talk", tags=["b"]), {"talk"}),
    "talk: the order of tags": (change_talk("talk", tags=["b", "a"]), {"talk"}),
    "talk: starts": (change_talk("talk", starts="2026-06-10T14:00:00"), {"talk"}),
    "talk: ends": (change_talk("talk", ends="2026-06-10T15:00:00"), {"talk"}),
    "talk: kind, and so its length": (change_talk("talk", kind=TalkKind.LIGHTNING), {"talk"}),
    "talk: room": (change_talk("talk", room=None), {"talk"}),
    "talk: track": (change_talk("talk", track=None), {"talk"}),
    "talk: time taken away": (change_talk("talk", starts=None), {"talk", "summit"}),
    "talk: the order of speakers": (change_talk("talk", speakers=[{"slug": "ada"}, {"slug": "grace"}]), {"talk"}),
    "talk: one speaker fewer": (change_talk("talk", speakers=[{"slug": "ada"}]), {"talk"}),
    "talk: no longer given again": (change_talk("again", reprise_of=None), {"again"}),
    "waiting: title": (change_talk("waiting", title="Else"), {"waiting", "summit"}),
    "waiting: speakers": (change_talk("waiting", speakers=[{"slug": "ada"}]), {"waiting", "summit"}),
    "waiting: gets its time": (change_talk("waiting", starts="2026-06-11T09:00:00"), {"waiting", "summit"}),
    "waiting: withdrawn": (apply_action("waiting", TalkAction.WITHDRAW), {"waiting", "summit"}),
    "talk: withdrawn": (apply_action("talk", TalkAction.WITHDRAW), {"talk"}),
    "talk: cancelled": (apply_action("talk", TalkAction.CANCEL), {"talk"}),
    "draft: public at last": (publish_draft, {"draft", "summit", "sequel"}),
    "speaker: name": (edit_grace(name="Amazing Grace"), {*EVENT_AND_TALKS, "again", "sequel", "hackday"}),
    "speaker: affiliation": (edit_grace(affiliation="US Navy"), {*BOTH_TALKS, "again", "sequel"}),
    "speakers: merged": (merge_ada_into_grace, {*EVENT_AND_TALKS, "again", "sequel", "hackday"}),
    "room: name": (edit_room(name="Room 2"), {"talk"}),
    "room: removed": (
        lambda world, session: delete_track_or_room(session, world.get_row(session, Room, "room")),
        {"talk"},
    ),
    "track: name": (edit_track(name="RISC-V"), {"talk"}),
    "track: removed": (
        lambda world, session: delete_track_or_room(session, world.get_row(session, Track, "track")),
        {"talk"},
    ),
    "event: title": (edit_summit(title="Else"), EVENT_AND_TALKS),
    "event: description": (edit_summit(description="Else"), SUMMIT_ONLY),
    "event: tags": (edit_summit(tags=["b"]), SUMMIT_ONLY),
    "event: price": (edit_summit(registration={"price": {"amount": Decimal(5), "currency": "EUR"}}), SUMMIT_ONLY),
    "event: venue": (edit_summit(location={"venue": "Barn"}), EVENT_AND_TALKS),
    "event: city": (edit_summit(location={"city": "Bonn"}), EVENT_AND_TALKS),
    "event: street": (edit_summit(location={"address": "1 Main St"}), EVENT_AND_TALKS),
    "event: region": (edit_summit(location={"region": "TX"}), EVENT_AND_TALKS),
    "event: country": (edit_summit(location={"country": "US"}), EVENT_AND_TALKS),
    "event: website": (edit_summit(url="https://xen.example/"), SUMMIT_ONLY),
    "event: place on earth": (edit_summit(location={"latitude": 1.5, "longitude": 2.5}), EVENT_AND_TALKS),
    "event: online": (edit_summit(online_url="https://meet.example.org/"), EVENT_AND_TALKS),
    "event: zone": (edit_summit(timezone="Europe/London"), {"talk"}),
    "event: days": (edit_summit(ends="2026-06-13"), {"summit", "waiting"}),
    "event: times": (edit_summit(starts="2026-06-10T09:00:00", ends="2026-06-12T17:00:00"), SUMMIT_ONLY),
    "event: tentative": (edit_summit(status=EventStatus.TENTATIVE), {"summit", "talk"}),
    "event: postponed": (edit_summit(status=EventStatus.POSTPONED), {"summit", "talk"}),
    "event: recurs": (edit_summit(recurrence="FREQ=YEARLY"), SUMMIT_ONLY),
    "event: beside nothing": (edit_summit(co_located_with=[]), {"summit", "hackday"}),
    "event: cancelled": (
        lambda world, session: cancel_event(session, world.get_event(session), now=world.calendar.clock.now()),
        EVENT_AND_TALKS,
    ),
    "event: redacted": (
        lambda world, session: redact_event(
            session, world.get_event(session), caller=MODERATOR_CALLER, now=world.calendar.clock.now()
        ),
        EVENT_AND_TALKS,
    ),
    "talk: redacted": (
        lambda world, session: redact_talk(
            session, world.get_talk(session), caller=MODERATOR_CALLER, now=world.calendar.clock.now()
        ),
        {"talk"},
    ),
    "neighbour: public at last": (
        lambda world, session: publish_event(session, world.get_event(session, "proposed"), caller=MODERATOR_CALLER),
        {"proposed", "summit"},
    ),
    "neighbour: address": (
        lambda world, session: setattr(world.get_event(session, "hackday"), "slug", "hackathon"),
        {"hackday"},
    ),
    "tier: name": (set_columns(Tier, "tier", name="Else"), SUMMIT_ONLY),
    "sponsor: name": (set_columns(Sponsor, "sponsor", name="Else"), SUMMIT_ONLY),
    "sponsor: address": (set_columns(Sponsor, "sponsor", url="https://else.example.org/"), SUMMIT_ONLY),
    "sponsorship: confirmed": (
        lambda world, session: make_sponsorship(
            session, world.get_row(session, Tier, "tier"), state=SponsorshipState.CONFIRMED
        ),
        SUMMIT_ONLY,
    ),
    "sponsorship: cancelled": (set_columns(Sponsorship, "sponsorship", state=SponsorshipState.CANCELLED), SUMMIT_ONLY),
    # Fields shown only in the API's resources.
    "tier: what it holds": (set_columns(Tier, "tier", benefits=["A booth"], capacity=5), set()),
    "sponsor: description": (set_columns(Sponsor, "sponsor", description="Else"), set()),
    "talk: language": (change_talk("talk", language="de"), set()),
    "talk: recording": (change_talk("talk", recording_url="https://video.example.org/"), set()),
    "speaker: bio": (edit_grace(bio="Else"), set()),
    "room: capacity": (edit_room(capacity=5), set()),
    "track: colour": (edit_track(colour="#ff0000"), set()),
    "event: series": (edit_summit(series="Xen"), set()),
    "event: call": (edit_summit(call_for_talks={"note": "Else"}), set()),
}


def test_entry_numbers_increase_only_for_entries_affected_by_a_change(world: FeedScenario) -> None:
    before = world.calendar.entry_versions()
    reached, wrong = {}, []
    for name, (do, _) in AFFECTED_ENTRIES.items():
        with world.calendar.rolled_back_unit() as unit:
            do(world, unit.session)
            unit.flush_hooks()
            after = load_entry_versions(unit.session)
        changed = {id_ for id_ in after if id_ not in before or after[id_].ics != before[id_].ics}
        reached[name] = {world.names_by_id()[id_] for id_ in changed}
        wrong += [(name, id_) for id_ in after if id_ not in changed and not _is_unchanged(before[id_], after[id_])]
        wrong += [(name, id_) for id_ in changed if not _has_increased(before.get(id_), after[id_], world)]
    assert reached == {name: names for name, (_, names) in AFFECTED_ENTRIES.items()}
    assert wrong == []


def _is_unchanged(old: EntryVersion, new: EntryVersion) -> bool:
    return (new.sequence, new.last_modified, new.ics) == (old.sequence, old.last_modified, old.ics)


def _has_increased(old: EntryVersion | None, new: EntryVersion, world: FeedScenario) -> bool:
    """Return True if SEQUENCE rose by one, the stamp by at least a second but not into the future, and the revision."""
    if new.last_modified > world.calendar.clock.now():
        return False
    if old is None:
        return new.sequence == 0
    return (
        new.sequence == old.sequence + 1
        and new.last_modified >= old.last_modified + timedelta(seconds=1)
        and new.revision > old.revision
    )


def test_public_change_advances_date_and_cursor_and_keeps_loaded_objects_usable(world: FeedScenario) -> None:
    revision, changed_at = world.calendar.get_feed_state()
    links = UrlBuilder(BASE_URL)
    for name, (do, _) in AFFECTED_ENTRIES.items():
        with world.calendar.rolled_back_unit() as unit:
            event, talk = world.get_event(unit.session), world.get_talk(unit.session)
            do(world, unit.session)
            unit.flush_hooks()
            state, (_, until) = (
                get_feed_state(unit.session),
                list_public_changes(unit.session, since=revision, limit=50),
            )
            moved = (state.revision > revision, changed_at < state.changed_at == unit.now, until == state.revision)
            assert (name, *moved) == (name, True, True, True)
            # Like the views, which serialise the loaded objects afterwards.
            assert (event_json(event, links)["slug"], talk_json(talk, links)["id"]) == ("summit", world.ids["talk"])


def test_ledger_equals_its_recomputation_after_every_change(world: FeedScenario) -> None:
    for name, (do, _) in AFFECTED_ENTRIES.items():
        with world.calendar.rolled_back_unit() as unit:
            do(world, unit.session)
            unit.flush_hooks()
            before = load_feed_rows(unit.session)
            world.calendar.rerender(unit)
            assert (name, load_feed_rows(unit.session)) == (name, before)


def test_sponsor_change_shows_only_in_rich_entries(world: FeedScenario) -> None:
    calendar, rich = world.calendar, Options(rich=True)
    plain, before = calendar.parse_entry(world.ids["summit"]), calendar.fetch_bytes(options=rich)
    calendar.set_columns(Sponsor, world.ids["sponsor"], name="Else")
    after = calendar.parse_entry(world.ids["summit"])
    assert {line.name for line in after.lines if line not in plain.lines} == {"SEQUENCE", "DTSTAMP", "LAST-MODIFIED"}
    assert (b"SUMMARY:Rackspace" in before, b"SUMMARY:Else" in before) == (True, False)
    assert (
        b"SUMMARY:Rackspace" in calendar.fetch_bytes(options=rich),
        b"SUMMARY:Else" in calendar.fetch_bytes(options=rich),
    ) == (*(False, True),)


def test_event_resource_is_revised_when_a_co_located_event_changes_its_slug(world: FeedScenario) -> None:
    before = world.calendar.entry_versions()[world.ids["summit"]]
    world.calendar.set_columns(Event, world.ids["hackday"], slug="hackathon")
    after = world.calendar.entry_versions()[world.ids["summit"]]
    # The entry contains only UIDs; the resource contains the slug.
    assert after.ics == before.ics
    assert after.revision > before.revision
