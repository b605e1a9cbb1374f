"""Schema fields, which check types and formats but no domain rules, and the base class for all schemas.

Error messages have no subject ("must be a string"), because each message is shown after the name of its field.
JSON types are not converted. For example, a number field rejects the string "5".
"""

import re
from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from eventcal.kit import validators
from eventcal.kit.errors import Message
from eventcal.kit.localtime import FIRST_YEAR, LAST_YEAR, format_local, parse_call_time, parse_local
from eventcal.kit.pagination import DEFAULT_LIMIT
from eventcal.kit.text import SLUG_LIMIT, SLUG_PATTERN, multi_line_error, single_line_error, slug_error
from eventcal.kit.validators import URL_LIMIT, url_error
from eventcal.members.service import normalise_email
from eventcal.web.params.fields import LINE_JSON_SCHEMA, QuerySchema, in_range, max_length, page_size_param
from eventcal.web.params.fields import LineParam as Cursor

LOCAL_PATTERN = r"^(19[7-9]\d|2[01]\d\d)-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$"

# Limits on the search for the closest known field, whose cost grows with the request.
_MAX_SUGGESTIONS = 20
_LONGEST_FIELD_NAME = 40

Loaded = TypeVar("Loaded", bound=Mapping[str, object])
TextValidator = Callable[[str], Message | None]
"""A function that returns the error message for an invalid string, or None if the string is valid."""

URI = {"format": "uri"}
# This pattern excludes all control characters except tabs and line breaks.
TEXT_PATTERN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"


class BaseSchema(Schema):
    """Base class for all schemas. `extra_json_schema` adds JSON Schema keywords to the OpenAPI document."""

    extra_json_schema: ClassVar[Mapping[str, Any]] = {}
    error_messages = {"unknown": validators.UNKNOWN_FIELD, "type": validators.NOT_OBJECT}

    class Meta:
        """Options for marshmallow."""

        unknown = RAISE

    def handle_error(self, error: ValidationError, data: object, **_: object) -> None:
        """Name the closest known field in the messages about unknown fields."""
        del data
        known = [field.data_key or name for name, field in self.load_fields.items()]
        messages = cast("dict[Any, Any]", error.messages)
        unknown = sorted(key for key in set(messages) - {*known, "_schema"} if isinstance(key, str))
        for key in unknown[:_MAX_SUGGESTIONS]:
            closest = get_close_matches(key[:_LONGEST_FIELD_NAME], known, n=1, cutoff=0.75)
            if closest:
                messages[key] = [Message("is not a known field; did you mean “%(closest)s”?", closest=closest[0])]

    @classmethod
    def with_required(cls, *field_names: str, name: str, description: str) -> type[Self]:
        """Return a subclass called `name`, in which the fields listed in `field_names` are required."""
        declared = {field: copy(cls._declared_fields[field]) for field in field_names}
        for field in declared.values():
            field.required = True
        return type(name, (cls,), {**declared, "__doc__": description})


class TypedSchema(BaseSchema, Generic[Loaded]):
    """A schema whose `load` method returns a TypedDict."""

    def load(self, data: Any, **options: Any) -> Loaded:  # noqa: ANN401 - marshmallow's signature
        return cast("Loaded", super().load(data, **options))


class Field(fields.Field[Any]):
    """Base class for all fields. `json_schema` and `doc` describe the field in the OpenAPI document."""

    json_schema: Mapping[str, Any] = {}
    default_error_messages = {"required": validators.REQUIRED, "null": validators.NOT_NULL}

    def __init__(self, *args: Any, doc: str = "", metadata: Mapping[str, Any] | None = None, **settings: Any) -> None:
        description = {"description": doc} if doc else {}
        super().__init__(*args, metadata={**self.json_schema, **description, **(metadata or {})}, **settings)


