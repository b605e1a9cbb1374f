"""Use cases of events: propose, edit, publish, cancel, delete."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from eventcal.events.derive import derive_event
from eventcal.events.errors import ForbiddenStep, WasPublic
from eventcal.events.models import CallForTalks, Event, EventTag, TeamMember
from eventcal.events.neighbours import set_neighbours
from eventcal.events.recurrence.overrides import merged, override_faults, settled
from eventcal.events.rules import STATUS_STEPS, event_faults
from eventcal.events.steps import PLACE, REDACTED, STEPS, EventStep, become
from eventcal.events.words import PUBLIC_STATUSES, EventStatus, TeamRole
from eventcal.kit.ids import SlugFixed, SlugTaken, free_slug, new_id, slug_is_taken
from eventcal.kit.refusals import Fault, Sentence, refuse_faults
from eventcal.kit.tags import retagged
from eventcal.members.caller import Caller
from eventcal.members.rules import check_moderator
from eventcal.members.service import check_confirmed, forget_answers

# Fields that are columns of the same name, as the API and a data set give them.
_PLAIN = (
    "title",
    "kind",
    "summary",
    "description",
    "programme",
    "attendance",
    "timezone",
    "starts",
    "ends",
    "online_url",
    "url",
    "series",
    "recurrence",
)
# Where these have a fault, nobody can say what the occurrences are.
_TIMING = frozenset({"/timezone", "/starts", "/ends", "/recurrence"})
_CALL = {"opens_at": "opens", "closes_at": "closes", "anywhere_on_earth": "anywhere_on_earth", "note": "note"}


def propose_event(session: Session, fields: Mapping[str, Any], *, caller: Caller, now: datetime) -> Event:
    """Add an event, whole and flushed: public at once for a moderator, else waiting for one.

    `fields` are the resource's, with `title`, `timezone` and `starts` among them. The proposer becomes its
    organiser. Raises NotConfirmed, Invalid with every fault, SlugTaken for a slug that somebody else has.
    """
    check_confirmed(caller)
    event = imagine_event(session, fields, caller=caller, now=now)
    session.add(event)
    session.flush()
    if caller.member_id is not None:
        session.add(TeamMember(event_id=event.id, member_id=caller.member_id, role=TeamRole.ORGANISER))
    session.flush()
    return event


def imagine_event(session: Session, fields: Mapping[str, Any], *, caller: Caller, now: datetime) -> Event:
    """Return the event that `propose_event` would add, and add nothing. Raises Invalid, SlugTaken as it does."""
    status = _first_status(fields.get("status"), caller)
    slug = _free_slug(session, fields.get("slug"), fields["title"])
    event = Event(
        id=new_id(),
        slug=slug,
        status=status,
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
    _apply(session, event, {"ends": fields["starts"][:10], **fields})
    derive_event(event, now=now)
    return event


def edit_event(session: Session, event: Event, fields: Mapping[str, Any], *, now: datetime) -> Event:
    """Change the fields that are given (RFC 7396: null clears one, an object is merged into what is there).

    The caller has been found to decide for the event. Raises Invalid with every fault, SlugFixed, SlugTaken,
    ForbiddenStep.
    """
    change_event(session, event, fields, now=now)
    session.flush()
    return event


def change_event(session: Session, event: Event, fields: Mapping[str, Any], *, now: datetime) -> None:
    """Do what `edit_event` does, and write nothing down: of an event that no session holds, nothing ever is."""
    if "status" in fields and fields["status"] != event.status:
        _change_status(event, EventStatus(fields["status"]))
    if "slug" in fields and fields["slug"] != event.slug:
        if event.status in PUBLIC_STATUSES:
            raise SlugFixed(
                Sentence("The address of a public event does not change: people have it in their calendars.")
            )
        event.slug = _free_slug(session, fields["slug"], event.title)
    _apply(session, event, fields)
    derive_event(event, now=now)


def publish_event(session: Session, event: Event, *, caller: Caller) -> Event:
    """Make a pending event public. Raises Forbidden, ForbiddenStep."""
    check_moderator(caller)
    detail = Sentence("This event is %(status)s; only a pending one can be published.", status=event.status.described)
    STEPS[EventStep.PUBLISH].check(event.status, ForbiddenStep(detail))
    event.status = EventStatus.CONFIRMED
    session.flush()
    return event


def cancel_event(session: Session, event: Event, *, now: datetime) -> Event:
    """Call a public event off, for good. Raises ForbiddenStep."""
    detail = Sentence(
        "This event is %(status)s; only a public one that still stands can be cancelled.",
        status=event.status.described,
    )
    STEPS[EventStep.CANCEL].check(event.status, ForbiddenStep(detail))
    become(event, EventStep.CANCEL, now=now)
    session.flush()
    return event


def redact_event(session: Session, event: Event, *, caller: Caller, now: datetime) -> Event:
    """Blank an event's text everywhere and call it off. Raises Forbidden. What follows from it follows."""
    check_moderator(caller)
    become(event, EventStep.REDACT, now=now)
    blank_names(session, event.tracks)
    blank_names(session, event.rooms)
    forget_answers(session, f'"slug":"{event.slug}"')
    session.flush()
    return event


