"""The parameters of the check of a feed."""

from marshmallow import fields

from eventcal.web.params.fields import Once, Query, at_most

SCHEMES = ("http", "https", "webcal", "webcals")
"""What the address of a feed may begin with."""

LONGEST_URL = 2000
"""The most characters of an address that is looked at."""


class _Address(Once, fields.String):
    def read(self, text: str) -> str:
        """Return it without the blanks around it."""
        return text.strip()


class CheckArgs(Query):
    """The parameters of the check of a feed."""

    url = _Address(
        required=True,
        validate=at_most(LONGEST_URL),
        metadata={"description": "The address of a feed of this calendar; http, https and webcal are the same."},
    )
