"""Services for creating and editing events, tracks, rooms, teams and co-locations."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from eventcal.events.enums import PUBLIC_STATUSES, EventStatus, TeamRole
from eventcal.events.errors import DuplicateName, EventPartNotFound, InvalidTransition, LastOrganiser
from eventcal.events.fields import CallForTalksFields, EventFields
from eventcal.events.models import CallForTalks, CoLocation, Event, EventTag, TeamMember, Track
from eventcal.events.queries import TrackOrRoom, public_events_by_slug
from eventcal.events.recurrence.overrides import drop_empty_overrides, merge_overrides, override_errors
from eventcal.events.rules import ALLOWED_STATUS_EDITS, event_errors, recompute_event_columns
from eventcal.events.state_changes import LOCATION_COLUMNS
from eventcal.kit.errors import FieldError, Invalid, Message, raise_if_invalid, require
from eventcal.kit.ids import DuplicateSlug, SlugImmutable, generate_unique_slug, is_slug_taken, new_id
from eventcal.kit.models import set_given_fields
from eventcal.members.caller import Caller
from eventcal.members.models import Member
from eventcal.members.quotas import Quota
from eventcal.members.security_log import SecurityEvent, log_security_event_on_commit
from eventcal.members.service import check_email_confirmed

_SIMPLE_FIELDS = ("title", "kind", "summary", "description", "programme", "attendance", "online_url", "url", "series")
# The fields that determine the occurrences of an event.
_TIMING_FIELDS = ("timezone", "starts", "ends", "recurrence")
_CALL_COLUMNS = {"opens_at": "opens", "closes_at": "closes", "anywhere_on_earth": "anywhere_on_earth", "note": "note"}
PENDING_EVENT_QUOTA = Quota(
    10,
    lambda limit: Message(
        "You have %(limit)s events that are not published yet. Wait until one of them is published, or delete one.",
        limit=limit,
    ),
)
PRICE_COLUMNS = {"amount": "price_amount", "currency": "price_currency"}


def propose_event(session: Session, fields: EventFields, *, caller: Caller, now: datetime) -> Event:
    """Create an event and make its proposer an organiser.

    Raises EmailNotConfirmed, QuotaExceeded, DuplicateSlug or Invalid.
    """
    check_email_confirmed(caller)
    unpublished = Event.status.in_([EventStatus.DRAFT, EventStatus.PENDING])
    existing = select(Event.id).where(Event.proposer_id == caller.member_id, unpublished)
    PENDING_EVENT_QUOTA.check(session, existing, role=caller.role)
    event = build_event(session, fields, caller=caller, now=now)
    session.add(event)
    session.flush()
    if caller.member_id is not None:
        session.add(TeamMember(event_id=event.id, member_id=caller.member_id, role=TeamRole.ORGANISER))
    session.flush()
    if event.status in PUBLIC_STATUSES:
        log_security_event_on_commit(session, SecurityEvent.EVENT_PUBLISHED, calendar_event=event.slug)
    return event


def build_event(session: Session, fields: EventFields, *, caller: Caller, now: datetime) -> Event:
    """Return a new event without adding it to the session. Raises Invalid or DuplicateSlug."""
    event = Event(
        id=new_id(),
        status=_initial_status(fields.get("status"), caller),
        slug=_choose_slug(session, fields.get("slug"), fields["title"]),
        proposer_id=caller.member_id,
        created_at=now,
        updated_at=now,
        tags=[],
        tracks=[],
        rooms=[],
        neighbours=[],
        call=None,
        recurrence_overrides={},
    )
    _set_event_fields(session, event, {"ends": fields["starts"][:10], **fields})
    recompute_event_columns(event, now=now)
    return event


def edit_event(session: Session, event: Event, fields: EventFields, *, now: datetime) -> Event:
    """Merge the fields into an event. Raises SlugImmutable, DuplicateSlug, InvalidTransition or Invalid."""
    apply_event_fields(session, event, fields, now=now)
    session.flush()
    return event


def apply_event_fields(session: Session, event: Event, fields: EventFields, *, now: datetime) -> None:
    """Update an event like `edit_event`, without flushing. The event does not have to belong to a session."""
    status = EventStatus(fields.get("status", event.status))
    if status not in {event.status, *ALLOWED_STATUS_EDITS[event.status]}:
        words = {"status": event.status.label, "wanted": status.label}
        detail = Message("The status of an event cannot be changed from %(status)s to %(wanted)s.", **words)
        raise InvalidTransition(detail)
    event.status = status
    if "slug" in fields and fields["slug"] != event.slug:
        if event.status in PUBLIC_STATUSES:
            detail = Message(
                "The slug of a public event cannot be changed, because it is part of the addresses that "
                "subscribers use."
            )
            raise SlugImmutable(detail)
        event.slug = _choose_slug(session, fields["slug"], event.title)
    _set_event_fields(session, event, fields)
    recompute_event_columns(event, now=now)


def _initial_status(requested: str | None, caller: Caller) -> EventStatus:
    status = EventStatus(requested or (EventStatus.CONFIRMED if caller.is_moderator else EventStatus.PENDING))
    if not caller.is_moderator and status not in {EventStatus.PENDING, EventStatus.DRAFT}:
        refused = Message("must be draft or pending, because only moderators publish events")
        raise Invalid(errors=[FieldError("/status", refused)])
    return status


def _choose_slug(session: Session, requested: str | None, title: str) -> str:
    if requested is None:
        return generate_unique_slug(session, Event.slug, title, fallback="event")
    if is_slug_taken(session, Event.slug, requested):
        raise DuplicateSlug(requested)
    return requested


def _set_event_fields(session: Session, event: Event, fields: EventFields) -> None:
    set_given_fields(event, fields, _SIMPLE_FIELDS + _TIMING_FIELDS)
    if "location" in fields:
        merge_nested_fields(event, fields["location"], {name: name for name in LOCATION_COLUMNS})
    if "registration" in fields:
        registration = fields["registration"]
        merge_nested_fields(event, registration, {"url": "registration_url"})
        if registration is None or "price" in registration:
            merge_nested_fields(event, registration["price"] if registration else None, PRICE_COLUMNS)
    if "tags" in fields:
        event.tags = EventTag.build_rows(event.tags, fields["tags"] or [])
    if "call_for_talks" in fields:
        _set_call_for_talks(event, fields["call_for_talks"])
    errors = _set_overrides_and_validate(event, fields)
    if "co_located_with" in fields:
        errors += _set_co_located_events(session, event, fields["co_located_with"] or [])
    raise_if_invalid(errors)


def merge_nested_fields(row: object, given: Mapping[str, object] | None, columns: Mapping[str, str]) -> None:
    """Merge a nested object into the columns of a row (RFC 7396). If `given` is None, all columns are cleared."""
    for name, column in columns.items():
        if given is None or name in given:
            setattr(row, column, given[name] if given is not None else None)


def _set_call_for_talks(event: Event, given: CallForTalksFields | None) -> None:
    if given is None:
        event.call = None
        return
    if event.call is None:
        event.call = CallForTalks(opens=None, closes=None, anywhere_on_earth=False, kinds=[], note=None)
    merge_nested_fields(event.call, given, _CALL_COLUMNS)
    event.call.anywhere_on_earth = bool(event.call.anywhere_on_earth)
    if "kinds" in given:
        event.call.kinds = list(given["kinds"] or [])


def _set_overrides_and_validate(event: Event, fields: EventFields) -> list[FieldError]:
    overrides = event.recurrence_overrides
    if "recurrence_overrides" in fields:
        overrides = merge_overrides(overrides, fields["recurrence_overrides"])
    event.recurrence_overrides = drop_empty_overrides(overrides)
    names = (*_TIMING_FIELDS, "latitude", "longitude", *PRICE_COLUMNS.values())
    stored = {name: getattr(event, name) for name in names}
    if event.call is not None:
        stored["call_for_talks"] = {name: getattr(event.call, column) for name, column in _CALL_COLUMNS.items()}
    errors = event_errors(stored)
    if not any(error.pointer[1:] in _TIMING_FIELDS for error in errors):
        errors += override_errors(event, overrides, changed=fields.get("recurrence_overrides") or ())
    return errors


def _set_co_located_events(session: Session, event: Event, slugs: Sequence[str]) -> list[FieldError]:
    """Set the co-located events of an event. If a slug is invalid, return the errors and change nothing."""
    found = public_events_by_slug(session, slugs)
    errors = [
        FieldError(f"/co_located_with/{i}", Message("is not a public event: “%(slug)s”", slug=slug))
        for i, slug in enumerate(slugs)
        if slug not in found or slug == event.slug
    ]
    errors += [
        FieldError(f"/co_located_with/{i}", Message("is a duplicate; remove it"))
        for i, slug in enumerate(slugs)
        if slug in slugs[:i]
    ]
    if errors:
        return errors
    here = {row.other_id: row for row in event.neighbours}
    # Callers can name only public events, so existing co-locations with non-public events are preserved.
    hidden = [row.other for row in event.neighbours if row.other.status not in PUBLIC_STATUSES]
    wanted = [*(found[slug] for slug in slugs), *hidden]
    places = [row.position for row in event.neighbours]
    # Rows added by `_mirror_co_locations` all have the same position and therefore no defined order.
    if list(here) != [other.id for other in wanted] or places != sorted(set(places)):
        event.neighbours = [here.get(other.id) or CoLocation(other_id=other.id, other=other) for other in wanted]
        for position, row in enumerate(event.neighbours):
            row.position = position
    _mirror_co_locations(session, event)
    return []


def _mirror_co_locations(session: Session, event: Event) -> None:
    ids = {row.other_id for row in event.neighbours}
    back = session.scalars(select(CoLocation).where(CoLocation.other_id == event.id)).all()
    for row in back:
        if row.event_id not in ids:
            session.delete(row)
    for other_id in sorted(ids - {row.event_id for row in back}):
        # The large position sorts the new co-located event after all existing ones.
        session.add(CoLocation(event_id=other_id, other_id=event.id, position=1000))


def create_track_or_room(
    session: Session, event: Event, fields: Mapping[str, Any], *, table: type[TrackOrRoom]
) -> TrackOrRoom:
    """Append a track or room to an event. Raises DuplicateName if the name is already used."""
    _check_part_name_free(session, table, event.id, name=fields["name"])
    parts: list[Any] = event.tracks if issubclass(table, Track) else event.rooms
    part = table(event_id=event.id, position=1 + max((one.position for one in parts), default=-1), **fields)
    parts.append(part)
    session.flush()
    return part


def edit_track_or_room(session: Session, part: TrackOrRoom, fields: Mapping[str, Any]) -> TrackOrRoom:
    """Update a track or room. Raises DuplicateName if the name is already used."""
    if fields.get("name", part.name) != part.name:
        _check_part_name_free(session, type(part), part.event_id, name=fields["name"])
    set_given_fields(part, fields, fields)
    session.flush()
    return part


def _check_part_name_free(session: Session, table: type[TrackOrRoom], event_id: str, *, name: str) -> None:
    if session.scalar(select(exists().where(table.event_id == event_id, table.name == name))):
        if issubclass(table, Track):
            raise DuplicateName(Message("This event already has a track “%(name)s”.", name=name))
        raise DuplicateName(Message("This event already has a room “%(name)s”.", name=name))


def add_team_member(session: Session, event: Event, member: Member, *, role: TeamRole) -> TeamMember:
    """Add a member to an event's team, or change the member's role. Raises LastOrganiser."""
    if session.get(TeamMember, (event.id, member.id)) is not None:
        return change_team_role(session, event, member.id, role=role)
    row = TeamMember(event_id=event.id, member_id=member.id, role=role)
    session.add(row)
    session.flush()
    log_security_event_on_commit(session, SecurityEvent.TEAM_CHANGED, member_id=member.id, team=event.slug, role=role)
    return row


def change_team_role(session: Session, event: Event, member_id: str, *, role: TeamRole) -> TeamMember:
    """Change the role of a member of an event's team. Raises EventPartNotFound or LastOrganiser."""
    row = _get_team_member(session, event, member_id)
    if role != TeamRole.ORGANISER:
        _check_another_organiser(session, row)
    row.role = role
    session.flush()
    log_security_event_on_commit(session, SecurityEvent.TEAM_CHANGED, member_id=member_id, team=event.slug, role=role)
    return row


def remove_team_member(session: Session, event: Event, member_id: str) -> None:
    """Remove a member from an event's team. Raises EventPartNotFound or LastOrganiser."""
    row = _get_team_member(session, event, member_id)
    _check_another_organiser(session, row)
    session.delete(row)
    session.flush()
    log_security_event_on_commit(session, SecurityEvent.TEAM_CHANGED, member_id=member_id, team=event.slug)


def _get_team_member(session: Session, event: Event, member_id: str) -> TeamMember:
    missing = EventPartNotFound(Message("No team member has this id."))
    return require(session.get(TeamMember, (event.id, member_id)), missing)


def _check_another_organiser(session: Session, row: TeamMember) -> None:
    organisers = select(func.count()).where(TeamMember.event_id == row.event_id, TeamMember.role == TeamRole.ORGANISER)
    if row.role == TeamRole.ORGANISER and session.scalar(organisers) == 1:
        raise LastOrganiser(Message("An event needs at least one organiser. Add another organiser first."))
