"""Errors raised for sponsors and sponsorships."""

from eventcal.kit.errors import Conflict, Message, NotFound


class TierNotFound(NotFound):
    """No tier has this id, or the caller may not see the tier."""

    def __init__(self, tier_id: str) -> None:
        super().__init__(Message("There is no tier “%(tier_id)s” here.", tier_id=tier_id))


class SponsorNotFound(NotFound):
    """No sponsor has this slug, or the caller may not see the sponsor."""

    def __init__(self, slug: str) -> None:
        super().__init__(Message("There is no sponsor “%(slug)s” here.", slug=slug))


class SponsorshipNotFound(NotFound):
    """No sponsorship has this id, or the caller may not see the sponsorship."""

    def __init__(self, sponsorship_id: str) -> None:
        super().__init__(Message("There is no sponsorship “%(sponsorship_id)s” here.", sponsorship_id=sponsorship_id))


class TierFull(Conflict):
    """The tier already has its maximum number of sponsors."""

    code = "tier-full"
    title = Message("This tier is full")


class EventCancelled(Conflict):
    """The event is cancelled and cannot be sponsored."""

    code = "event-cancelled"
    title = Message("This event is cancelled")
