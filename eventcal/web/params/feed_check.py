"""Query parameters of the feed check."""

from marshmallow import fields

from eventcal.web.params.fields import QuerySchema, SingleParam, max_length

SCHEMES = ("http", "https", "webcal", "webcals")
MAX_URL_LENGTH = 2000


class _UrlParam(SingleParam, fields.String):
    def parse(self, text: str) -> str:
        return text.strip()


class FeedCheckQuerySchema(QuerySchema):
    """The query parameters of the feed check."""

    url = _UrlParam(
        required=True,
        validate=max_length(MAX_URL_LENGTH),
        metadata={"description": "The URL of a feed of this calendar; http, https and webcal are equivalent."},
    )
