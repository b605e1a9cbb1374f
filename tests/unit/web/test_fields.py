"""Schema fields: the values they accept, the values they serialise and their error messages."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from marshmallow import ValidationError, fields

from eventcal.kit.validators import COLOUR, COUNTRY, LANGUAGE
from eventcal.members.enums import Role
from eventcal.web.schemas.fields import (
    BaseSchema,
    BoolField,
    DegreesField,
    EmailField,
    EnumField,
    HttpUrl,
    InstantField,
    IntegerField,
    ListField,
    LocalTime,
    MultiLine,
    NestedField,
    PatternString,
    SingleLine,
    Slug,
)
from eventcal.web.schemas.money import Money, price_json
from eventcal.web.schemas.response_schema import ResponseSchema

EURO = {"amount": "12.5", "currency": "EUR"}


def load_value(field: fields.Field[Any], value: object) -> object:
    """Return the value that the field loads."""
    return BaseSchema.from_dict({"x": field})().load({"x": value})["x"]


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        (MultiLine(5), "", ""),
        (MultiLine(5), "a\n\tb\n", "a\n\tb\n"),
        (SingleLine(5), " ab ", " ab "),
        (SingleLine(5, allow_none=True), None, None),
        (Slug(), "xen-summit-2014", "xen-summit-2014"),
        (LocalTime(), "2014-08-18", "2014-08-18"),
        (LocalTime(), "2014-06-04T13:30", "2014-06-04T13:30:00"),
        (HttpUrl(), "https://example.org:8443/a?b=c#d", "https://example.org:8443/a?b=c#d"),
        (HttpUrl(), "http://exämple.org/ü", "http://exämple.org/ü"),
        (EmailField(), "Ada@Example.ORG", "Ada@example.org"),
        (PatternString(COUNTRY), "DE", "DE"),
        (PatternString(LANGUAGE), "pt-BR", "pt-BR"),
        (PatternString(COLOUR), "#2A7f62", "#2A7f62"),
        (InstantField(), "2014-05-02T23:59:00.5+02:00", datetime(2014, 5, 2, 21, 59, tzinfo=UTC)),
        (InstantField(), "2014-05-02t21:59:00z", datetime(2014, 5, 2, 21, 59, tzinfo=UTC)),
        (IntegerField(), 0, 0),
        (IntegerField(), 2**31 - 1, 2**31 - 1),
        (DegreesField(90), -90, -90.0),
        (BoolField(), False, False),
        (EnumField(Role), "admin", Role.ADMIN),
        (ListField(SingleLine(3), least=1, limit=2), ["a", "b"], ["a", "b"]),
        (NestedField(Money), EURO, {"amount": Decimal("12.5"), "currency": "EUR"}),
    ],
)
def test_field_loads_valid_value(field: fields.Field[Any], value: object, kept: object) -> None:
    assert load_value(field, value) == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (MultiLine(5), 5),
        (MultiLine(5), None),
        (MultiLine(5), "abcdef"),
        (MultiLine(5), "a\x00b"),
        (MultiLine(5), "\ud800"),
        (SingleLine(5), "a\nb"),
        (SingleLine(5), "\u200b"),
        (SingleLine(5), ""),
        (Slug(), "Xen"),
        (Slug(), "-a"),
        (Slug(), "a" * 81),
        (LocalTime(), "2014-06-04T13:30:00Z"),
        (LocalTime(), "2014-02-30"),
        (LocalTime(), "1969-12-31"),
        (HttpUrl(), "javascript:alert(1)"),
        (HttpUrl(), "//example.org/"),
        (HttpUrl(), "https:///path"),
        (HttpUrl(), "https://user@example.org/"),
        (HttpUrl(), "https://[::1/"),
        (HttpUrl(), "https://example.org:x/"),
        (HttpUrl(), "https://example.org/ x"),
        (HttpUrl(), "https://example.org/100%"),
        (HttpUrl(), 'https://example.org/"><script>'),
        (HttpUrl(), "https://example.org/\u202e"),
        (HttpUrl(), "https://example.org/" + "x" * 2000),
        (EmailField(), "ada@localhost"),
        (EmailField(), "Ada <ada@example.org>"),
        (PatternString(COUNTRY), "de"),
        (PatternString(COUNTRY), "XX"),
        (PatternString(LANGUAGE), "english language"),
        (PatternString(LANGUAGE), "english"),
        (PatternString(LANGUAGE), "en-"),
        (PatternString(LANGUAGE), "e"),
        (PatternString(COLOUR), "red"),
        (PatternString(COLOUR), "#2a7f62 "),
        (InstantField(), "2014-05-02T23:59:00"),
        (InstantField(), "2014-05-02"),
        (InstantField(), "0001-01-01T00:00:00+14:00"),
        (InstantField(), 1399067940),
        (IntegerField(), "5"),
        (IntegerField(), 5.5),
        (IntegerField(), True),
        (IntegerField(), -1),
        (IntegerField(), 2**31),
        (DegreesField(90), "5"),
        (DegreesField(90), 90.1),
        (DegreesField(90), float("nan")),
        (BoolField(), 1),
        (BoolField(), "true"),
        (EnumField(Role), "god"),
        (EnumField(Role), []),
        (ListField(SingleLine(3), limit=2), ["a", "b", "c"]),
        (ListField(SingleLine(3), least=1), []),
        (ListField(SingleLine(3)), "abc"),
        (ListField(SingleLine(3)), {"0": "a"}),
        (NestedField(Money), []),
        (NestedField(Money), {"amount": "12.5"}),
        (NestedField(Money), EURO | {"amount": 12.5}),
        (NestedField(Money), EURO | {"amount": "1e3"}),
        (NestedField(Money), EURO | {"amount": "-1"}),
        (NestedField(Money), EURO | {"amount": "12.345"}),
        (NestedField(Money), EURO | {"currency": "€"}),
        (NestedField(Money), EURO | {"tax": "1"}),
    ],
)
def test_field_rejects_invalid_value(field: fields.Field[Any], value: object) -> None:
    with pytest.raises(ValidationError):
        load_value(field, value)


class TokenSchema(ResponseSchema):
    """A resource with each kind of field that `write` handles differently."""

    name = fields.String(required=True)
    created_at = InstantField(required=True)
    expires_at = InstantField(required=True, allow_none=True)
    scopes = fields.List(fields.String(), required=True)


def test_write_copies_attributes_in_declared_order_and_instants_in_utc() -> None:
    created = datetime(2014, 5, 2, 23, 59, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    token = SimpleNamespace(scopes="read", expires_at=None, created_at=created, name="laptop", secret="x")
    written = TokenSchema.serialize(token, scopes=["read"])
    assert list(written.items()) == [
        ("name", "laptop"),
        ("created_at", "2014-05-02T21:59:00Z"),
        ("expires_at", None),
        ("scopes", ["read"]),
    ]


def test_write_keeps_given_instants_unchanged() -> None:
    token = SimpleNamespace(name="laptop", scopes=[], expires_at=None)
    assert (
        TokenSchema.serialize(token, created_at="2014-05-02T23:59:00+02:00")["created_at"]
        == "2014-05-02T23:59:00+02:00"
    )


def test_price_has_two_decimal_places() -> None:
    assert price_json(Decimal("12.5"), "EUR") == {"amount": "12.50", "currency": "EUR"}
    assert price_json(None, "EUR") is None


def test_all_errors_are_reported_together_without_field_names() -> None:
    class Thing(BaseSchema):
        name = SingleLine(5, required=True)
        tags = ListField(SingleLine(3))
        open = BoolField()

    with pytest.raises(ValidationError) as refused:
        Thing().load({"tags": ["abcd", 5], "open": None, "size": 1})
    assert refused.value.messages == {
        "name": ["is required"],
        "tags": {0: ["must have at most 3 characters"], 1: ["must be a string"]},
        "open": ["must not be null; omit it instead"],
        "size": ["is not a known field; remove it"],
    }
