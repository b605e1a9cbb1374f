"""What sponsorship refuses."""

from eventcal.kit.refusals import Conflict, NotFound, Sentence


class NoSuchTier(NotFound):
    """No tier by this id, or none that the caller may know of."""

    def __init__(self, tier_id: str) -> None:
        super().__init__(Sentence("There is no tier “%(tier_id)s” here.", tier_id=tier_id))


class NoSuchSponsor(NotFound):
    """No sponsor by this slug, or none that the caller may know of."""

    def __init__(self, slug: str) -> None:
        super().__init__(Sentence("There is no sponsor “%(slug)s” here.", slug=slug))


class NoSuchSponsorship(NotFound):
    """No sponsorship by this id, or none that the caller may know of."""

    def __init__(self, sponsorship_id: str) -> None:
        super().__init__(Sentence("There is no sponsorship “%(sponsorship_id)s” here.", sponsorship_id=sponsorship_id))


class TierFull(Conflict):
    """Every place of the tier is taken."""

    code = "tier-full"
    title = Sentence("This tier is full")


class EventCancelled(Conflict):
    """Nobody can sponsor what does not take place."""

    code = "event-cancelled"
    title = Sentence("This event is cancelled")
