"""The shape of somebody or something that a caller names: known by a slug, or new and described."""

from marshmallow import ValidationError, validates_schema

from eventcal.web.api.schemas.base import Line, Shape, Slug


class KnownOrNew(Shape):
    """What is known by `slug`, or described by `name` and whatever else its schema adds; never both."""

    also = {  # noqa: RUF012 - as marshmallow declares its own settings
        "oneOf": [{"required": ["slug"], "maxProperties": 1}, {"required": ["name"], "properties": {"slug": False}}]
    }

    slug = Slug()
    name = Line(200)

    @validates_schema
    def check_one_way(self, data: dict[str, object], **_: object) -> None:
        """Refuse what is named in no way or in two."""
        if "slug" in data and len(data) > 1:
            raise ValidationError("names what is known; leave the other fields out", "slug")
        if "slug" not in data and "name" not in data:
            raise ValidationError("is required, unless a slug names what is known", "name")
