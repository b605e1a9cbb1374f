"""Tracks, rooms, team members and stars of an event, and the removal of parts that talks use."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.enums import EventStatus, TeamRole
from eventcal.events.errors import CannotDeletePublished, DuplicateName, EventPartNotFound, InUse, LastOrganiser
from eventcal.events.models import Event, Room, TeamMember, Track
from eventcal.events.queries import get_event, get_track_or_room_for_organiser, list_team_members, team_roles_by_event
from eventcal.events.service import add_team_member, create_track_or_room, edit_track_or_room, remove_team_member
from eventcal.kit.errors import Forbidden
from eventcal.members.enums import Role
from eventcal.talks.delete_and_merge_referenced import delete_event, delete_track_or_room
from eventcal.talks.enums import TalkState
from eventcal.talks.errors import TalkNotFound
from eventcal.talks.models import Star
from eventcal.talks.queries import get_talk
from eventcal.talks.service import add_star, remove_star
from tests.clocks import NOON
from tests.factories import (
    MODERATOR_CALLER,
    flush_and_expunge,
    make_caller,
    make_event,
    make_member,
    make_organiser,
    make_talk,
)


def reload_event(session: Session, event: Event) -> Event:
    """Return the event as the next request loads it."""
    flush_and_expunge(session)
    return get_event(session, event.slug, MODERATOR_CALLER)


# Tracks and rooms


def test_tracks_and_rooms_keep_insertion_order(session: Session) -> None:
    event = make_event(session)
    for name in ("Main", "Art", "Kernel"):
        event = reload_event(session, event)
        create_track_or_room(session, event, {"name": name, "colour": "#aa0000"}, table=Track)
        create_track_or_room(session, event, {"name": f"{name} room", "capacity": 80}, table=Room)
    event = reload_event(session, event)
    assert [(track.name, track.colour) for track in event.tracks] == [
        ("Main", "#aa0000"),
        ("Art", "#aa0000"),
        ("Kernel", "#aa0000"),
    ]
    assert [(room.name, room.capacity) for room in event.rooms] == [
        ("Main room", 80),
        ("Art room", 80),
        ("Kernel room", 80),
    ]


def test_track_and_room_names_are_unique_within_an_event(session: Session) -> None:
    event, another = make_event(session, tracks=["Main"], rooms=["Hall"]), make_event(session)
    with pytest.raises(DuplicateName):
        create_track_or_room(session, event, {"name": "Main"}, table=Track)
    with pytest.raises(DuplicateName):
        create_track_or_room(session, event, {"name": "Hall"}, table=Room)
    assert (
        create_track_or_room(session, another, {"name": "Main"}, table=Track).name
        == create_track_or_room(session, another, {"name": "Main"}, table=Room).name
    )


def test_renaming_a_track_rejects_a_name_in_use(session: Session) -> None:
    event = make_event(session, tracks=["Main", "Side"])
    assert edit_track_or_room(session, event.tracks[0], {"name": "Main", "colour": "#00ff00"}).colour == "#00ff00"
    with pytest.raises(DuplicateName):
        edit_track_or_room(session, event.tracks[0], {"name": "Side"})
    assert edit_track_or_room(session, event.tracks[0], {"name": "Stage"}).name == "Stage"


def test_get_part_requires_an_organiser(session: Session) -> None:
    event = make_event(session, tracks=["Main"], rooms=["Hall"])
    organiser, member = make_organiser(session, event), make_caller(make_member(session))
    assert get_track_or_room_for_organiser(session, Track, event.tracks[0].id, caller=organiser) is event.tracks[0]
    assert get_track_or_room_for_organiser(session, Room, event.rooms[0].id, caller=organiser) is event.rooms[0]
    with pytest.raises(Forbidden):
        get_track_or_room_for_organiser(session, Track, event.tracks[0].id, caller=member)


def test_part_of_hidden_event_is_not_found(session: Session) -> None:
    event = make_event(session, status=EventStatus.PENDING, rooms=["Hall"])
    for room_id in (event.rooms[0].id, "nothing"):
        with pytest.raises(EventPartNotFound) as refused:
            get_track_or_room_for_organiser(session, Room, room_id, caller=make_caller(make_member(session)))
        assert refused.value.detail == "Room or track not found."


def test_removing_a_track_or_room_unassigns_its_talks(session: Session) -> None:
    event = make_event(session, tracks=["Main"], rooms=["Hall"])
    talk = make_talk(session, event, track="Main", room="Hall")
    flush_and_expunge(session)
    delete_track_or_room(session, session.scalars(select(Track)).one())
    delete_track_or_room(session, session.scalars(select(Room)).one())
    flush_and_expunge(session)
    talk = get_talk(session, talk.id, MODERATOR_CALLER)
    assert (talk.track, talk.room, talk.title) == (None, None, "Xen on ARM")


# Whole events


def test_deleting_an_unpublished_event_deletes_its_dependent_rows(session: Session) -> None:
    event = make_event(session, status=EventStatus.DRAFT, tags=["xen"], tracks=["Main"], rooms=["Hall"])
    make_organiser(session, event)
    delete_event(session, reload_event(session, event))
    flush_and_expunge(session)
    assert [session.scalars(select(table)).all() for table in (Event, Track, Room, TeamMember)] == [[], [], [], []]


def test_event_with_talks_or_a_public_past_cannot_be_deleted(session: Session) -> None:
    event = make_event(session, status=EventStatus.DRAFT)
    make_talk(session, event)
    with pytest.raises(InUse):
        delete_event(session, reload_event(session, event))
    with pytest.raises(CannotDeletePublished):
        delete_event(session, make_event(session))


# The team


def test_team_is_listed_by_name(session: Session) -> None:
    event = make_event(session)
    names = [("Zoe", TeamRole.ORGANISER), ("Ada", TeamRole.REVIEWER), ("Max", TeamRole.ORGANISER)]
    for name, role in names:
        add_team_member(session, event, make_member(session, name=name), role=role)
    assert [(member.name, row.role) for row, member in list_team_members(session, event)] == sorted(names)


def test_adding_a_team_member_again_changes_the_role(session: Session) -> None:
    event, member = make_event(session), make_member(session)
    make_organiser(session, event)
    for role in (TeamRole.REVIEWER, TeamRole.ORGANISER, TeamRole.ORGANISER, TeamRole.REVIEWER):
        add_team_member(session, event, member, role=role)
        assert team_roles_by_event(session, member.id) == {event.id: role}


def test_last_organiser_cannot_be_removed_or_demoted(session: Session) -> None:
    event, member = make_event(session), make_member(session)
    add_team_member(session, event, make_member(session), role=TeamRole.REVIEWER)
    add_team_member(session, event, member, role=TeamRole.ORGANISER)
    with pytest.raises(LastOrganiser):
        add_team_member(session, event, member, role=TeamRole.REVIEWER)
    with pytest.raises(LastOrganiser):
        remove_team_member(session, event, member.id)
    assert team_roles_by_event(session, member.id) == {event.id: TeamRole.ORGANISER}


def test_organiser_can_leave_if_another_organiser_remains(session: Session) -> None:
    event, member = make_event(session), make_member(session)
    add_team_member(session, event, member, role=TeamRole.ORGANISER)
    make_organiser(session, event)
    remove_team_member(session, event, member.id)
    assert team_roles_by_event(session, member.id) == {}


def test_reviewer_can_always_leave_the_team(session: Session) -> None:
    event, member = make_event(session), make_member(session)
    add_team_member(session, event, member, role=TeamRole.REVIEWER)
    remove_team_member(session, event, member.id)
    assert list_team_members(session, event) == []


def test_removing_a_member_who_is_not_on_the_team_fails(session: Session) -> None:
    with pytest.raises(EventPartNotFound):
        remove_team_member(session, make_event(session), make_member(session).id)


def test_moderators_may_organise_every_event(session: Session) -> None:
    event = make_event(session, tracks=["Main"])
    for role, decides in ((Role.MEMBER, False), (Role.MODERATOR, True), (Role.ADMIN, True)):
        assert make_caller(make_member(session, role=role)).can_organise(event.id) is decides


# Stars


def test_adding_and_removing_a_star_is_idempotent(session: Session) -> None:
    caller = make_caller(make_member(session))
    talk = make_talk(session, make_event(session), state=TalkState.CONFIRMED)
    for _ in range(2):
        add_star(session, talk, caller=caller, now=NOON)
    assert [(star.member_id, star.talk_id) for star in session.scalars(select(Star))] == [(caller.member_id, talk.id)]
    for _ in range(2):
        remove_star(session, talk.id, caller=caller)
    assert session.scalars(select(Star)).all() == []


def test_talk_that_is_not_public_cannot_be_starred(session: Session) -> None:
    talk = make_talk(session, make_event(session))
    with pytest.raises(TalkNotFound):
        add_star(session, talk, caller=make_caller(make_member(session)), now=NOON)
