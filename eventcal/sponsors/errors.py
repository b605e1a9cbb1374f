"""Errors raised for sponsors and sponsorships."""

from eventcal.kit.errors import Conflict, Message, NotFound


class TierNotFound(NotFound):
    """No tier has this ID, or the caller is not allowed to see the tier."""

    def __init__(self, tier_id: str) -> None:
        super().__init__(Message("Tier “%(tier_id)s” not found.", tier_id=tier_id))


class SponsorNotFound(NotFound):
    """No sponsor has this slug, or the caller is not allowed to see the sponsor."""

    def __init__(self, slug: str) -> None:
        super().__init__(Message("Sponsor “%(slug)s” not found.", slug=slug))


class SponsorshipNotFound(NotFound):
    """No sponsorship has this ID, or the caller is not allowed to see the sponsorship."""

    def __init__(self, sponsorship_id: str) -> None:
        super().__init__(Message("Sponsorship “%(sponsorship_id)s” not found.", sponsorship_id=sponsorship_id))


class TierFull(Conflict):
    """The tier already has its maximum number of sponsors."""

    code = "tier-full"
    title = Message("Tier sold out")


class EventCancelled(Conflict):
    """The event is cancelled and cannot be sponsored."""

    code = "event-cancelled"
    title = Message("Event is cancelled")
