"""Data that is not public affects nothing in the ledger: no entry, revision, date or cursor."""

from collections.abc import Iterator
from datetime import datetime
from typing import cast

import pytest
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from eventcal.events import service
from eventcal.events.enums import PUBLIC_STATUSES, TeamRole
from eventcal.events.fields import EventFields
from eventcal.events.models import Event, Room, Track
from eventcal.events.service import edit_event, propose_event
from eventcal.events.state_changes import redact_event
from eventcal.feeds.index.feed_index import get_feed_state
from eventcal.feeds.index.models import FeedEntry
from eventcal.feeds.stored_json_queries import list_public_changes
from eventcal.kit.ids import hash_secret
from eventcal.members.models import Member, PersonalFeed
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import update_speaker
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Tier
from eventcal.talks.delete_and_merge_referenced import delete_event, merge_speakers
from eventcal.talks.fields import TalkFields
from eventcal.talks.models import Talk
from eventcal.talks.rules import TalkAction
from eventcal.talks.service import add_star, edit_talk, redact_talk, submit_talk
from tests.clocks import FixedClock
from tests.factories import MODERATOR_CALLER, make_caller, make_speaker, make_sponsor, make_sponsorship, make_tier
from tests.feed_support.feed_calendar import load_deadline_versions, load_entry_versions
from tests.feed_support.feed_scenario import (
    Change,
    FeedScenario,
    apply_action,
    change_talk,
    open_scenario,
    publish_draft,
)


@pytest.fixture
def world(database_url: str, clock: FixedClock) -> Iterator[FeedScenario]:
    with open_scenario(database_url, clock) as world:
        yield world


def _propose_event(world: FeedScenario, session: Session) -> Event:
    caller = make_caller(world.get_row(session, Member, "member"))
    fields: EventFields = {"title": "Secret", "timezone": "Europe/Berlin", "starts": "2026-06-10"}
    fields["co_located_with"] = ["summit"]
    return propose_event(session, fields, caller=caller, now=world.calendar.clock.now())


def _edit_proposed_event(world: FeedScenario, session: Session) -> None:
    event = world.get_event(session, "proposed")
    fields: EventFields = {"title": "Else", "slug": "else", "tags": ["b"], "co_located_with": ["hackday"]}
    fields["call_for_talks"] = {"closes_at": "2026-05-01T12:00:00"}
    edit_event(session, event, fields, now=world.calendar.clock.now())
    service.create_track_or_room(session, event, {"name": "Attic"}, table=Room)
    service.create_track_or_room(session, event, {"name": "ARM"}, table=Track)


def _delete_proposed_event(world: FeedScenario, session: Session) -> None:
    delete_event(session, world.get_event(session, "proposed"))


def _submit_talk(world: FeedScenario, session: Session) -> None:
    member = world.get_row(session, Member, "member")
    fields: TalkFields = {"title": "Secret", "tags": ["b"], "draft": True}
    fields["speakers"] = [{"slug": "grace"}, {"name": "New"}]
    now = world.calendar.clock.now()
    submit_talk(session, world.get_event(session), fields, member=member, caller=make_caller(member), now=now)


def _add_sponsorship_of_proposed_event(world: FeedScenario, session: Session) -> None:
    tier = make_tier(session, world.get_event(session, "proposed"))
    sponsor = make_sponsor(session, slug="quiet")
    make_sponsorship(session, tier, sponsor=sponsor, state=SponsorshipState.CONFIRMED)
    tier.name, sponsor.name = "Else", "Else"


def _cancel_sponsorship_request(world: FeedScenario, session: Session) -> None:
    enquiry = make_sponsorship(session, world.get_row(session, Tier, "tier"))
    enquiry.state = SponsorshipState.CANCELLED


def _write_private_columns(world: FeedScenario, session: Session) -> None:
    talk = world.get_talk(session)
    talk.notes, talk.submitter_id = "Else", None
    world.get_row(session, Speaker, "grace").email = "grace@example.org"
    world.get_event(session).proposer_id = world.ids["member"]


def _merge_hidden_speakers(world: FeedScenario, session: Session) -> None:
    unknown, other = world.get_row(session, Speaker, "unknown"), make_speaker(session, slug="unknown-too")
    merge_speakers(session, other, unknown, caller=MODERATOR_CALLER, now=world.calendar.clock.now())


