"""Services that manage tiers, sponsors and sponsorships."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from eventcal.events.errors import DuplicateName, EventEnded, InUse, InvalidTransition
from eventcal.events.models import Event
from eventcal.events.rules import is_over
from eventcal.events.service import PRICE, merge_given
from eventcal.events.steps import blank_names
from eventcal.events.words import EventStatus
from eventcal.kit.ids import free_slug
from eventcal.kit.models import set_given
from eventcal.kit.refusals import FieldError, Invalid, Message, raise_if_invalid
from eventcal.members.caller import Caller
from eventcal.members.rules import check_moderator, check_organiser
from eventcal.sponsors.errors import EventCancelled, TierFull
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier
from eventcal.sponsors.queries import count_taken, find_sponsor_to_name, find_tier_of, list_tiers
from eventcal.sponsors.rules import STEPS, SponsorshipStep, has_place, tier_faults
from eventcal.sponsors.words import SponsorshipState

_ABOUT = ("name", "url", "logo_url", "description")


def add_tier(session: Session, event: Event, fields: Mapping[str, Any]) -> Tier:
    """Add a tier to an event. The permission must have been checked. Raises DuplicateName or Invalid."""
    _check_name(session, event.id, fields["name"])
    tier = Tier(event_id=event.id, event=event, benefits=[])
    _apply(tier, fields, taken=0)
    session.add(tier)
    session.flush()
    return tier


def edit_tier(session: Session, tier: Tier, fields: Mapping[str, Any]) -> Tier:
    """Change the given fields, as in `edit_event`.

    Raises DuplicateName, or Invalid, also if the capacity is too low.
    """
    if fields.get("name", tier.name) != tier.name:
        _check_name(session, tier.event_id, fields["name"])
    _apply(tier, fields, taken=count_taken(session, tier))
    session.flush()
    return tier


def remove_tier(session: Session, tier: Tier) -> None:
    """Delete a tier together with its cancelled sponsorships. Raises InUse if it has other sponsorships."""
    rows = session.scalars(select(Sponsorship).where(Sponsorship.tier_id == tier.id)).all()
    if any(row.state != SponsorshipState.CANCELLED for row in rows):
        held = Message("Somebody holds “%(name)s” or asked for it: cancel those sponsorships first.", name=tier.name)
        raise InUse(held)
    for row in rows:
        session.delete(row)
    session.delete(tier)
    session.flush()


def blank_tiers(session: Session, event: Event) -> None:
    """Redact the names and benefits of an event's tiers. Sponsorships are kept."""
    tiers = [tier for tier, _taken in list_tiers(session, event)]
    for tier in tiers:
        tier.benefits = []
    blank_names(session, tiers)


def check_unsponsored(session: Session, event: Event) -> None:
    """Raise InUse if the event has sponsorships, in any state."""
    rows = select(Sponsorship.id).join(Sponsorship.tier).where(Tier.event_id == event.id)
    if session.scalar(select(rows.exists())):
        raise InUse(Message("Somebody asked to sponsor this event; it cannot be deleted any more."))


def request_sponsorship(
    session: Session, event: Event, fields: Mapping[str, Any], *, caller: Caller, now: datetime
) -> Sponsorship:
    """Create an enquiry for a tier of an event. The tier may be full, as its capacity is checked on confirmation.

    `fields` are `tier` (its id), `sponsor` and `note`. `sponsor` is an existing slug (plain or as `{slug}`), or
    `{name, url, description}` of a new sponsor. Raises EventEnded, EventCancelled, or Invalid with all field errors.
    """
    if event.status == EventStatus.CANCELLED:
        raise EventCancelled(Message("“%(event)s” is cancelled and takes no sponsors.", event=event.title))
    if is_over(event.last_ends_at, now=now):
        raise EventEnded(Message("“%(event)s” is over and takes no sponsors.", event=event.title))
    tier = find_tier_of(session, event, fields["tier"])
    sponsor = _sponsor(session, fields["sponsor"], caller=caller, now=now)
    if tier is None or sponsor is None:
        no_tier = [FieldError("/tier", Message("the event has no such tier"))] if tier is None else []
        no_sponsor = (
            [FieldError("/sponsor", Message("there is no such sponsor; describe it"))] if sponsor is None else []
        )
        raise Invalid(faults=no_tier + no_sponsor)
    return add_sponsorship(session, tier, sponsor, note=fields.get("note"), enquirer_id=caller.member_id, now=now)


