"""Services for tiers, sponsors and sponsorships."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from eventcal.events.enums import EventStatus
from eventcal.events.errors import DuplicateName, EventEnded, InUse, InvalidTransition
from eventcal.events.models import Event
from eventcal.events.rules import is_over
from eventcal.events.service import PRICE_COLUMNS, merge_nested_fields
from eventcal.events.state_changes import number_part_names
from eventcal.kit.errors import FieldError, Invalid, Message, raise_if_invalid
from eventcal.kit.ids import generate_unique_slug
from eventcal.kit.models import set_given_fields
from eventcal.members.caller import Caller
from eventcal.members.permission_checks import check_moderator, check_organiser
from eventcal.members.quotas import Quota
from eventcal.members.service import check_email_confirmed
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.errors import EventCancelled, TierFull
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier
from eventcal.sponsors.queries import (
    count_taken_places,
    find_event_tier,
    find_sponsor_known_to,
    list_tiers_with_taken_places,
)
from eventcal.sponsors.rules import SPONSORSHIP_TRANSITIONS, SponsorshipAction, has_free_place, tier_errors

ENQUIRY_QUOTA = Quota(
    5,
    lambda limit: Message(
        "You have %(limit)s open sponsorship enquiries at this event. Wait for an answer to one of them.", limit=limit
    ),
)
_SPONSOR_FIELDS = ("name", "url", "logo_url", "description")


def create_tier(session: Session, event: Event, fields: Mapping[str, Any]) -> Tier:
    """Add a tier to an event, without checking permissions. Raises DuplicateName or Invalid."""
    _check_tier_name_is_free(session, event.id, fields["name"])
    tier = Tier(event_id=event.id, event=event, benefits=[])
    _apply_tier_fields(tier, fields, taken=0)
    session.add(tier)
    session.flush()
    return tier


def update_tier(session: Session, tier: Tier, fields: Mapping[str, Any]) -> Tier:
    """Update the given fields of a tier. Raises DuplicateName, or Invalid with all field errors."""
    if fields.get("name", tier.name) != tier.name:
        _check_tier_name_is_free(session, tier.event_id, fields["name"])
    _apply_tier_fields(tier, fields, taken=count_taken_places(session, tier))
    session.flush()
    return tier


def delete_tier(session: Session, tier: Tier) -> None:
    """Delete a tier and its sponsorships. Raises InUse unless all sponsorships of the tier are cancelled."""
    rows = session.scalars(select(Sponsorship).where(Sponsorship.tier_id == tier.id)).all()
    if any(row.state != SponsorshipState.CANCELLED for row in rows):
        raise InUse(Message("The tier “%(name)s” has sponsorships. Cancel them first.", name=tier.name))
    for row in rows:
        session.delete(row)
    session.delete(tier)
    session.flush()


def redact_tiers(session: Session, event: Event) -> None:
    tiers = [tier for tier, _taken in list_tiers_with_taken_places(session, event)]
    for tier in tiers:
        tier.benefits = []
    number_part_names(session, tiers)


def check_has_no_sponsorships(session: Session, event: Event) -> None:
    """Raise InUse if the event has a sponsorship in any state."""
    rows = select(Sponsorship.id).join(Sponsorship.tier).where(Tier.event_id == event.id)
    if session.scalar(select(rows.exists())):
        raise InUse(Message("This event has sponsorship enquiries and cannot be deleted."))


def request_sponsorship(
    session: Session, event: Event, fields: Mapping[str, Any], *, caller: Caller, now: datetime
) -> Sponsorship:
    """Create an enquiry for a tier of an event.

    Raises EmailNotConfirmed, EventEnded, EventCancelled, QuotaExceeded or Invalid.

    `fields` contains `tier` (an ID), `sponsor` and `note`. `sponsor` is the slug of an existing sponsor, an object
    `{slug}`, or an object `{name, url, description}` for a new sponsor. The capacity of the tier is not checked until
    the sponsorship is confirmed.
    """
    check_email_confirmed(caller)
    if event.status == EventStatus.CANCELLED:
        raise EventCancelled(Message("“%(event)s” is cancelled and does not accept sponsors.", event=event.title))
    if is_over(event.last_ends_at, now=now):
        raise EventEnded(Message("“%(event)s” has ended and does not accept sponsors.", event=event.title))
    own = (Sponsorship.enquirer_id == caller.member_id, Sponsorship.state == SponsorshipState.ENQUIRY)
    existing = select(Sponsorship.id).join(Sponsorship.tier).where(Tier.event_id == event.id, *own)
    ENQUIRY_QUOTA.check(session, existing, role=caller.role)
    tier = find_event_tier(session, event, fields["tier"])
    given = fields["sponsor"]
    slug = given if isinstance(given, str) else given.get("slug")
    if slug is None:
        sponsor: Sponsor | None = create_sponsor(session, given, now=now)
    else:
        sponsor = find_sponsor_known_to(session, slug, caller)
    if tier is None or sponsor is None:
        no_tier = FieldError("/tier", Message("is not a tier of this event"))
        no_sponsor = FieldError("/sponsor", Message("does not exist; send an object that describes the sponsor"))
        raise Invalid(errors=[error for found, error in ((tier, no_tier), (sponsor, no_sponsor)) if found is None])
    return create_sponsorship(session, tier, sponsor, note=fields.get("note"), enquirer_id=caller.member_id, now=now)


def create_sponsorship(
    session: Session, tier: Tier, sponsor: Sponsor, *, note: str | None, enquirer_id: str | None, now: datetime
) -> Sponsorship:
    sponsorship = Sponsorship(
        tier_id=tier.id,
        tier=tier,
        sponsor_id=sponsor.id,
        sponsor=sponsor,
        state=SponsorshipState.ENQUIRY,
        note=note,
        enquirer_id=enquirer_id,
        created_at=now,
        updated_at=now,
    )
    session.add(sponsorship)
    session.flush()
    return sponsorship


def apply_sponsorship_action(
    session: Session, sponsorship: Sponsorship, action: SponsorshipAction, *, caller: Caller, now: datetime
) -> Sponsorship:
    """Confirm or cancel a sponsorship. Raises NotSignedIn, Forbidden, InvalidTransition or TierFull."""
    check_organiser(caller, sponsorship.tier.event_id)
    words = {"state": sponsorship.state.label, "done": SPONSORSHIP_TRANSITIONS[action].target.label}
    detail = Message("A sponsorship with the state “%(state)s” cannot be %(done)s.", **words)
    SPONSORSHIP_TRANSITIONS[action].check(sponsorship.state, InvalidTransition(detail))
    tier = sponsorship.tier
    # Write transactions are serialised, so the number of taken places cannot change before the transaction commits.
    if action == SponsorshipAction.CONFIRM and not has_free_place(tier.capacity, count_taken_places(session, tier)):
        about = {"name": tier.name, "capacity": tier.capacity}
        raise TierFull(Message("The tier “%(name)s” has no free places (capacity: %(capacity)s).", **about))
    sponsorship.state = SPONSORSHIP_TRANSITIONS[action].target
    sponsorship.updated_at = now
    session.flush()
    return sponsorship


def create_sponsor(session: Session, fields: Mapping[str, Any], *, now: datetime) -> Sponsor:
    sponsor = Sponsor(
        slug=fields.get("slug") or generate_unique_slug(session, Sponsor.slug, fields["name"], fallback="sponsor"),
        created_at=now,
        updated_at=now,
        **{name: fields[name] for name in _SPONSOR_FIELDS if name in fields},
    )
    session.add(sponsor)
    session.flush()
    return sponsor


def update_sponsor(
    session: Session, sponsor: Sponsor, fields: Mapping[str, Any], *, caller: Caller, now: datetime
) -> Sponsor:
    """Update the given fields of a sponsor. Raises NotSignedIn or Forbidden unless the caller is a moderator."""
    check_moderator(caller)
    set_given_fields(sponsor, fields, fields)
    if session.is_modified(sponsor):
        sponsor.updated_at = now
    session.flush()
    return sponsor


def _apply_tier_fields(tier: Tier, fields: Mapping[str, Any], *, taken: int) -> None:
    set_given_fields(tier, fields, ("name", "rank", "capacity"))
    if "benefits" in fields:
        tier.benefits = list(fields["benefits"] or [])
    if "price" in fields:
        merge_nested_fields(tier, fields["price"], PRICE_COLUMNS)
    raise_if_invalid(tier_errors(tier, taken=taken))


def _check_tier_name_is_free(session: Session, event_id: str, name: str) -> None:
    if session.scalar(select(exists().where(Tier.event_id == event_id, Tier.name == name))):
        raise DuplicateName(Message("This event already has a tier “%(name)s”.", name=name))
