"""Events of a data set, with their tracks, rooms, tiers and sponsorships."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from eventcal.datasets.reading import Dataset, Record
from eventcal.datasets.state import Loading
from eventcal.events.errors import ForbiddenStep
from eventcal.events.models import Event, Room, Track
from eventcal.events.parts import add_part, edit_part
from eventcal.events.queries import complete_event
from eventcal.events.service import edit_event, propose_event
from eventcal.events.steps import cancel_event, publish_event
from eventcal.events.words import PUBLIC_STATUSES, STANDING_STATUSES, EventStatus
from eventcal.kit.ids import new_id
from eventcal.kit.refusals import Fault, refuse_faults
from eventcal.members.caller import OPERATOR
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier
from eventcal.sponsors.queries import list_tiers
from eventcal.sponsors.service import add_tier, cancel_sponsorship, confirm_sponsorship, edit_tier
from eventcal.sponsors.words import SponsorshipState

# What is loaded by itself, after the event's own fields.
_APART = frozenset({"slug", "status", "co_located_with", "tracks", "rooms", "tiers", "sponsorships"})
_NEEDED = ("title", "timezone", "starts")


def load_event(loading: Loading, record: Record) -> None:
    """Add an event, public at once unless its status says otherwise, or bring the one there is to what is given."""
    slug = record.fields["slug"]
    own = {name: value for name, value in record.fields.items() if name not in _APART}
    event = loading.events.get(slug)
    with loading.attempt(record.pointer):
        if event is None:
            refuse_faults([Fault(f"/{name}", "is required of a new event") for name in _NEEDED if name not in own])
            own |= {name: record.fields[name] for name in ("slug", "status") if name in record.fields}
            event = propose_event(loading.session, own, caller=OPERATOR, now=loading.now)
        else:
            edit_event(loading.session, event, own, now=loading.now)
        loading.events[slug] = event
    if slug in loading.events:
        _load_status(loading, record)
        _load_parts(loading, loading.events[slug], record)
        _load_tiers(loading, loading.events[slug], record)


def _load_status(loading: Loading, record: Record) -> None:
    event = loading.events[record.fields["slug"]]
    wanted = record.fields.get("status", event.status)
    with loading.attempt(f"{record.pointer}/status"):
        _bring_to(loading, event, wanted)


def _bring_to(loading: Loading, event: Event, wanted: EventStatus) -> None:
    """Take an event to a status by the steps that there are. Raises ForbiddenStep."""
    if wanted == event.status:
        return
    if wanted == EventStatus.CANCELLED:
        cancel_event(loading.session, event, now=loading.now)
        return
    if wanted in STANDING_STATUSES and event.status not in PUBLIC_STATUSES:
        if event.status == EventStatus.DRAFT:
            edit_event(loading.session, event, {"status": EventStatus.PENDING}, now=loading.now)
        publish_event(loading.session, event, caller=OPERATOR)
    edit_event(loading.session, event, {"status": wanted}, now=loading.now)


def _load_parts(loading: Loading, event: Event, record: Record) -> None:
    tracks = {track.name: track for track in event.tracks}
    for pointer, fields in _listed(record, "tracks"):
        with loading.attempt(pointer):
            if fields["name"] in tracks:
                edit_part(loading.session, tracks[fields["name"]], fields)
            else:
                tracks[fields["name"]] = add_part(loading.session, event, Track, fields)
    rooms = {room.name: room for room in event.rooms}
    for pointer, fields in _listed(record, "rooms"):
        with loading.attempt(pointer):
            if fields["name"] in rooms:
                edit_part(loading.session, rooms[fields["name"]], fields)
            else:
                rooms[fields["name"]] = add_part(loading.session, event, Room, fields)


def _listed(record: Record, part: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for i, fields in enumerate(record.fields.get(part, ())):
        yield f"{record.pointer}/{part}/{i}", fields


def _load_tiers(loading: Loading, event: Event, record: Record) -> None:
    tiers = {tier.name: tier for tier, _ in list_tiers(loading.session, event)}
    for pointer, fields in _listed(record, "tiers"):
        with loading.attempt(pointer):
            known = tiers.get(fields["name"])
            if known is None:
                tiers[fields["name"]] = add_tier(loading.session, event, fields)
            else:
                edit_tier(loading.session, known, fields)
    for pointer, fields in _listed(record, "sponsorships"):
        sponsor = loading.sponsors.get(fields["sponsor"])
        with loading.attempt(pointer):
            if fields["tier"] not in tiers:
                refuse_faults([Fault("/tier", f"the event has no tier “{fields['tier']}”")])
            elif sponsor is not None:
                _load_sponsorship(loading, tiers[fields["tier"]], sponsor, fields)


def _load_sponsorship(loading: Loading, tier: Tier, sponsor: Sponsor, fields: Mapping[str, Any]) -> None:
    """Bring the sponsorship of this tier by this sponsor to its state; one that was cancelled does not come back."""
    held = _find_sponsorship(loading, tier, sponsor)
    wanted = fields.get("state", held.state if held else SponsorshipState.ENQUIRY)
    if held is None:
        held = Sponsorship(
            id=new_id(),
            tier_id=tier.id,
            tier=tier,
            sponsor_id=sponsor.id,
            sponsor=sponsor,
            state=SponsorshipState.ENQUIRY,
            created_at=loading.now,
            updated_at=loading.now,
        )
        loading.session.add(held)
        loading.session.flush()
    if "note" in fields and fields["note"] != held.note:
        held.note, held.updated_at = fields["note"], loading.now
    if wanted == held.state:
        return
    if wanted == SponsorshipState.CONFIRMED:
        confirm_sponsorship(loading.session, held, caller=OPERATOR, now=loading.now)
    elif wanted == SponsorshipState.CANCELLED:
        cancel_sponsorship(loading.session, held, caller=OPERATOR, now=loading.now)
    else:
        raise ForbiddenStep(f"A sponsorship that is {held.state} does not become an enquiry again.")


def _find_sponsorship(loading: Loading, tier: Tier, sponsor: Sponsor) -> Sponsorship | None:
    """Return the sponsorship that the file means where there are several: one that stands, and the oldest."""
    rows = select(Sponsorship).where(Sponsorship.tier_id == tier.id, Sponsorship.sponsor_id == sponsor.id)
    found = loading.session.scalars(rows.options(joinedload(Sponsorship.tier))).all()
    return min(found, key=lambda row: (row.state == SponsorshipState.CANCELLED, row.created_at, row.id), default=None)


def load_neighbours(loading: Loading, dataset: Dataset) -> None:
    """Put events beside each other, once all of the file's are there. Whoever is named by another names it too."""
    named = {event.fields["slug"]: event for event in dataset.events if "co_located_with" in event.fields}
    wanted = {slug: list(event.fields["co_located_with"] or ()) for slug, event in named.items()}
    for slug, event in named.items():
        for other in event.fields["co_located_with"] or ():
            if other in wanted and slug not in wanted[other]:
                wanted[other].append(slug)
    for slug, event in named.items():
        if slug in loading.events:
            loading.faults += _hidden(loading, event)
            _put_beside(loading, loading.events[slug], [other for other in wanted[slug] if other != slug])


def _hidden(loading: Loading, record: Record) -> Iterator[Fault]:
    for i, slug in enumerate(record.fields["co_located_with"] or ()):
        if slug in loading.events and loading.events[slug].status not in PUBLIC_STATUSES:
            yield Fault(f"{record.pointer}/co_located_with/{i}", f"the event “{slug}” is not public")


def _put_beside(loading: Loading, event: Event, slugs: list[str]) -> None:
    known = [loading.events[slug] for slug in slugs if slug in loading.events]
    # Another event of the file may have put this one beside itself meanwhile.
    loading.session.expire(event, ["neighbours"])
    complete_event(loading.session, event)
    public = [other.slug for other in known if other.status in PUBLIC_STATUSES]
    edit_event(loading.session, event, {"co_located_with": public}, now=loading.now)
