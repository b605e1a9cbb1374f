"""What speakers refuse."""

from eventcal.kit.refusals import Conflict, NotFound


class NoSuchSpeaker(NotFound):
    """No speaker by this slug, or none that the caller may know of."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is no speaker “{slug}” here.")


class SameSpeaker(Conflict):
    """A speaker cannot be merged into themselves."""

    code = "same-speaker"
    title = "One and the same"
