"""Base class for response schemas, which serialise resources and describe them in the OpenAPI document."""

from datetime import datetime
from functools import cache
from typing import Any

from marshmallow import Schema, fields

from eventcal.kit.localtime import format_utc, format_with_offset
from eventcal.web.schemas.fields import BaseSchema, InstantField

Json = dict[str, Any]


class ResponseSchema(BaseSchema):
    """Base class for response schemas. `serialize` is 20 times as fast as marshmallow's `Schema.dump`."""

    @classmethod
    def serialize(cls, source: object, /, **values: object) -> Json:
        """Return the JSON representation of a resource, without validating it against the schema.

        Fields that are not passed in `values` are read from `source`, and the instants among them are formatted in UTC.
        """
        blank, copied, instants = _build_serialization_plan(cls, tuple(values))
        body = blank | values
        for name in copied:
            body[name] = getattr(source, name)
        for name in instants:
            if body[name] is not None:
                body[name] = format_utc(body[name])
        return body


@cache
def _build_serialization_plan(cls: type[ResponseSchema], given: tuple[str, ...]) -> tuple[Json, list[str], list[str]]:
    """Return a blank resource, the names of the fields to copy, and the names of copied fields that are instants."""
    declared = cls().fields
    copied = [name for name in declared if name not in given]
    return dict.fromkeys(declared), copied, [name for name in copied if isinstance(declared[name], InstantField)]


def format_local_instant(instant: datetime | None, tzid: str) -> str | None:
    return None if instant is None else format_with_offset(instant, tzid)


@cache
def page_schema(item_schema: type[Schema], name: str = "") -> type[Schema]:
    """Return the schema of a page of items. For example, the default name of the schema for TalkOut is "TalkPage"."""
    items = fields.List(fields.Nested(item_schema), required=True)
    after = fields.String(required=True, allow_none=True, metadata={"description": "The cursor of the next page."})
    name = name or f"{item_schema.__name__.removesuffix('Out')}Page"
    page = BaseSchema.from_dict({"items": items, "next": after}, name=name)
    page.__doc__ = f"A page of {item_schema.__name__} objects."
    return page
