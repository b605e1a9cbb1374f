"""marshmallow fields for query parameters."""

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

# The OpenAPI metadata of a line of text. JSON Schema cannot express that a line must not be blank.
LINE_JSON_SCHEMA: Mapping[str, Any] = {
    "format": "line",
    "minLength": 1,
    "pattern": r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$",
}
# The maximum length of a parameter value, in characters.
LONGEST_TEXT = 200
# The maximum number of values of a repeated parameter, which limits the cost of database queries.
MAX_VALUES = 50


class SingleParam(fields.Field[Any]):
    """A parameter that must not be repeated."""

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:  # noqa: ANN401 - the type of the subclass
        del attr, data, kwargs
        if not isinstance(value, str):
            raise ValidationError(Message("must not be repeated"))
        return self.parse(value)

    def parse(self, text: str) -> object:
        raise NotImplementedError


class LineParam(SingleParam, fields.String):
    """A single line of text that is not blank."""

    def parse(self, text: str) -> str:
        error = single_line_error(text)
        if error is not None:
            raise ValidationError(error)
        return text


class ChoiceParam(LineParam):
    """A parameter whose value must be one of the given strings, such as the members of a string enumeration."""

    def __init__(self, options: Iterable[str], **settings: Any) -> None:
        self._options = {str(option): option for option in options}
        choices = list(self._options)
        super().__init__(validate=OneOf(choices, error=validators.must_be_one_of_message(choices)), **settings)

    def parse(self, text: str) -> str:
        # The validator rejects a text that is not an option.
        return self._options.get(text, super().parse(text))


class SearchParam(LineParam):
    """A search term. A blank search term is ignored."""

    def parse(self, text: str) -> str:
        return super().parse(text) if text.strip(" ") else ""


class DateParam(SingleParam, fields.Date):
    """A date in the format YYYY-MM-DD."""

    def parse(self, text: str) -> date:
        try:
            day = parse_local(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        if isinstance(day, datetime):
            raise ValidationError(Message("must be a date such as 2014-08-18"))
        return day


class DateTimeParam(SingleParam, fields.String):
    """A time with a UTC offset (RFC 3339), or a date, which denotes the start of the day in UTC."""

    def parse(self, text: str) -> datetime:
        """Return the instant in UTC with a resolution of one second."""
        # An unescaped "+" is decoded as a space, so a space before the UTC offset must have been a "+".
        text = re.sub(r" (?=\d\d:\d\d\Z)", "+", text)
        with suppress(ValueError):
            local = parse_local(text)
            if isinstance(local, datetime):
                raise ValidationError(Message("must have an offset, such as 2014-06-04T13:30:00Z"))
            return datetime.combine(local, time(), UTC)
        try:
            return parse_call_time(text, "UTC", anywhere_on_earth=False)
        except ValueError as error:
            message = Message("must be a date-time with an offset, such as 2014-06-04T13:30:00Z, or a date")
            raise ValidationError(message) from error


class IntegerParam(SingleParam, fields.Integer):
    """A non-negative integer."""

    def parse(self, text: str) -> int:
        # `int()` also accepts signs, underscores and digits of other scripts.
        if re.fullmatch(r"[0-9]{1,9}", text) is None:
            raise ValidationError(validators.NOT_INTEGER)
        return int(text)


class BoolParam(SingleParam, fields.Boolean):
    """A boolean, written as true or false."""

    def parse(self, text: str) -> bool:
        if text not in {"true", "false"}:
            raise ValidationError(validators.NOT_BOOLEAN)
        return text == "true"


class MultiParam(fields.List[str]):
    """A parameter that can be repeated. Its values are loaded as a sorted tuple without duplicates."""

    def _deserialize(self, value: list[str], attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:  # noqa: ANN401 - a tuple
        if len(value) > MAX_VALUES:
            raise ValidationError(Message("must have at most %(most_values)s values", most_values=MAX_VALUES))
        return tuple(sorted(set(super()._deserialize(value, attr, data, **kwargs))))


class CommaSeparatedParam(MultiParam):
    """A parameter that can be repeated. Each value can be a comma-separated list."""

    def _deserialize(self, value: list[str], attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:  # noqa: ANN401 - a tuple
        parts = [part for joined in value for part in joined.split(",")]
        return super()._deserialize(parts, attr, data, **kwargs)


def short_line_param(**settings: Any) -> LineParam:
    return LineParam(validate=max_length(LONGEST_TEXT), metadata=dict(LINE_JSON_SCHEMA), **settings)


def described(description: str) -> dict[str, Any]:
    return {"description": description}


def max_length(limit: int) -> Length:
    return Length(max=limit, error=validators.too_long_message(limit))


def in_range(least: int, most: int) -> Range:
    return Range(least, most, error=Message("must be between %(least)s and %(most)s", least=least, most=most))


def page_size_param(**settings: Any) -> IntegerParam:
    return IntegerParam(validate=in_range(1, MAX_LIMIT), **settings)


def pattern_param(pattern: str, *, described: Message) -> LineParam:
    """Return a field for text that matches a pattern. `described` is the error message for text that does not match."""
    return LineParam(validate=Regexp(re.compile(f"^(?:{pattern})$", re.ASCII), error=described))


class QuerySchema(Schema):
    """Base class for query string schemas, which load a MultiDict and reject unknown parameters."""

    class Meta:
        """Options for marshmallow."""

        unknown = RAISE

    @pre_load
    def _multidict_to_dict(self, data: Any, **_: object) -> dict[str, object]:  # noqa: ANN401 - a MultiDict, or webargs' proxy of one
        """Map each repeatable or repeated parameter to a list of values, and every other parameter to its value."""
        multi = {field.data_key or name for name, field in self.load_fields.items() if isinstance(field, MultiParam)}
        given = {name: data.getlist(name) for name in data}
        return {name: values[0] if len(values) == 1 and name not in multi else values for name, values in given.items()}


def load_query(
    schema: QuerySchema, args: MultiDict[str, str], *, unknown: Literal["refuse", "ignore"] = "refuse"
) -> Any:  # noqa: ANN401 - what the schema loads
    """Load a query string with a schema. Raises Invalid with all errors. By default, unknown parameters are errors."""
    try:
        return schema.load(args if unknown == "refuse" else _drop_unknown(schema, args))
    except ValidationError as error:
        # Identical error messages for several values of a parameter are reported as one error.
        errors = dict.fromkeys(to_field_errors(error.messages, location="query"))
        raise Invalid(errors=tuple(errors)) from error


def drop_unknown_and_blank(schema: QuerySchema, args: MultiDict[str, str]) -> MultiDict[str, str]:
    """Remove blank parameters, which forms submit, and unknown parameters such as utm_source, which other sites add."""
    return MultiDict([(name, value) for name, value in _drop_unknown(schema, args).items(multi=True) if value.strip()])


def language_arg_or_empty(args: Mapping[str, str], name: str = "lang") -> str:
    """Return the value of a parameter if it is a supported language, or an empty string."""
    return args[name] if args.get(name) in LANGUAGES else ""


def _drop_unknown(schema: QuerySchema, args: MultiDict[str, str]) -> MultiDict[str, str]:
    known = {field.data_key or name for name, field in schema.load_fields.items()}
    return MultiDict([pair for pair in args.items(multi=True) if pair[0] in known])
