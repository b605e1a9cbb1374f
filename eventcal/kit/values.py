"""Messages about values of parsed JSON that have the wrong type, size or place, for requests and data sets.

The messages have no subject, so that they follow any field's name.
"""

from collections.abc import Iterable

from eventcal.kit.sentences import Sentence

REQUIRED = Sentence("is required")
NOT_NULL = Sentence("must not be null; leave it out instead")
UNKNOWN = Sentence("is not known here; leave it out")
NOT_OBJECT = Sentence("must be a JSON object")
NOT_LIST = Sentence("must be a list")
NOT_TEXT = Sentence("must be text")
NOT_FLAG = Sentence("must be true or false")
NOT_NUMBER = Sentence("must be a number")
NOT_WHOLE = Sentence("must be a whole number")

LARGEST_NUMBER = 2**31 - 1
"""The largest whole number that every database keeps."""


def between(least: int, most: int) -> Sentence:
    """Return the message for a number that is out of range."""
    return Sentence("must be from %(least)s to %(most)s", least=least, most=most)


def at_most_characters(limit: int) -> Sentence:
    """Return the message for a text that is too long."""
    return Sentence("must have at most %(limit)s characters", limit=limit)


def at_most_items(limit: int) -> Sentence:
    """Return the message for a list that is too long."""
    return Sentence("must have at most %(limit)s items", limit=limit)


def one_of(words: Iterable[str]) -> Sentence:
    """Return the message for a word that is not in the list."""
    return Sentence("must be one of: %(choices)s", choices=", ".join(words))


def read_whole(value: object) -> int:
    """Return a whole number, which JSON may also write as 5.0. Raises ValueError for anything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(NOT_WHOLE)