def add_sponsorship(
    session: Session, tier: Tier, sponsor: Sponsor, *, note: str | None, enquirer_id: str | None, now: datetime
) -> Sponsorship:
    """Add an enquiry of a sponsor for a tier, and flush it."""
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


def take_step(
    session: Session, sponsorship: Sponsorship, step: SponsorshipStep, *, caller: Caller, now: datetime
) -> Sponsorship:
    """Confirm or cancel a sponsorship. Raises NotSignedIn, Forbidden, InvalidTransition or TierFull."""
    check_organiser(caller, sponsorship.tier.event_id)
    words = {"state": sponsorship.state.described, "done": STEPS[step].target.described}
    detail = Message("A sponsorship that is %(state)s cannot be %(done)s.", **words)
    STEPS[step].check(sponsorship.state, InvalidTransition(detail))
    tier = sponsorship.tier
    # The unit of work holds the only write lock from its start (kit/database.py), so no place can be taken
    # between this count and the commit.
    if step == SponsorshipStep.CONFIRM and not has_place(tier.capacity, count_taken(session, tier)):
        full = Message("All %(capacity)s places of “%(name)s” are taken.", capacity=tier.capacity, name=tier.name)
        raise TierFull(full)
    sponsorship.state = STEPS[step].target
    sponsorship.updated_at = now
    session.flush()
    return sponsorship


def add_sponsor(session: Session, fields: Mapping[str, Any], *, now: datetime) -> Sponsor:
    """Add a sponsor with the given slug, or with a free one made from its name."""
    sponsor = Sponsor(
        slug=fields.get("slug") or free_slug(session, Sponsor.slug, fields["name"], otherwise="sponsor"),
        created_at=now,
        updated_at=now,
        **{name: fields[name] for name in _ABOUT if name in fields},
    )
    session.add(sponsor)
    session.flush()
    return sponsor


def edit_sponsor(
    session: Session, sponsor: Sponsor, fields: Mapping[str, Any], *, caller: Caller, now: datetime
) -> Sponsor:
    """Change the given fields. Raises NotSignedIn or Forbidden unless the caller is a moderator."""
    check_moderator(caller)
    set_given(sponsor, fields, fields)
    if session.is_modified(sponsor):
        sponsor.updated_at = now
    session.flush()
    return sponsor


def _apply(tier: Tier, fields: Mapping[str, Any], *, taken: int) -> None:
    set_given(tier, fields, ("name", "rank", "capacity"))
    if "benefits" in fields:
        tier.benefits = list(fields["benefits"] or [])
    if "price" in fields:
        merge_given(tier, fields["price"], PRICE)
    raise_if_invalid(tier_faults(tier, taken=taken))


def _check_name(session: Session, event_id: str, name: str) -> None:
    if session.scalar(select(exists().where(Tier.event_id == event_id, Tier.name == name))):
        raise DuplicateName(Message("This event has a tier “%(name)s” already.", name=name))


def _sponsor(session: Session, given: Mapping[str, Any] | str, *, caller: Caller, now: datetime) -> Sponsor | None:
    """Return an existing sponsor or a new one, or None if the caller may not name a sponsor with the given slug."""
    if isinstance(given, str):
        given = {"slug": given}
    if given.get("slug") is not None:
        return find_sponsor_to_name(session, given["slug"], caller)
    return add_sponsor(session, given, now=now)
