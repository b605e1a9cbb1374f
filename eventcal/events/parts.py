"""Use cases of what belongs to one event: its tracks, its rooms, its team."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from eventcal.events.errors import LastOrganiser, NameTaken, NoSuchPart
from eventcal.events.models import Event, TeamMember, Track
from eventcal.events.queries import Part
from eventcal.events.words import TeamRole
from eventcal.kit.refusals import Sentence
from eventcal.members.models import Member


def add_part(session: Session, event: Event, table: type[Part], fields: Mapping[str, Any]) -> Part:
    """Add a track or a room to an event, behind the others. Raises NameTaken."""
    _check_name(session, table, event.id, fields["name"])
    others = event.tracks if issubclass(table, Track) else event.rooms
    part = table(event_id=event.id, position=1 + max((one.position for one in others), default=-1), **fields)
    if isinstance(part, Track):
        event.tracks.append(part)
    else:
        event.rooms.append(part)
    session.flush()
    return part


def edit_part(session: Session, part: Part, fields: Mapping[str, Any]) -> Part:
    """Change a track or a room. Raises NameTaken."""
    if fields.get("name", part.name) != part.name:
        _check_name(session, type(part), part.event_id, fields["name"])
    for name, value in fields.items():
        setattr(part, name, value)
    session.flush()
    return part


def _check_name(session: Session, table: type[Part], event_id: str, name: str) -> None:
    if session.scalar(select(exists().where(table.event_id == event_id, table.name == name))):
        if issubclass(table, Track):
            raise NameTaken(Sentence("This event has a track “%(name)s” already.", name=name))
        raise NameTaken(Sentence("This event has a room “%(name)s” already.", name=name))


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