class MultiLine(Field, fields.String):
    """Text of at most `limit` characters. The text can be empty, and can contain line breaks."""

    limit: int
    parse: Callable[[str], str] = staticmethod(str)
    """Returns the normalised text, or raises ValueError."""
    json_schema: Mapping[str, Any] = {"format": "text", "pattern": TEXT_PATTERN}
    find_error: TextValidator = staticmethod(multi_line_error)
    default_error_messages = {"invalid": validators.NOT_TEXT}

    def __init__(self, limit: int | None = None, **settings: Any) -> None:
        super().__init__(validate=max_length(limit or self.limit), **settings)

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        fault = self.find_error(text)
        if fault is not None:
            raise ValidationError(fault)
        try:
            return self.parse(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class SingleLine(MultiLine):
    """A non-blank line of text of at most `limit` characters."""

    json_schema = LINE_JSON_SCHEMA
    find_error: TextValidator = staticmethod(single_line_error)


class Slug(SingleLine):
    """A slug, which consists of groups of lower-case ASCII letters and digits that are joined by hyphens."""

    limit = SLUG_LIMIT
    json_schema: Mapping[str, Any] = {"pattern": SLUG_PATTERN}
    find_error: TextValidator = staticmethod(slug_error)


class LocalTime(SingleLine):
    """A date or date-time in an event's time zone, normalised to a form such as 2014-08-18 or 2014-06-04T13:30:00."""

    limit = 19
    json_schema: Mapping[str, Any] = {"pattern": LOCAL_PATTERN, "examples": ["2014-06-04T13:30:00", "2014-08-18"]}

    def parse(self, text: str) -> str:
        return format_local(parse_local(text))


class HttpUrl(SingleLine):
    """An absolute http or https URL of at most 2000 characters, without a user name."""

    limit = URL_LIMIT
    json_schema: Mapping[str, Any] = {**LINE_JSON_SCHEMA, "format": "uri", "description": "http or https."}
    find_error: TextValidator = staticmethod(url_error)


class EmailField(SingleLine):
    """An email address, normalised by `normalise_email`."""

    limit = 254
    json_schema: Mapping[str, Any] = {**LINE_JSON_SCHEMA, "format": "email"}
    parse = staticmethod(normalise_email)


class PatternString(SingleLine):
    """A line of text in one of the formats that `eventcal.kit.validators` defines."""

    def __init__(self, value_format: validators.TextFormat, **settings: Any) -> None:
        self.json_schema = {"pattern": f"^{value_format.pattern}$"}
        self.find_error = value_format.find_error
        super().__init__(value_format.limit, **settings)


class StrictField(Field):
    """Base class for fields that accept a single JSON type. `parse` raises ValueError if a value is invalid."""

    parse: Callable[[Any], Any]

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:  # noqa: ANN401 - the type of the subclass
        del attr, data, kwargs
        try:
            return self.parse(value)
        except ValueError as error:
            raise self.make_error("invalid") from error


class InstantField(StrictField, fields.DateTime):
    """An instant in RFC 3339 format with a UTC offset."""

    default_error_messages = {
        "invalid": Message(
            "must be a date-time with an offset, such as 2014-05-02T23:59:00+02:00 (in a URL, write + as %(plus)s), "
            "in the years %(first)s to %(last)s",
            plus="%2B",
            first=FIRST_YEAR,
            last=LAST_YEAR,
        )
    }

    def parse(self, value: object) -> datetime:
        if not isinstance(value, str) or not re.search(r"T.*([Z]|[+-]\d\d:\d\d)$", value, re.ASCII | re.IGNORECASE):
            raise ValueError
        return parse_call_time(value, "UTC", anywhere_on_earth=False)


class IntegerField(StrictField, fields.Integer):
    """An integer. The number 5.0 is accepted, because JSON Schema treats it as an integer."""

    default_error_messages = {"invalid": validators.NOT_INTEGER}

    # By default, the maximum is the largest value of an INTEGER column in PostgreSQL.
    def __init__(self, *, least: int = 0, most: int = 2**31 - 1, **settings: Any) -> None:
        super().__init__(strict=True, validate=in_range(least, most), **settings)

    def parse(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or value % 1:
            raise ValueError
        return int(value)


class DegreesField(Field, fields.Float):
    """A latitude or longitude, from `-limit` to `limit` degrees."""

    default_error_messages = {"invalid": Message("must be a number")}

    def __init__(self, limit: int, **settings: Any) -> None:
        super().__init__(validate=in_range(-limit, limit), **settings)

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> float:
        if isinstance(value, str):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class BoolField(StrictField, fields.Boolean):
    """A boolean. Values such as 1 and "yes" are rejected."""

    default_error_messages = {"invalid": validators.NOT_BOOLEAN}

    def parse(self, value: object) -> bool:
        if value is not True and value is not False:
            raise ValueError
        return value


class EnumField(Field, fields.Enum[StrEnum]):
    """A value of a string enumeration."""

    def __init__(self, enum_class: type[StrEnum], **settings: Any) -> None:
        unknown = validators.must_be_one_of_message(enum_class)
        super().__init__(enum_class, by_value=True, error_messages={"unknown": unknown}, **settings)


class ListField(Field, fields.List[Any]):
    """A list of `least` to `limit` items."""

    default_error_messages = {"invalid": validators.NOT_LIST}

    def __init__(self, inner: fields.Field[Any], *, least: int = 0, limit: int = 100, **settings: Any) -> None:
        says = Message("must have at most %(limit)s items", limit=limit)
        if least:
            says = Message("must have %(least)s to %(limit)s items", least=least, limit=limit)
        length = validate.Length(min=least or None, max=limit, error=says)
        super().__init__(inner, validate=length, error_messages={"long": says}, **settings)
        self._limit = limit

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        if len(value) > self._limit:
            # Check the length first, because validating the items of an extremely long list could take seconds.
            raise self.make_error("long")
        return super()._deserialize(value, attr, data, **kwargs)


class NestedField(Field, fields.Nested):
    """A nested object."""

    default_error_messages = {"type": validators.NOT_OBJECT}


class ReferenceOrInline(BaseSchema):
    """Base class for objects that are given either as the `slug` of an existing object or as new data."""

    # Client generators ignore the fields of a schema with alternatives (`oneOf`).
    extra_json_schema: ClassVar[Mapping[str, Any]] = {
        "if": {"required": ["slug"]},
        "then": {"maxProperties": 1},
        "else": {"required": ["name"]},
    }

    slug = Slug()
    name = SingleLine(200)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_slug_or_name(self, _data: object, original: object, **_: object) -> None:
        """Check that either `name` is present or `slug` is the only field."""
        if not isinstance(original, Mapping):
            return
        if "slug" in original and len(original) > 1:
            raise ValidationError(Message("refers to an existing record; remove the other fields"), "slug")
        if "slug" not in original and "name" not in original:
            raise ValidationError(Message("is required unless `slug` refers to an existing record"), "name")


class PageQuery(QuerySchema):
    """The query parameters of a paginated list."""

    limit = page_size_param(load_default=DEFAULT_LIMIT)
    cursor = Cursor(load_default=None)
