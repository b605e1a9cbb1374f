"""Loading of the events in a data set, with their tracks, rooms, tiers and sponsorships."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ParamSpec, TypeVar, cast

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from eventcal.datasets.import_session import ImportSession
from eventcal.datasets.parser import Dataset, Record, RecordKey
from eventcal.events.enums import ACTIVE_STATUSES, PUBLIC_STATUSES, EventStatus
from eventcal.events.errors import InvalidTransition
from eventcal.events.fields import EventFields
from eventcal.events.models import Event, Room, Track
from eventcal.events.queries import ensure_event_loaded
from eventcal.events.service import create_track_or_room, edit_event, edit_track_or_room, propose_event
from eventcal.events.state_changes import cancel_event, publish_event
from eventcal.kit.errors import FieldError, raise_if_invalid
from eventcal.members.caller import OPERATOR
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier
from eventcal.sponsors.queries import list_tiers_with_taken_places
from eventcal.sponsors.rules import SponsorshipAction
from eventcal.sponsors.service import apply_sponsorship_action, create_sponsorship, create_tier, update_tier

_SEPARATE_EVENT_FIELDS = frozenset({"slug", "status", "co_located_with", "tracks", "rooms", "tiers", "sponsorships"})

Part = TypeVar("Part", Track, Room, Tier)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def load_event(loading: ImportSession, record: Record) -> None:
    """Create or update an event. A new event is public unless the record specifies another status."""
    session, now, given = loading.session, loading.now, record.fields
    own = cast("EventFields", {name: given[name] for name in given if name not in _SEPARATE_EVENT_FIELDS})
    new = own | cast("EventFields", {name: given[name] for name in ("slug", "status") if name in given})
    event = loading.upsert(
        loading.events,
        record,
        add=_in_savepoint(session, lambda _: propose_event(session, new, caller=OPERATOR, now=now)),
        edit=_in_savepoint(session, lambda event, _: edit_event(session, event, own, now=now)),
        required_fields=("title", "timezone", "starts"),
    )
    if event is None:
        return
    with loading.collect_errors(f"{record.pointer}/status"), session.begin_nested():
        _set_event_status(loading, event, given.get("status", event.status))
    add_track = partial(create_track_or_room, session, event, table=Track)
    _load_parts(loading, record, "tracks", parts=event.tracks, add=add_track, edit=edit_track_or_room)
    add_room = partial(create_track_or_room, session, event, table=Room)
    _load_parts(loading, record, "rooms", parts=event.rooms, add=add_room, edit=edit_track_or_room)
    tiers = [tier for tier, _taken in list_tiers_with_taken_places(session, event)]
    add_tier = partial(create_tier, session, event)
    named = _load_parts(loading, record, "tiers", parts=tiers, add=add_tier, edit=update_tier)
    for held in record.iter_nested_records("sponsorships"):
        sponsor, tier = loading.sponsors.get(held.fields["sponsor"]), named.get(held.fields["tier"])
        with loading.collect_errors(held.pointer), session.begin_nested():
            if tier is None:
                raise_if_invalid([FieldError("/tier", f"is not a tier of this event: “{held.fields['tier']}”")])
            elif sponsor is not None:
                _load_sponsorship(loading, tier, sponsor, fields=held.fields)


def _set_event_status(loading: ImportSession, event: Event, status: EventStatus) -> None:
    """Change the status of an event through a sequence of allowed transitions. Raises InvalidTransition."""
    if status == event.status:
        return
    if status == EventStatus.CANCELLED:
        cancel_event(loading.session, event, now=loading.now)
        return
    if status in ACTIVE_STATUSES and event.status not in PUBLIC_STATUSES:
        if event.status == EventStatus.DRAFT:
            edit_event(loading.session, event, {"status": EventStatus.PENDING}, now=loading.now)
        publish_event(loading.session, event, caller=OPERATOR)
    edit_event(loading.session, event, {"status": status}, now=loading.now)


def _load_parts(
    loading: ImportSession,
    event: Record,
    kind: str,
    *,
    parts: Iterable[Part],
    add: Callable[[Mapping[str, Any]], Part],
    edit: Callable[[Session, Part, Mapping[str, Any]], Part],
) -> dict[RecordKey, Part]:
    named: dict[RecordKey, Part] = {part.name: part for part in parts}
    session = loading.session
    add, change = _in_savepoint(session, add), _in_savepoint(session, partial(edit, session))
    for record in event.iter_nested_records(kind):
        loading.upsert(named, record, add=add, edit=change)
    return named


def _in_savepoint(session: Session, function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return a function that rolls back the changes of `function` if it raises an error."""

    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with session.begin_nested():
            return function(*args, **kwargs)

    return call


def _load_sponsorship(loading: ImportSession, tier: Tier, sponsor: Sponsor, *, fields: Mapping[str, Any]) -> None:
    """Create or update a sponsorship and set its state. A cancelled sponsorship cannot be reactivated."""
    rows = select(Sponsorship).where(Sponsorship.tier_id == tier.id, Sponsorship.sponsor_id == sponsor.id)
    found = loading.session.scalars(rows.options(joinedload(Sponsorship.tier))).all()
    # Active sponsorships take precedence over cancelled ones, and older sponsorships over newer ones.
    held = min(found, key=lambda row: (row.state == SponsorshipState.CANCELLED, row.created_at, row.id), default=None)
    wanted = fields.get("state", held.state if held else SponsorshipState.ENQUIRY)
    if held is None:
        held = create_sponsorship(loading.session, tier, sponsor, note=None, enquirer_id=None, now=loading.now)
    if "note" in fields and fields["note"] != held.note:
        held.note, held.updated_at = fields["note"], loading.now
    if wanted == held.state:
        return
    if wanted == SponsorshipState.ENQUIRY:
        raise InvalidTransition(f"A sponsorship cannot be changed from {held.state} to enquiry.")
    action = SponsorshipAction.CONFIRM if wanted == SponsorshipState.CONFIRMED else SponsorshipAction.CANCEL
    apply_sponsorship_action(loading.session, held, action, caller=OPERATOR, now=loading.now)


def load_co_locations(loading: ImportSession, dataset: Dataset) -> None:
    """Set the co-locations of events in both directions. All events in the data set must already be loaded."""
    naming = {event.key: event for event in dataset.records["events"] if "co_located_with" in event.fields}
    wanted = {slug: list(event.fields["co_located_with"] or ()) for slug, event in naming.items()}
    for slug, event in naming.items():
        for other in event.fields["co_located_with"] or ():
            if other in wanted and slug not in wanted[other]:
                wanted[other].append(slug)
    for slug, event in naming.items():
        if slug in loading.events:
            _set_co_located_events(loading, event, [other for other in wanted[slug] if other != slug])


def _set_co_located_events(loading: ImportSession, record: Record, slugs: Iterable[RecordKey]) -> None:
    for i, slug in enumerate(record.fields["co_located_with"] or ()):
        if slug in loading.events and loading.events[slug].status not in PUBLIC_STATUSES:
            pointer = f"{record.pointer}/co_located_with/{i}"
            loading.errors.append(FieldError(pointer, f"is not a public event: “{slug}”"))
    event = loading.events[record.key]
    known = [loading.events[slug] for slug in slugs if slug in loading.events]
    # Loading another event in the data set can change the co-located events of this event.
    loading.session.expire(event, ["neighbours"])
    ensure_event_loaded(loading.session, event)
    public = [other.slug for other in known if other.status in PUBLIC_STATUSES]
    edit_event(loading.session, event, {"co_located_with": public}, now=loading.now)
