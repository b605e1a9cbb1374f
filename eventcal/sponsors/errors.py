"""What sponsorship refuses."""

from eventcal.kit.refusals import Conflict, NotFound


class NoSuchTier(NotFound):
    """No tier by this id, or none that the caller may know of."""

    def __init__(self, tier_id: str) -> None:
        super().__init__(f"There is no tier “{tier_id}” here.")


class NoSuchSponsor(NotFound):
    """No sponsor by this slug, or none that the caller may know of."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is no sponsor “{slug}” here.")


class NoSuchSponsorship(NotFound):
    """No sponsorship by this id, or none that the caller may know of."""

    def __init__(self, sponsorship_id: str) -> None:
        super().__init__(f"There is no sponsorship “{sponsorship_id}” here.")


class TierFull(Conflict):
    """Every place of the tier is taken."""

    code = "tier-full"
    title = "This tier is full"


class EventCancelled(Conflict):
    """Nobody can sponsor what does not take place."""

    code = "event-cancelled"
    title = "This event is cancelled"
