"""Queries for events and event teams."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, Select, bindparam, exists, inspect, or_, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from eventcal.events.enums import PUBLIC_STATUSES, EventStatus, TeamRole
from eventcal.events.errors import EventNotFound, EventPartNotFound
from eventcal.events.filter import (
    Filter,
    Sort,
    date_range_conditions,
    event_attribute_conditions,
    event_conditions,
    sort_keys,
    tombstone_visible_condition,
)
from eventcal.events.models import CoLocation, Event, Room, TeamMember, Track
from eventcal.events.recurrence.occurrences import has_occurrence_between
from eventcal.kit.errors import Forbidden, Message
from eventcal.kit.ids import hash_secret
from eventcal.kit.models import UtcDateTime
from eventcal.kit.pagination import Page, PageRequest, fetch_page
from eventcal.members.caller import Caller
from eventcal.members.enums import Role, Scope
from eventcal.members.models import AccessToken, Member, TotpSecret
from eventcal.members.permission_checks import check_organiser, check_reviewer

TrackOrRoom = TypeVar("TrackOrRoom", bound=Track | Room)


def event_load_options() -> tuple[ORMOption, ...]:
    """Return the loader options for all relationships that an event's API resource and feed entry require."""
    return (
        selectinload(Event.tags),
        selectinload(Event.tracks),
        selectinload(Event.rooms),
        selectinload(Event.call),
        selectinload(Event.neighbours).joinedload(CoLocation.other),
    )


def get_event(session: Session, slug: str, caller: Caller) -> Event:
    """Return the fully loaded event. Raises EventNotFound if the event is missing or hidden from the caller."""
    rows = select(Event).where(Event.slug == slug).options(*event_load_options())
    # A slug from a form or query string can contain NUL, which PostgreSQL rejects in text values.
    event = session.scalars(rows).one_or_none() if "\x00" not in slug else None
    if event is None or not can_view_event(event, caller):
        raise EventNotFound(slug)
    return event


def get_event_for_organiser(session: Session, slug: str, caller: Caller) -> Event:
    """Return an event that the caller is allowed to manage. Raises EventNotFound, NotSignedIn or Forbidden."""
    event = get_event(session, slug, caller)
    check_can_manage_event(event, caller)
    return event


def get_event_for_reviewer(session: Session, slug: str, caller: Caller) -> Event:
    """Return an event whose submissions are visible to the caller. Raises EventNotFound, NotSignedIn or Forbidden."""
    event = get_event(session, slug, caller)
    check_reviewer(caller, event.id)
    return event


def can_manage_event(event: Event, caller: Caller) -> bool:
    return caller.is_moderator or (caller.can_organise(event.id) and not is_public_and_redacted(event))


def check_can_manage_event(event: Event, caller: Caller) -> None:
    """Raise NotSignedIn or Forbidden unless the caller is allowed to manage the event."""
    check_organiser(caller, event.id)
    if is_public_and_redacted(event) and not caller.is_moderator:
        raise Forbidden(Message("A moderator erased this event. Only a moderator may change it."))


def is_public_and_redacted(event: Event) -> bool:
    return event.redacted_at is not None and event.status in PUBLIC_STATUSES


def can_view_event(event: Event, caller: Caller) -> bool:
    return event.status in PUBLIC_STATUSES or caller.can_review(event.id)


def select_public_events(filters: Filter, *, now: datetime) -> Select[Event]:
    """Return a SELECT statement for the public events and visible tombstones that match the filter."""
    shown = tombstone_visible_condition(now.date(), Event.tombstone_until)
    return select(Event).where(Event.status.in_(PUBLIC_STATUSES), shown, *event_conditions(filters, now=now))


def exclude_without_occurrence(
    session: Session, filters: Filter, *, statuses: Sequence[EventStatus] = PUBLIC_STATUSES
) -> Filter:
    """Return a copy of the filter that excludes recurring events without an occurrence in the date range.

    The database cannot expand recurrence rules, so recurring events with the given `statuses` are expanded in Python.
    """
    if filters.from_day is None and filters.to_day is None:
        return filters
    columns = (Event.id, Event.timezone, Event.starts, Event.ends, Event.recurrence, Event.recurrence_overrides)
    recurring = select(*columns).where(Event.recurrence.is_not(None), Event.status.in_(statuses))
    conditions = date_range_conditions(filters, Event) + event_attribute_conditions(filters)
    rows = session.execute(recurring.where(*conditions).order_by(Event.id))
    absent = tuple(row.id for row in rows if not has_occurrence_between(row, filters.from_day, filters.to_day))
    return replace(filters, excluded_event_ids=absent)


def list_events(session: Session, filters: Filter, *, sort: Sort, paging: PageRequest, now: datetime) -> Page[Event]:
    rows = select_public_events(exclude_without_occurrence(session, filters), now=now).options(*event_load_options())
    return fetch_page(session, rows, order=sort_keys(sort, Event, Event.starts_at), paging=paging)


def list_pending_events(
    session: Session, filters: Filter, *, sort: Sort, paging: PageRequest, now: datetime
) -> Page[Event]:
    """Return a page of the events that await moderation. The caller must be a moderator."""
    exactly = exclude_without_occurrence(session, filters, statuses=[EventStatus.PENDING])
    rows = select(Event).where(Event.status == EventStatus.PENDING, *event_conditions(exactly, now=now))
    order = sort_keys(sort, Event, Event.starts_at)
    return fetch_page(session, rows.options(*event_load_options()), order=order, paging=paging)