def _save_without_changes(world: FeedScenario, session: Session) -> None:
    now, talk, event = world.calendar.clock.now(), world.get_talk(session), world.get_event(session)
    of_talk = ("title", "abstract", "kind", "starts", "ends", "duration_minutes")
    plain = cast("TalkFields", {name: getattr(talk, name) for name in of_talk})
    of_the_talk: TalkFields = {"tags": ["a"], "room": "Room 1", "track": "ARM"}
    of_the_talk["speakers"] = [{"slug": "grace"}, {"slug": "ada"}]
    edit_talk(session, talk, plain | of_the_talk, caller=MODERATOR_CALLER, now=now)
    of_event = ("title", "starts", "ends", "timezone", "description", "recurrence", "status")
    simple = cast("EventFields", {name: getattr(event, name) for name in of_event})
    nested: EventFields = {"tags": ["xen"], "location": {"venue": "Hall"}, "call_for_talks": {}}
    edit_event(session, event, simple | nested, now=now)
    edit_event(session, world.get_event(session, "hackday"), {"co_located_with": ["summit"]}, now=now)
    update_speaker(
        session, world.get_row(session, Speaker, "grace"), {"name": "Grace Hopper"}, caller=MODERATOR_CALLER, now=now
    )
    service.edit_track_or_room(session, world.get_row(session, Room, "room"), {"name": "Room 1"})


def _add_star_feed_and_team_member(world: FeedScenario, session: Session) -> None:
    member = world.get_row(session, Member, "member")
    add_star(session, world.get_talk(session), caller=make_caller(member), now=world.calendar.clock.now())
    feed = PersonalFeed(name="phone", member_id=member.id, secret_hash=hash_secret("s"), created_at=member.created_at)
    session.add(feed)
    service.add_team_member(session, world.get_event(session), member, role=TeamRole.REVIEWER)


PRIVATE_CHANGES: dict[str, Change] = {
    "an event is proposed": _propose_event,
    "an event that waits is edited": _edit_proposed_event,
    "an event that waits is removed": _delete_proposed_event,
    "an event that waits is redacted": lambda world, session: redact_event(
        session, world.get_event(session, "proposed"), caller=MODERATOR_CALLER, now=world.calendar.clock.now()
    ),
    "a draft is written": _submit_talk,
    "a draft is edited": change_talk("draft", title="Else", abstract="Else", tags=["b"], speakers=[{"name": "Newer"}]),
    "a draft is submitted": apply_action("draft", TalkAction.SUBMIT),
    "a draft is withdrawn": apply_action("draft", TalkAction.WITHDRAW),
    "a draft is redacted": lambda world, session: redact_talk(
        session, world.get_talk(session, "draft"), caller=MODERATOR_CALLER, now=world.calendar.clock.now()
    ),
    "an unknown speaker is edited": lambda world, session: update_speaker(
        session,
        world.get_row(session, Speaker, "unknown"),
        {"name": "Else", "bio": "Else"},
        caller=MODERATOR_CALLER,
        now=world.calendar.clock.now(),
    ),
    "an unknown speaker turns out to be another one": _merge_hidden_speakers,
    "an event that waits is sponsored": _add_sponsorship_of_proposed_event,
    "somebody asks to sponsor": lambda world, session: make_sponsorship(session, world.get_row(session, Tier, "tier")),
    "somebody who asks to sponsor is turned down": _cancel_sponsorship_request,
    "what is private is written": _write_private_columns,
    "the same is saved again": _save_without_changes,
    "somebody makes an agenda": _add_star_feed_and_team_member,
}


def _select_versions(table: type[Event | Talk]) -> Select[str, int, datetime]:
    return select(table.id, table.revision, table.updated_at).order_by(table.id)


def load_public_state(session: Session) -> list[object]:
    """Return everything by which the public could detect a change."""
    state = get_feed_state(session)
    return [
        state.revision,
        state.changed_at,
        state.full_rebuild_revision,
        list_public_changes(session, since=0, limit=50),
        load_entry_versions(session),
        load_deadline_versions(session),
        *session.execute(_select_versions(Event).where(Event.status.in_(PUBLIC_STATUSES))),
        *session.execute(_select_versions(Talk).where(Talk.published_at.is_not(None))),
    ]


def test_private_changes_leave_the_public_state_unchanged(world: FeedScenario) -> None:
    with world.calendar.database.read_session() as session:
        before = load_public_state(session)
    for name, do in PRIVATE_CHANGES.items():
        with world.calendar.rolled_back_unit() as unit:
            do(world, unit.session)
            unit.flush_hooks()
            assert (name, *load_public_state(unit.session)) == (name, *before)


def test_unpublished_data_appears_in_no_entry(world: FeedScenario) -> None:
    with world.calendar.database.read_session() as session:
        texts = "".join(session.scalars(select(FeedEntry.ics)).all()).replace("\r\n ", "")
    for name in ("proposed", "draft", "unknown"):
        assert world.ids[name] not in texts
    assert "Proposed" not in texts
    assert "Not yet known" not in texts


def test_speaker_becomes_public_with_their_first_public_talk(world: FeedScenario) -> None:
    def published() -> list[str]:
        with world.calendar.database.read_session() as session:
            return list(
                session.scalars(select(Speaker.slug).where(Speaker.published_at.is_not(None)).order_by(Speaker.slug))
            )

    assert published() == ["ada", "grace"]
    with world.calendar.write_session() as session:
        publish_draft(world, session)
    assert published() == ["ada", "grace", "unknown"]
