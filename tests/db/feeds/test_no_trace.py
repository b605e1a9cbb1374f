"""Data that is not public affects nothing in the ledger: no entry, revision, date or cursor."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from eventcal.events import service
from eventcal.events.enums import PUBLIC_STATUSES, TeamRole
from eventcal.events.models import Event, Room, Track
from eventcal.events.service import edit_event, propose_event
from eventcal.events.state_changes import redact_event
from eventcal.feeds.index.feed_index import get_feed_state
from eventcal.feeds.index.models import FeedEntry
from eventcal.feeds.stored_json import list_public_changes
from eventcal.kit.ids import hash_secret
from eventcal.members.models import Member, PersonalFeed
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import update_speaker
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Tier
from eventcal.talks.models import Talk
from eventcal.talks.removal import delete_event, merge_speakers
from eventcal.talks.rules import TalkAction
from eventcal.talks.service import add_star, edit_talk, redact_talk, submit_talk
from tests.clocks import FixedClock
from tests.feed_support.feed_world import Do, World, edit, open_world, publish_draft, step
from tests.feed_support.make_feeds import deadlines_of, numbers_of
from tests.make import MODERATOR, caller_of, make_speaker, make_sponsor, make_sponsorship, make_tier


@pytest.fixture
def world(database_url: str, clock: FixedClock) -> Iterator[World]:
    with open_world(database_url, clock) as world:
        yield world


def _propose(world: World, session: Session) -> Event:
    caller = caller_of(world.row(session, Member, "member"))
    fields = {"title": "Secret", "timezone": "Europe/Berlin", "starts": "2026-06-10", "co_located_with": ["summit"]}
    return propose_event(session, fields, caller=caller, now=world.calendar.clock.now())


def _edit_proposed(world: World, session: Session) -> None:
    event = world.event(session, "proposed")
    fields: dict[str, Any] = {"title": "Else", "slug": "else", "tags": ["b"], "co_located_with": ["hackday"]}
    fields["call_for_talks"] = {"closes_at": "2026-05-01T12:00:00"}
    edit_event(session, event, fields, now=world.calendar.clock.now())
    service.create_track_or_room(session, event, {"name": "Attic"}, table=Room)
    service.create_track_or_room(session, event, {"name": "ARM"}, table=Track)


def _remove_proposed(world: World, session: Session) -> None:
    delete_event(session, world.event(session, "proposed"))


def _submit(world: World, session: Session) -> None:
    member = world.row(session, Member, "member")
    fields = {"title": "Secret", "speakers": [{"slug": "grace"}, {"name": "New"}], "tags": ["b"], "draft": True}
    now = world.calendar.clock.now()
    submit_talk(session, world.event(session), fields, member=member, caller=caller_of(member), now=now)


def _sponsor_proposed(world: World, session: Session) -> None:
    tier = make_tier(session, world.event(session, "proposed"))
    sponsor = make_sponsor(session, slug="quiet")
    make_sponsorship(session, tier, sponsor=sponsor, state=SponsorshipState.CONFIRMED)
    tier.name, sponsor.name = "Else", "Else"


def _turn_down(world: World, session: Session) -> None:
    enquiry = make_sponsorship(session, world.row(session, Tier, "tier"))
    enquiry.state = SponsorshipState.CANCELLED


def _write_private_columns(world: World, session: Session) -> None:
    talk = world.talk(session)
    talk.notes, talk.submitter_id = "Else", None
    world.row(session, Speaker, "grace").email = "grace@example.org"
    world.event(session).proposer_id = world.ids["member"]


def _merge_unknown_speakers(world: World, session: Session) -> None:
    unknown, other = world.row(session, Speaker, "unknown"), make_speaker(session, slug="unknown-too")
    merge_speakers(session, other, unknown, caller=MODERATOR, now=world.calendar.clock.now())


def _save_the_same_again(world: World, session: Session) -> None:
    now, talk, event = world.calendar.clock.now(), world.talk(session), world.event(session)
    of_talk = ("title", "abstract", "kind", "starts", "ends", "duration_minutes")
    plain = {name: getattr(talk, name) for name in of_talk}
    of_the_talk = {"tags": ["a"], "room": "Room 1", "track": "ARM", "speakers": [{"slug": "grace"}, {"slug": "ada"}]}
    edit_talk(session, talk, plain | of_the_talk, caller=MODERATOR, now=now)
    of_event = ("title", "starts", "ends", "timezone", "description", "recurrence", "status")
    plain = {name: getattr(event, name) for name in of_event}
    nested: dict[str, Any] = {"tags": ["xen"], "location": {"venue": "Hall"}, "call_for_talks": {}}
    edit_event(session, event, plain | nested, now=now)
    edit_event(session, world.event(session, "hackday"), {"co_located_with": ["summit"]}, now=now)
    update_speaker(session, world.row(session, Speaker, "grace"), {"name": "Grace Hopper"}, caller=MODERATOR, now=now)
    service.edit_track_or_room(session, world.row(session, Room, "room"), {"name": "Room 1"})


def _make_an_agenda(world: World, session: Session) -> None:
    member = world.row(session, Member, "member")
    add_star(session, world.talk(session), caller=caller_of(member), now=world.calendar.clock.now())
    feed = PersonalFeed(name="phone", member_id=member.id, secret_hash=hash_secret("s"), created_at=member.created_at)
    session.add(feed)
    service.add_team_member(session, world.event(session), member, role=TeamRole.REVIEWER)


QUIET: dict[str, Do] = {
    "an event is proposed": _propose,
    "an event that waits is edited": _edit_proposed,
    "an event that waits is removed": _remove_proposed,
    "an event that waits is redacted": lambda world, session: redact_event(
        session, world.event(session, "proposed"), caller=MODERATOR, now=world.calendar.clock.now()
    ),
    "a draft is written": _submit,
    "a draft is edited": edit("draft", title="Else", abstract="Else", tags=["b"], speakers=[{"name": "Newer"}]),
    "a draft is submitted": step("draft", TalkAction.SUBMIT),
    "a draft is withdrawn": step("draft", TalkAction.WITHDRAW),
    "a draft is redacted": lambda world, session: redact_talk(
        session, world.talk(session, "draft"), caller=MODERATOR, now=world.calendar.clock.now()
    ),
    "an unknown speaker is edited": lambda world, session: update_speaker(
        session,
        world.row(session, Speaker, "unknown"),
        {"name": "Else", "bio": "Else"},
        caller=MODERATOR,
        now=world.calendar.clock.now(),
    ),
    "an unknown speaker turns out to be another one": _merge_unknown_speakers,
    "an event that waits is sponsored": _sponsor_proposed,
    "somebody asks to sponsor": lambda world, session: make_sponsorship(session, world.row(session, Tier, "tier")),
    "somebody who asks to sponsor is turned down": _turn_down,
    "what is private is written": _write_private_columns,
    "the same is saved again": _save_the_same_again,
    "somebody makes an agenda": _make_an_agenda,
}


def _versions(table: type[Event | Talk]) -> Select[str, int, datetime]:
    return select(table.id, table.revision, table.updated_at).order_by(table.id)


def seen(session: Session) -> list[object]:
    """Return everything by which the public could detect a change."""
    state = get_feed_state(session)
    return [
        state.revision,
        state.changed_at,
        state.full_rebuild_revision,
        list_public_changes(session, since=0, limit=50),
        numbers_of(session),
        deadlines_of(session),
        *session.execute(_versions(Event).where(Event.status.in_(PUBLIC_STATUSES))),
        *session.execute(_versions(Talk).where(Talk.published_at.is_not(None))),
    ]


def test_private_changes_leave_the_public_state_unchanged(world: World) -> None:
    with world.calendar.database.read_session() as session:
        before = seen(session)
    for name, do in QUIET.items():
        with world.calendar.undone() as unit:
            do(world, unit.session)
            unit.flush_hooks()
            assert (name, *seen(unit.session)) == (name, *before)


def test_unpublished_data_appears_in_no_entry(world: World) -> None:
    with world.calendar.database.read_session() as session:
        texts = "".join(session.scalars(select(FeedEntry.ics)).all()).replace("\r\n ", "")
    for name in ("proposed", "draft", "unknown"):
        assert world.ids[name] not in texts
    assert "Proposed" not in texts
    assert "Not yet known" not in texts


def test_speaker_becomes_public_with_their_first_public_talk(world: World) -> None:
    def published() -> list[str]:
        with world.calendar.database.read_session() as session:
            return list(
                session.scalars(select(Speaker.slug).where(Speaker.published_at.is_not(None)).order_by(Speaker.slug))
            )

    assert published() == ["ada", "grace"]
    with world.calendar.write() as session:
        publish_draft(world, session)
    assert published() == ["ada", "grace", "unknown"]
