"""Query parameters of the feed check."""

from marshmallow import fields

from eventcal.web.params.fields import Once, Query, at_most

SCHEMES = ("http", "https", "webcal", "webcals")
"""The URL schemes that the URL of a feed may have."""

LONGEST_URL = 2000
"""The largest number of characters of a URL to check."""


class _Address(Once, fields.String):
    def read(self, text: str) -> str:
        """Return the text without surrounding whitespace."""
        return text.strip()


class CheckArgs(Query):
    """The query parameters of the feed check."""

    url = _Address(
        required=True,
        validate=at_most(LONGEST_URL),
        metadata={"description": "The URL of a feed of this calendar; http, https and webcal are equivalent."},
    )
