"""Use cases of what belongs to one event: its tracks, its rooms, its team."""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventcal.events.errors import LastOrganiser, NameTaken, NoSuchPart
from eventcal.events.models import Event, Room, TeamMember, Track
from eventcal.events.words import TeamRole
from eventcal.kit.refusals import Sentence
from eventcal.members.models import Member

Part = TypeVar("Part", Track, Room)


def add_track(session: Session, event: Event, fields: Mapping[str, Any]) -> Track:
    """Add a track to an event. Raises NameTaken."""
    return _add(session, event, event.tracks, Track(event_id=event.id, **fields))


def add_room(session: Session, event: Event, fields: Mapping[str, Any]) -> Room:
    """Add a room to an event. Raises NameTaken."""
    return _add(session, event, event.rooms, Room(event_id=event.id, **fields))


def edit_part(session: Session, part: Part, fields: Mapping[str, Any]) -> Part:
    """Change a track or a room. Raises NameTaken."""
    if "name" in fields and fields["name"] != part.name:
        _check_name(session, type(part), part.event_id, fields["name"])
    for name, value in fields.items():
        setattr(part, name, value)
    session.flush()
    return part


def _add(session: Session, event: Event, parts: list[Part], part: Part) -> Part:
    _check_name(session, type(part), event.id, part.name)
    part.position = 1 + max((one.position for one in parts), default=-1)
    parts.append(part)
    session.flush()
    return part


def _check_name(session: Session, table: type[Track] | type[Room], event_id: str, name: str) -> None:
    taken = session.scalar(select(table.id).where(table.event_id == event_id, table.name == name))
    if taken is not None:
        raise NameTaken(_name_taken(table, name))


def _name_taken(table: type[Track] | type[Room], name: str) -> Sentence:
    if table is Track:
        return Sentence("This event has a track “%(name)s” already.", name=name)
    return Sentence("This event has a room “%(name)s” already.", name=name)


def put_on_team(session: Session, event: Event, member: Member, role: TeamRole) -> TeamMember:
    """Give a member a role in an event's team; the same again changes nothing. Raises LastOrganiser."""
    row = session.get(TeamMember, (event.id, member.id))
    if row is None:
        row = TeamMember(event_id=event.id, member_id=member.id, role=role)
        session.add(row)
    elif row.role != role:
        if role != TeamRole.ORGANISER:
            _check_another_organiser(session, row)
        row.role = role
    session.flush()
    return row


def take_off_team(session: Session, event: Event, member_id: str) -> None:
    """Take a member off an event's team. Raises NoSuchPart, LastOrganiser."""
    row = session.get(TeamMember, (event.id, member_id))
    if row is None:
        raise NoSuchPart(Sentence("Nobody by this id is on the team."))
    _check_another_organiser(session, row)
    session.delete(row)
    session.flush()


def _check_another_organiser(session: Session, row: TeamMember) -> None:
    if row.role != TeamRole.ORGANISER:
        return
    organisers = session.scalar(
        select(func.count())
        .select_from(TeamMember)
        .where(TeamMember.event_id == row.event_id, TeamMember.role == TeamRole.ORGANISER)
    )
    if organisers == 1:
        raise LastOrganiser(Sentence("An event needs an organiser: name another one first."))