def list_all_team_events(session: Session, caller: Caller, *, paging: PageRequest) -> Page[Event]:
    """Return a page of the events whose team includes the caller, in reverse chronological order."""
    rows = select(Event).where(Event.id.in_(caller.organised_event_ids | caller.reviewed_event_ids))
    order = sort_keys(Sort.STARTS_DOWN, Event, Event.starts_at)
    return fetch_page(session, rows.options(*event_load_options()), order=order, paging=paging)


def list_team_events(
    session: Session, caller: Caller, *, past: bool, paging: PageRequest, now: datetime
) -> Page[Event]:
    """Return a page of the events whose team includes the caller. Past events are in reverse chronological order."""
    goes_on = or_(Event.last_ends_at.is_(None), Event.last_ends_at > now)
    event_ids = caller.organised_event_ids | caller.reviewed_event_ids
    rows = select(Event).where(Event.id.in_(event_ids), ~goes_on if past else goes_on)
    sort = Sort.STARTS_DOWN if past else Sort.STARTS
    return fetch_page(session, rows, order=sort_keys(sort, Event, Event.starts_at), paging=paging)


def ensure_event_loaded(session: Session, event: Event) -> None:
    if inspect(event).unloaded:
        session.scalars(select(Event).where(Event.id == event.id).options(*event_load_options())).one()


def public_events_by_slug(session: Session, slugs: Iterable[str]) -> dict[str, Event]:
    rows = select(Event).where(Event.slug.in_(list(slugs)), Event.status.in_(PUBLIC_STATUSES))
    return {event.slug: event for event in session.scalars(rows)}


def get_track_or_room_for_organiser(
    session: Session, table: type[TrackOrRoom], part_id: str, *, caller: Caller
) -> TrackOrRoom:
    """Return a track or room that the caller can manage. Raises EventPartNotFound, NotSignedIn or Forbidden."""
    rows = select(table, Event).join(Event, Event.id == table.event_id).where(table.id == part_id)
    row = session.execute(rows).one_or_none()
    if row is None or not can_view_event(row[1], caller):
        raise EventPartNotFound(Message("Room or track not found."))
    check_can_manage_event(row[1], caller)
    return row[0]


def team_roles_by_event(session: Session, member_id: str) -> dict[str, TeamRole]:
    rows = select(TeamMember.event_id, TeamMember.role).where(TeamMember.member_id == member_id)
    return dict(session.execute(rows).all())


def list_team_members(session: Session, event: Event) -> list[tuple[TeamMember, Member]]:
    rows = select(TeamMember, Member).join(Member, Member.id == TeamMember.member_id)
    team = rows.where(TeamMember.event_id == event.id).order_by(Member.name, Member.id)
    return [(row, member) for row, member in session.execute(team)]


def event_slugs_by_id(session: Session, event_ids: Iterable[str]) -> dict[str, str]:
    return dict(session.execute(select(Event.id, Event.slug).where(Event.id.in_(list(event_ids)))).all())


def find_team_event_ids(session: Session, slugs: Iterable[str], caller: Caller) -> dict[str, str]:
    """Return the IDs, by slug, of those events that the caller helps to run. Moderators help to run every event."""
    rows = select(Event.slug, Event.id).where(Event.slug.in_(list(slugs)))
    if not caller.is_moderator:
        rows = rows.where(Event.id.in_(caller.organised_event_ids | caller.reviewed_event_ids))
    return dict(session.execute(rows).all())


class TokenCaller(NamedTuple):
    """The caller for an access token, the events to which the token is restricted, and the time of its last use."""

    caller: Caller
    event_ids: frozenset[str] | None
    last_used_at: datetime | None


_TOKEN_ROWS = (
    select(
        AccessToken.id.label("token_id"),
        AccessToken.scopes,
        AccessToken.granted_role,
        AccessToken.event_ids,
        AccessToken.last_used_at,
        Member.id.label("member_id"),
        Member.role,
        Member.confirmed_at,
        exists().where(TotpSecret.member_id == Member.id).label("has_totp"),
        TeamMember.event_id,
        TeamMember.role.label("team_role"),
    )
    .join(Member, Member.id == AccessToken.member_id)
    .outerjoin(TeamMember, TeamMember.member_id == Member.id)
    .where(
        AccessToken.token_hash == bindparam("token_hash"),
        AccessToken.expires_at > bindparam("now", type_=UtcDateTime()),
        Member.active,
    )
)


def find_caller_by_token(connection: Connection, token: str, *, now: datetime) -> TokenCaller | None:
    """Return the caller for an access token, or None if the token is invalid or the member is inactive.

    `lacks_second_factor` of the caller is true if a moderator has no authenticator app.
    """
    rows = connection.execute(_TOKEN_ROWS, {"token_hash": hash_secret(token), "now": now}).all()
    if not rows:
        return None
    found = rows[0]
    teams = [(row.event_id, row.team_role) for row in rows]
    caller = Caller(
        member_id=found.member_id,
        role=found.role,
        organised_event_ids=frozenset(event_id for event_id, team_role in teams if team_role == TeamRole.ORGANISER),
        reviewed_event_ids=frozenset(event_id for event_id, team_role in teams if team_role == TeamRole.REVIEWER),
        token_id=found.token_id,
        scopes=frozenset(Scope(word) for word in found.scopes),
        email_confirmed=found.confirmed_at is not None,
        lacks_second_factor=found.role is not Role.MEMBER and not found.has_totp,
    )
    event_ids = None if found.event_ids is None else frozenset(found.event_ids)
    # A promotion after the creation of the token does not widen its permissions.
    return TokenCaller(caller.limit_role(found.granted_role), event_ids, found.last_used_at)