class Named(Protocol):
    """A part of an event whose name is unique in it."""

    name: Any


def blank_names(session: Session, parts: Sequence[Named]) -> None:
    """Blank the names of an event's tracks, rooms or tiers, flushed, and number them: a name stays unique."""
    for part in parts:
        # One of them may be called what another is to be called.
        part.name = f"{REDACTED} {new_id()}"
    session.flush()
    for position, part in enumerate(parts, start=1):
        part.name = f"{REDACTED} {position}"
    session.flush()


def check_never_public(event: Event) -> None:
    """Refuse to delete what the public has seen (WasPublic)."""
    if event.status in PUBLIC_STATUSES:
        raise WasPublic(Sentence("People have this event in their calendars: cancel it, and they hear of it."))


def _first_status(asked: str | None, caller: Caller) -> EventStatus:
    if caller.moderates:
        return EventStatus(asked) if asked is not None else EventStatus.CONFIRMED
    if asked in {None, EventStatus.PENDING, EventStatus.DRAFT}:
        return EventStatus(asked or EventStatus.PENDING)
    refuse_faults([Fault("/status", Sentence("a moderator publishes events; leave it out, or say draft or pending"))])
    raise AssertionError


def _change_status(event: Event, wanted: EventStatus) -> None:
    if wanted not in STATUS_STEPS[event.status]:
        raise ForbiddenStep(
            Sentence(
                "An event that is %(status)s does not become %(wanted)s by an edit.",
                status=event.status.described,
                wanted=wanted.described,
            )
        )
    event.status = wanted


def _free_slug(session: Session, asked: str | None, title: str) -> str:
    """Return the slug asked for, or one made from the title that nobody has."""
    if asked is not None:
        if slug_is_taken(session, Event.slug, asked):
            raise SlugTaken(asked)
        return asked
    return free_slug(session, Event.slug, title, otherwise="event")


def _apply(session: Session, event: Event, fields: Mapping[str, Any]) -> None:
    for name in _PLAIN:
        if name in fields:
            setattr(event, name, fields[name])
    if "location" in fields:
        _merge(event, fields["location"], {name: name for name in PLACE})
    if "registration" in fields:
        _apply_registration(event, fields["registration"])
    if "tags" in fields:
        event.tags = retagged(event.tags, fields["tags"] or [], lambda at, tag: EventTag(position=at, tag=tag))
    if "call_for_talks" in fields:
        _apply_call(event, fields["call_for_talks"])
    faults = _apply_overrides(event, fields)
    if "co_located_with" in fields:
        faults += set_neighbours(session, event, fields["co_located_with"] or [])
    refuse_faults(faults)


def _apply_overrides(event: Event, fields: Mapping[str, Any]) -> list[Fault]:
    """Set what is otherwise in single occurrences, and return what is wrong with the event, them included."""
    overrides = event.recurrence_overrides
    if "recurrence_overrides" in fields:
        overrides = merged(overrides, fields["recurrence_overrides"])
    event.recurrence_overrides = settled(overrides)
    stored = _as_stored(event)
    faults = event_faults(stored)
    if not any(fault.pointer in _TIMING for fault in faults):
        changed = fields.get("recurrence_overrides") or ()
        faults += override_faults({**stored, "recurrence_overrides": overrides}, changed=changed)
    return faults


def _merge(row: object, given: Mapping[str, Any] | None, columns: Mapping[str, str]) -> None:
    """Merge a nested object into columns; null clears them all."""
    for name, column in columns.items():
        if given is None:
            setattr(row, column, None)
        elif name in given:
            setattr(row, column, given[name])


def _apply_registration(event: Event, given: Mapping[str, Any] | None) -> None:
    _merge(event, given, {"url": "registration_url"})
    if given is None or "price" in given:
        price = given["price"] if given else None
        _merge(event, price, {"amount": "price_amount", "currency": "price_currency"})


def _apply_call(event: Event, given: Mapping[str, Any] | None) -> None:
    if given is None:
        event.call = None
        return
    if event.call is None:
        event.call = CallForTalks(opens=None, closes=None, anywhere_on_earth=False, kinds=[], note=None)
    _merge(event.call, given, {name: column for name, column in _CALL.items() if name in given})
    event.call.anywhere_on_earth = bool(event.call.anywhere_on_earth)
    if "kinds" in given:
        event.call.kinds = list(given["kinds"] or [])


def _as_stored(event: Event) -> dict[str, Any]:
    names = ("timezone", "starts", "ends", "latitude", "longitude", "price_amount", "price_currency", "recurrence")
    stored = {name: getattr(event, name) for name in names}
    if event.call is not None:
        stored["call_for_talks"] = {name: getattr(event.call, column) for name, column in _CALL.items()}
    return stored
