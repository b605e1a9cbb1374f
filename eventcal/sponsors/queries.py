"""Queries for tiers, sponsors and sponsorships."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, joinedload

from eventcal.events.enums import PUBLIC_STATUSES
from eventcal.events.models import Event
from eventcal.events.queries import can_view_event, check_can_manage_event
from eventcal.kit.errors import require
from eventcal.kit.pagination import Page, PageRequest, SortKey, fetch_page
from eventcal.members.caller import Caller
from eventcal.members.permission_checks import check_organiser
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.errors import SponsorNotFound, SponsorshipNotFound, TierNotFound
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier

_SPONSORSHIP_LOAD_OPTIONS = (
    joinedload(Sponsorship.sponsor),
    joinedload(Sponsorship.tier).joinedload(Tier.event),
    joinedload(Sponsorship.enquirer),
)


def list_tiers_with_taken_places(session: Session, event: Event) -> list[tuple[Tier, int]]:
    """Return the tiers of an event, sorted by rank, each with its number of confirmed sponsorships."""
    return [(tier, len(sponsors)) for tier, sponsors in list_confirmed_sponsors_by_tier(session, event)]


def count_taken_places(session: Session, tier: Tier) -> int:
    return session.scalars(select(func.count()).where(_is_confirmed_for_tier(tier.id))).one()


def _is_confirmed_for_tier(tier_id: object) -> ColumnElement[bool]:
    return (Sponsorship.tier_id == tier_id) & (Sponsorship.state == SponsorshipState.CONFIRMED)


def get_tier_for_organiser(session: Session, tier_id: str, caller: Caller) -> Tier:
    """Return a tier of an event that the caller is allowed to manage. Raises TierNotFound, NotSignedIn or Forbidden."""
    tier = _find_tier(session, tier_id)
    if tier is None or not can_view_event(tier.event, caller):
        raise TierNotFound(tier_id)
    check_can_manage_event(tier.event, caller)
    return tier


def find_event_tier(session: Session, event: Event, tier_id: str) -> Tier | None:
    tier = _find_tier(session, tier_id)
    return tier if tier is not None and tier.event_id == event.id else None


def _find_tier(session: Session, tier_id: str) -> Tier | None:
    rows = select(Tier).where(Tier.id == tier_id).options(joinedload(Tier.event))
    return session.scalars(rows).one_or_none()


def find_sponsor(session: Session, slug: str, caller: Caller) -> Sponsor | None:
    """Return the sponsor with this slug, or None. Only moderators can see sponsors that have no public event."""
    rows = select(Sponsor).where(Sponsor.slug == slug)
    if not caller.is_moderator:
        confirmed = (Sponsorship.sponsor_id == Sponsor.id, Sponsorship.state == SponsorshipState.CONFIRMED)
        held = select(Sponsorship.id).join(Sponsorship.tier).join(Tier.event).where(*confirmed)
        rows = rows.where(held.where(Event.status.in_(PUBLIC_STATUSES)).exists())
    return session.scalars(rows).one_or_none()


def get_sponsor(session: Session, slug: str, caller: Caller) -> Sponsor:
    """Return the sponsor with this slug. Raises SponsorNotFound if the sponsor is unknown or hidden from the caller."""
    return require(find_sponsor(session, slug, caller), SponsorNotFound(slug))


def find_sponsor_known_to(session: Session, slug: str, caller: Caller) -> Sponsor | None:
    """Return the sponsor with this slug if the caller can see the sponsor or has named it in an earlier enquiry."""
    found = find_sponsor(session, slug, caller)
    if found is not None or caller.member_id is None:
        return found
    named = exists().where(Sponsorship.sponsor_id == Sponsor.id, Sponsorship.enquirer_id == caller.member_id)
    return session.scalars(select(Sponsor).where(Sponsor.slug == slug, named)).one_or_none()


def get_sponsorship(session: Session, sponsorship_id: str, caller: Caller) -> Sponsorship:
    """Return a sponsorship that the caller requested or is allowed to manage. Raises SponsorshipNotFound."""
    rows = select(Sponsorship).where(Sponsorship.id == sponsorship_id).options(*_SPONSORSHIP_LOAD_OPTIONS)
    row = session.scalars(rows).one_or_none()
    is_own = row is not None and row.enquirer_id is not None and row.enquirer_id == caller.member_id
    if row is None or not (is_own or caller.can_organise(row.tier.event_id)):
        raise SponsorshipNotFound(sponsorship_id)
    return row


def get_sponsorship_for_organiser(session: Session, sponsorship_id: str, caller: Caller) -> Sponsorship:
    """Return a sponsorship that the caller can manage. Raises SponsorshipNotFound, NotSignedIn or Forbidden."""
    sponsorship = get_sponsorship(session, sponsorship_id, caller)
    check_organiser(caller, sponsorship.tier.event_id)
    return sponsorship


def list_sponsorships(session: Session, event: Event, *, paging: PageRequest) -> Page[Sponsorship]:
    """Return a page of an event's sponsorships in every state, oldest first, without checking permissions."""
    rows = select(Sponsorship).join(Sponsorship.tier).where(Tier.event_id == event.id)
    order = [SortKey(Sponsorship.created_at, datetime), SortKey(Sponsorship.id, str)]
    return fetch_page(session, rows.options(*_SPONSORSHIP_LOAD_OPTIONS), order=order, paging=paging)


def list_own_sponsorships(session: Session, *, member_id: str, paging: PageRequest) -> Page[Sponsorship]:
    """Return a page of the sponsorships that a member has requested, newest first."""
    rows = select(Sponsorship).where(Sponsorship.enquirer_id == member_id)
    order = [SortKey(Sponsorship.created_at, datetime, descending=True), SortKey(Sponsorship.id, str, descending=True)]
    return fetch_page(session, rows.options(*_SPONSORSHIP_LOAD_OPTIONS), order=order, paging=paging)


def count_open_enquiries_by_event(session: Session, event_ids: Iterable[str]) -> dict[str, int]:
    """Return the number of open enquiries by event ID, without checking permissions."""
    rows = select(Tier.event_id, func.count()).join(Sponsorship, Sponsorship.tier_id == Tier.id)
    waiting = rows.where(Tier.event_id.in_(list(event_ids)), Sponsorship.state == SponsorshipState.ENQUIRY)
    return dict(session.execute(waiting.group_by(Tier.event_id)).all())


def list_confirmed_sponsors_by_tier(session: Session, event: Event) -> list[tuple[Tier, list[Sponsor]]]:
    """Return the tiers of an event, sorted by rank, each with its confirmed sponsors, oldest sponsorship first."""
    rows = (
        select(Tier, Sponsor)
        .outerjoin(Sponsorship, _is_confirmed_for_tier(Tier.id))
        .outerjoin(Sponsorship.sponsor)
        .where(Tier.event_id == event.id)
        .order_by(Tier.rank, Tier.name, Tier.id, Sponsorship.created_at, Sponsorship.id)
    )
    tiers: dict[str, tuple[Tier, list[Sponsor]]] = {}
    for tier, sponsor in session.execute(rows):
        _, sponsors = tiers.setdefault(tier.id, (tier, []))
        # For a tier without sponsors, the outer join returns one row with a NULL sponsor.
        if sponsor is not None:
            sponsors.append(sponsor)
    return list(tiers.values())
