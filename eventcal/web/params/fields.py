"""marshmallow fields for query parameters. All values arrive as text.

Error messages have no subject, because they are shown after the name of the parameter.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Any, Literal

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load
from marshmallow.validate import Length, OneOf, Range, Regexp
from werkzeug.datastructures import MultiDict

from eventcal.kit import validators
from eventcal.kit.errors import Invalid, Message
from eventcal.kit.localtime import parse_call_time, parse_local
from eventcal.kit.pagination import MAX_LIMIT
from eventcal.kit.text import single_line_error
from eventcal.kit.translations import LANGUAGES
from eventcal.web.http.errors import to_field_errors

LINE_JSON_SCHEMA: Mapping[str, Any] = {
    "format": "line",
    "minLength": 1,
    "pattern": r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$",
}
"""The OpenAPI metadata of a line of text. JSON Schema cannot express that it must not be blank."""

LONGEST_TEXT = 200
"""The largest number of characters in a value."""

MAX_VALUES = 50
"""The largest number of values of a parameter. It limits the cost of database queries."""


class SingleParam(fields.Field[Any]):
    """A parameter that must not be repeated."""

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:  # noqa: ANN401 - the type of the subclass
        del attr, data, kwargs
        if not isinstance(value, str):
            raise ValidationError(Message("is given more than once; once is enough"))
        return self.parse(value)

    def parse(self, text: str) -> object:
        """Return the value of the text. Raises ValidationError."""
        raise NotImplementedError


class LineParam(SingleParam, fields.String):
    """A single line of text that is not blank."""

    def parse(self, text: str) -> str:
        """Return the text unchanged."""
        fault = single_line_error(text)
        if fault is not None:
            raise ValidationError(fault)
        return text


class ChoiceParam(LineParam):
    """One of several words, which may be the members of an enumeration."""

    def __init__(self, options: Iterable[str], **settings: Any) -> None:
        self._words = list(options)
        choices = [str(one) for one in self._words]
        super().__init__(validate=OneOf(choices, error=validators.not_one_of_message(choices)), **settings)

    def parse(self, text: str) -> str:
        """Return the matching word; any other text is returned unchanged and rejected by the validator."""
        return next((one for one in self._words if one == text), super().parse(text))


class SearchParam(LineParam):
    """A search term; an empty one is ignored."""

    def parse(self, text: str) -> str:
        """Return the text unchanged, or "" if it is blank."""
        return super().parse(text) if text.strip(" ") else ""


class DateParam(SingleParam, fields.Date):
    """A date in the form YYYY-MM-DD."""

    def parse(self, text: str) -> date:
        """Return the date."""
        try:
            day = parse_local(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        if isinstance(day, datetime):
            raise ValidationError(Message("must be a date, as in 2014-08-18"))
        return day


class DateTimeParam(SingleParam, fields.String):
    """A time with offset (RFC 3339), or a date, which means the start of that day in UTC."""

    def parse(self, text: str) -> datetime:
        """Return the instant in UTC, in whole seconds."""
        # An unescaped "+" is decoded as a space. A space in this position can only have been a "+".
        text = re.sub(r" (?=\d\d:\d\d\Z)", "+", text)
        with suppress(ValueError):
            local = parse_local(text)
            if isinstance(local, datetime):
                raise ValidationError(Message("has no offset; add one, as in 2014-06-04T13:30:00Z"))
            return datetime.combine(local, time(), UTC)
        try:
            return parse_call_time(text, "UTC", anywhere_on_earth=False)
        except ValueError as error:
            message = Message("must be a time with its offset, as in 2014-06-04T13:30:00Z, or a date")
            raise ValidationError(message) from error


class IntegerParam(SingleParam, fields.Integer):
    """A non-negative integer."""

    def parse(self, text: str) -> int:
        """Return the number."""
        # int() also accepts signs, underscores and digits of other scripts.
        if re.fullmatch(r"[0-9]{1,9}", text) is None:
            raise ValidationError(validators.NOT_INTEGER)
        return int(text)


class BoolParam(SingleParam, fields.Boolean):
    """A boolean, given as true or false."""

    def parse(self, text: str) -> bool:
        """Return the boolean."""
        if text not in {"true", "false"}:
            raise ValidationError(validators.NOT_BOOLEAN)
        return text == "true"


class MultiParam(fields.List[str]):
    """A parameter that may be repeated. It loads a sorted tuple, so that equivalent queries are equal."""

    def _deserialize(self, value: list[str], attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:  # noqa: ANN401 - a tuple
        if len(value) > MAX_VALUES:
            raise ValidationError(Message("has more than %(most_values)s values", most_values=MAX_VALUES))
        return tuple(sorted(set(super()._deserialize(value, attr, data, **kwargs))))


class CommaSeparatedParam(MultiParam):
    """Like Several, for values without commas, which may also be given as a comma-separated list."""

    def _deserialize(self, value: list[str], attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:  # noqa: ANN401 - a tuple
        parts = [part for joined in value for part in joined.split(",")]
        return super()._deserialize(parts, attr, data, **kwargs)


def short_line_param() -> LineParam:
    """Return a field for a line of text of at most `LONGEST_TEXT` characters."""
    return LineParam(validate=max_length(LONGEST_TEXT), metadata=dict(LINE_JSON_SCHEMA))


def described(description: str) -> dict[str, Any]:
    """Return the metadata for a field with this OpenAPI description."""
    return {"description": description}


def max_length(limit: int) -> Length:
    """Return a validator for a text of at most `limit` characters."""
    return Length(max=limit, error=validators.too_long_message(limit))


def in_range(least: int, most: int) -> Range:
    """Return a validator for a number from `least` to `most`."""
    return Range(least, most, error=Message("must be from %(least)s to %(most)s", least=least, most=most))


def page_size_param(**settings: Any) -> IntegerParam:
    """Return a field for the number of items per page."""
    return IntegerParam(validate=in_range(1, MAX_LIMIT), **settings)


def pattern_param(pattern: str, *, described: Message) -> LineParam:
    """Return a field for a text that matches the pattern; `described` is the error message."""
    return LineParam(validate=Regexp(re.compile(f"^(?:{pattern})$", re.ASCII), error=described))


class QuerySchema(Schema):
    """Base class of schemas for query strings. It loads a MultiDict and rejects unknown parameters."""

    class Meta:
        """Options for marshmallow."""

        unknown = RAISE

    @pre_load
    def _multidict_to_dict(self, data: Any, **_: object) -> dict[str, object]:  # noqa: ANN401 - a MultiDict, or webargs' proxy of one
        """Return a value for each parameter, or a list if it is repeated or may be repeated."""
        several = {field.data_key or name for name, field in self.load_fields.items() if isinstance(field, MultiParam)}
        given = {name: data.getlist(name) for name in data}
        return {
            name: values[0] if len(values) == 1 and name not in several else values for name, values in given.items()
        }


def load_query(
    schema: QuerySchema, args: MultiDict[str, str], *, unknown: Literal["refuse", "ignore"] = "refuse"
) -> Any:  # noqa: ANN401 - what the schema loads
    """Load a query string with a schema.

    Raises:
        Invalid: with every field error, including unknown parameters unless `unknown` is "ignore"
    """
    given = args if unknown == "refuse" else _drop_unknown(schema, args)
    try:
        return schema.load(given)
    except ValidationError as error:
        # Several invalid values of one parameter are reported once per message.
        faults = dict.fromkeys(to_field_errors(error.messages, location="query"))
        raise Invalid(errors=tuple(faults)) from error


def drop_unknown_and_blank(schema: QuerySchema, args: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return the parameters that are defined in the schema and not blank. They may still be invalid.

    Forms send blank fields, and links from other sites contain parameters such as utm_source.
    """
    return MultiDict([(name, value) for name, value in _drop_unknown(schema, args).items(multi=True) if value.strip()])


def supported_language_arg(args: Mapping[str, str], name: str = "lang") -> str:
    """Return the supported language that a parameter names, or ""."""
    return args[name] if args.get(name) in LANGUAGES else ""


def _drop_unknown(schema: QuerySchema, args: MultiDict[str, str]) -> MultiDict[str, str]:
    known = {field.data_key or name for name, field in schema.load_fields.items()}
    return MultiDict([pair for pair in args.items(multi=True) if pair[0] in known])
