"""What data sets refuse."""

from eventcal.kit.refusals import Invalid, Refusal, Sentence


class UnreadableFile(Refusal):
    """There is no such file, or what is in it is not JSON."""

    code = "unreadable-file"
    title = Sentence("This file cannot be read")


class FaultyDataset(Invalid):
    """A data set that is not taken; `faults` names every one, with its place in the file."""
