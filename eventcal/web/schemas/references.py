"""The shape of somebody or something that a caller names: known by a slug, or new and described."""

from collections.abc import Mapping

from marshmallow import ValidationError, validates_schema

from eventcal.kit.refusals import Sentence
from eventcal.web.schemas.fields import Line, Shape, Slug


class KnownOrNew(Shape):
    """What is known by `slug`, or described by `name` and whatever else its schema adds; never both."""

    also = {  # noqa: RUF012 - as marshmallow declares its own settings
        "oneOf": [{"required": ["slug"], "maxProperties": 1}, {"required": ["name"], "properties": {"slug": False}}]
    }

    slug = Slug()
    name = Line(200)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_one_way(self, _data: object, original: object, **_: object) -> None:
        """Refuse what is named in no way or in two, whatever else is wrong with it."""
        if not isinstance(original, Mapping):
            return
        if "slug" in original and len(original) > 1:
            raise ValidationError(Sentence("names what is known; leave the other fields out"), "slug")
        if "slug" not in original and "name" not in original:
            raise ValidationError(Sentence("is required, unless a slug names what is known"), "name")
