"""What is said to people and programs: English as it stands, which still knows what it was made of."""

from collections.abc import Mapping
from typing import Self


class Sentence(str):
    """A finished English text with its template and the values in it, so that it can be said in another language.

    The template is written out where the sentence is made, for the catalogues are filled from there, and has its
    values by name, as in gettext: `Sentence("must have at most %(limit)s characters", limit=80)`. A value may be a
    sentence, too. For programs it is text like any other.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Return the text that the template gives with these values."""
        made = super().__new__(cls, template % values if values else template)
        made.template, made.values = template, values
        return made

    def __str__(self) -> Self:
        """Return the sentence itself, so that `str(error)` gives what the error was raised with."""
        return self

    def format(self, *_: object, **__: object) -> Self:
        """Return the sentence itself: marshmallow fills every message in this way, and this one is full."""
        return self
