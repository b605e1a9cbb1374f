"""The entries affected by a change: their numbers increase if and only if their text changes."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from eventcal.events.models import Event, Room, Track
from eventcal.events.state_changes import cancel_event, publish_event, redact_event
from eventcal.feeds.format_registry import Options
from eventcal.feeds.index.feed_index import get_feed_state
from eventcal.feeds.stored_json import list_public_changes
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier
from eventcal.talks.removal import delete_track_or_room
from eventcal.talks.rules import TalkAction
from eventcal.talks.service import redact_talk
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.schemas.events import event_json
from eventcal.web.schemas.talks import talk_json
from tests.clocks import FixedClock
from tests.feed_support.feed_world import (
    Do,
    World,
    edit,
    edit_grace,
    edit_room,
    edit_summit,
    edit_track,
    merge_ada_into_grace,
    open_world,
    publish_draft,
    put,
    step,
)
from tests.feed_support.make_feeds import BASE_URL, Numbers, kept, numbers_of
from tests.make import MODERATOR, make_sponsorship


@pytest.fixture
def world(database_url: str, clock: FixedClock) -> Iterator[World]:
    with open_world(database_url, clock) as world:
        yield world


SUMMIT, BOTH, ALL = {"summit"}, {"talk", "waiting"}, {"summit", "talk", "waiting"}

# Each change, and the entries whose text it changes; all others stay the same.
REACHES: dict[str, tuple[Do, set[str]]] = {
    "talk: title": (edit("talk", title="Else"), {"talk"}),
    "talk: abstract": (edit("talk", abstract="Else"), {"talk"}),
    "talk: tags": (edit("talk", tags=["b"]), {"talk"}),
    "talk: the order of tags": (edit("talk", tags=["b", "a"]), {"talk"}),
    "talk: starts": (edit("talk", starts="2026-06-10T14:00:00"), {"talk"}),
    "talk: ends": (edit("talk", ends="2026-06-10T15:00:00"), {"talk"}),
    "talk: kind, and so its length": (edit("talk", kind="lightning"), {"talk"}),
    "talk: room": (edit("talk", room=None), {"talk"}),
    "talk: track": (edit("talk", track=None), {"talk"}),
    "talk: time taken away": (edit("talk", starts=None), {"talk", "summit"}),
    "talk: the order of speakers": (edit("talk", speakers=[{"slug": "ada"}, {"slug": "grace"}]), {"talk"}),
    "talk: one speaker fewer": (edit("talk", speakers=[{"slug": "ada"}]), {"talk"}),
    "talk: no longer given again": (edit("again", reprise_of=None), {"again"}),
    "waiting: title": (edit("waiting", title="Else"), {"waiting", "summit"}),
    "waiting: speakers": (edit("waiting", speakers=[{"slug": "ada"}]), {"waiting", "summit"}),
    "waiting: gets its time": (edit("waiting", starts="2026-06-11T09:00:00"), {"waiting", "summit"}),
    "waiting: withdrawn": (step("waiting", TalkAction.WITHDRAW), {"waiting", "summit"}),
    "talk: withdrawn": (step("talk", TalkAction.WITHDRAW), {"talk"}),
    "talk: cancelled": (step("talk", TalkAction.CANCEL), {"talk"}),
    "draft: public at last": (publish_draft, {"draft", "summit", "sequel"}),
    "speaker: name": (edit_grace(name="Amazing Grace"), {*ALL, "again", "sequel", "hackday"}),
    "speaker: affiliation": (edit_grace(affiliation="US Navy"), {*BOTH, "again", "sequel"}),
    "speakers: merged": (merge_ada_into_grace, {*ALL, "again", "sequel", "hackday"}),
    "room: name": (edit_room(name="Room 2"), {"talk"}),
    "room: removed": (lambda world, session: delete_track_or_room(session, world.row(session, Room, "room")), {"talk"}),
    "track: name": (edit_track(name="RISC-V"), {"talk"}),
    "track: removed": (
        lambda world, session: delete_track_or_room(session, world.row(session, Track, "track")),
        {"talk"},
    ),
    "event: title": (edit_summit(title="Else"), ALL),
    "event: description": (edit_summit(description="Else"), SUMMIT),
    "event: tags": (edit_summit(tags=["b"]), SUMMIT),
    "event: price": (edit_summit(registration={"price": {"amount": 5, "currency": "EUR"}}), SUMMIT),
    "event: venue": (edit_summit(location={"venue": "Barn"}), ALL),
    "event: city": (edit_summit(location={"city": "Bonn"}), ALL),
    "event: place on earth": (edit_summit(location={"latitude": 1.5, "longitude": 2.5}), ALL),
    "event: online": (edit_summit(online_url="https://meet.example.org/"), ALL),
    "event: zone": (edit_summit(timezone="Europe/London"), {"talk"}),
    "event: days": (edit_summit(ends="2026-06-13"), {"summit", "waiting"}),
    "event: times": (edit_summit(starts="2026-06-10T09:00:00", ends="2026-06-12T17:00:00"), SUMMIT),
    "event: tentative": (edit_summit(status="tentative"), {"summit", "talk"}),
    "event: postponed": (edit_summit(status="postponed"), {"summit", "talk"}),
    "event: recurs": (edit_summit(recurrence="FREQ=YEARLY"), SUMMIT),
    "event: beside nothing": (edit_summit(co_located_with=[]), {"summit", "hackday"}),
    "event: cancelled": (
        lambda world, session: cancel_event(session, world.event(session), now=world.calendar.clock.now()),
        ALL,
    ),
    "event: redacted": (
        lambda world, session: redact_event(
            session, world.event(session), caller=MODERATOR, now=world.calendar.clock.now()
        ),
        ALL,
    ),
    "talk: redacted": (
        lambda world, session: redact_talk(
            session, world.talk(session), caller=MODERATOR, now=world.calendar.clock.now()
        ),
        {"talk"},
    ),
    "neighbour: public at last": (
        lambda world, session: publish_event(session, world.event(session, "proposed"), caller=MODERATOR),
        {"proposed", "summit"},
    ),
    "neighbour: address": (
        lambda world, session: setattr(world.event(session, "hackday"), "slug", "hackathon"),
        {"hackday"},
    ),
    "tier: name": (put(Tier, "tier", name="Else"), SUMMIT),
    "sponsor: name": (put(Sponsor, "sponsor", name="Else"), SUMMIT),
    "sponsor: address": (put(Sponsor, "sponsor", url="https://else.example.org/"), SUMMIT),
    "sponsorship: confirmed": (
        lambda world, session: make_sponsorship(
            session, world.row(session, Tier, "tier"), state=SponsorshipState.CONFIRMED
        ),
        SUMMIT,
    ),
    "sponsorship: cancelled": (put(Sponsorship, "sponsorship", state=SponsorshipState.CANCELLED), SUMMIT),
    # Fields shown only in the API's resources.
    "tier: what it holds": (put(Tier, "tier", benefits=["A booth"], capacity=5), set()),
    "sponsor: description": (put(Sponsor, "sponsor", description="Else"), set()),
    "talk: language": (edit("talk", language="de"), set()),
    "talk: recording": (edit("talk", recording_url="https://video.example.org/"), set()),
    "speaker: bio": (edit_grace(bio="Else"), set()),
    "room: capacity": (edit_room(capacity=5), set()),
    "track: colour": (edit_track(colour="#ff0000"), set()),
    "event: country": (edit_summit(location={"country": "DE"}), set()),
    "event: series": (edit_summit(series="Xen"), set()),
    "event: call": (edit_summit(call_for_talks={"note": "Else"}), set()),
}


def test_entry_numbers_increase_only_for_entries_affected_by_a_change(world: World) -> None:
    before = world.calendar.numbers()
    reached, wrong = {}, []
    for name, (do, _) in REACHES.items():
        with world.calendar.undone() as unit:
            do(world, unit.session)
            unit.flush_hooks()
            after = numbers_of(unit.session)
        changed = {id_ for id_ in after if id_ not in before or after[id_].text != before[id_].text}
        reached[name] = {world.names()[id_] for id_ in changed}
        wrong += [(name, id_) for id_ in after if id_ not in changed and not _is_the_same(before[id_], after[id_])]
        wrong += [(name, id_) for id_ in changed if not _rose(before.get(id_), after[id_], world)]
    assert reached == {name: names for name, (_, names) in REACHES.items()}
    assert wrong == []


def _is_the_same(old: Numbers, new: Numbers) -> bool:
    return (new.sequence, new.stamp, new.text) == (old.sequence, old.stamp, old.text)


def _rose(old: Numbers | None, new: Numbers, world: World) -> bool:
    """Return True if SEQUENCE rose by one, the stamp by at least a second but not into the future, and the revision."""
    if new.stamp > world.calendar.clock.now():
        return False
    if old is None:
        return new.sequence == 0
    return (
        new.sequence == old.sequence + 1
        and new.stamp >= old.stamp + timedelta(seconds=1)
        and new.revision > old.revision
    )


def test_public_change_advances_date_and_cursor_and_keeps_loaded_objects_usable(world: World) -> None:
    revision, changed_at = world.calendar.state()
    links = UrlBuilder(BASE_URL)
    for name, (do, _) in REACHES.items():
        with world.calendar.undone() as unit:
            event, talk = world.event(unit.session), world.talk(unit.session)
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


def test_ledger_equals_its_recomputation_after_every_change(world: World) -> None:
    for name, (do, _) in REACHES.items():
        with world.calendar.undone() as unit:
            do(world, unit.session)
            unit.flush_hooks()
            before = kept(unit.session)
            world.calendar.ledger.force_rerender_all(unit.session, now=unit.now)
            assert (name, kept(unit.session)) == (name, before)


def test_sponsor_change_shows_only_in_rich_entries(world: World) -> None:
    calendar, rich = world.calendar, Options(rich=True)
    plain, before = calendar.entry(world.ids["summit"]), calendar.take(options=rich)
    calendar.change(Sponsor, world.ids["sponsor"], name="Else")
    after = calendar.entry(world.ids["summit"])
    assert {line.name for line in after.lines if line not in plain.lines} == {"SEQUENCE", "DTSTAMP", "LAST-MODIFIED"}
    assert (b"SUMMARY:Rackspace" in before, b"SUMMARY:Else" in before) == (True, False)
    assert (b"SUMMARY:Rackspace" in calendar.take(options=rich), b"SUMMARY:Else" in calendar.take(options=rich)) == (
        *(False, True),
    )


def test_event_resource_is_revised_when_a_co_located_event_changes_its_slug(world: World) -> None:
    before = world.calendar.numbers()[world.ids["summit"]]
    world.calendar.change(Event, world.ids["hackday"], slug="hackathon")
    after = world.calendar.numbers()[world.ids["summit"]]
    # The entry contains only UIDs; the resource contains the slug.
    assert after.text == before.text
    assert after.revision > before.revision
