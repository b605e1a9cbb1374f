"""Schema fields: the values they accept, the values they serialize and their error messages."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from marshmallow import ValidationError, fields

from eventcal.kit.values import COLOUR, COUNTRY, LANGUAGE
from eventcal.members.words import Role
from eventcal.web.schemas.fields import (
    Address,
    Degrees,
    Flag,
    Form,
    HttpUrl,
    Instant,
    Items,
    Line,
    LocalTime,
    Part,
    Shape,
    Slug,
    Text,
    Whole,
    Word,
)
from eventcal.web.schemas.money import Money, price_json
from eventcal.web.schemas.out import Out

EURO = {"amount": "12.5", "currency": "EUR"}


def load(field: fields.Field[Any], value: object) -> object:
    """Return the value that the field loads."""
    return Shape.from_dict({"x": field})().load({"x": value})["x"]


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        (Text(5), "", ""),
        (Text(5), "a\n\tb\n", "a\n\tb\n"),
        (Line(5), " ab ", " ab "),
        (Line(5, allow_none=True), None, None),
        (Slug(), "xen-summit-2014", "xen-summit-2014"),
        (LocalTime(), "2014-08-18", "2014-08-18"),
        (LocalTime(), "2014-06-04T13:30", "2014-06-04T13:30:00"),
        (HttpUrl(), "https://example.org:8443/a?b=c#d", "https://example.org:8443/a?b=c#d"),
        (HttpUrl(), "http://exämple.org/ü", "http://exämple.org/ü"),
        (Address(), "Ada@Example.ORG", "Ada@example.org"),
        (Form(COUNTRY), "DE", "DE"),
        (Form(LANGUAGE), "pt-BR", "pt-BR"),
        (Form(COLOUR), "#2A7f62", "#2A7f62"),
        (Instant(), "2014-05-02T23:59:00.5+02:00", datetime(2014, 5, 2, 21, 59, tzinfo=UTC)),
        (Instant(), "2014-05-02t21:59:00z", datetime(2014, 5, 2, 21, 59, tzinfo=UTC)),
        (Whole(), 0, 0),
        (Whole(), 2**31 - 1, 2**31 - 1),
        (Degrees(90), -90, -90.0),
        (Flag(), False, False),
        (Word(Role), "admin", Role.ADMIN),
        (Items(Line(3), least=1, limit=2), ["a", "b"], ["a", "b"]),
        (Part(Money), EURO, {"amount": Decimal("12.5"), "currency": "EUR"}),
    ],
)
def test_field_loads_valid_value(field: fields.Field[Any], value: object, kept: object) -> None:
    assert load(field, value) == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (Text(5), 5),
        (Text(5), None),
        (Text(5), "abcdef"),
        (Text(5), "a\x00b"),
        (Text(5), "\ud800"),
        (Line(5), "a\nb"),
        (Line(5), "\u200b"),
        (Line(5), ""),
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
        (Address(), "ada@localhost"),
        (Address(), "Ada <ada@example.org>"),
        (Form(COUNTRY), "de"),
        (Form(COUNTRY), "XX"),
        (Form(LANGUAGE), "english language"),
        (Form(COLOUR), "red"),
        (Form(COLOUR), "#2a7f62 "),
        (Instant(), "2014-05-02T23:59:00"),
        (Instant(), "2014-05-02"),
        (Instant(), "0001-01-01T00:00:00+14:00"),
        (Instant(), 1399067940),
        (Whole(), "5"),
        (Whole(), 5.5),
        (Whole(), True),
        (Whole(), -1),
        (Whole(), 2**31),
        (Degrees(90), "5"),
        (Degrees(90), 90.1),
        (Degrees(90), float("nan")),
        (Flag(), 1),
        (Flag(), "true"),
        (Word(Role), "god"),
        (Word(Role), []),
        (Items(Line(3), limit=2), ["a", "b", "c"]),
        (Items(Line(3), least=1), []),
        (Items(Line(3)), "abc"),
        (Items(Line(3)), {"0": "a"}),
        (Part(Money), []),
        (Part(Money), {"amount": "12.5"}),
        (Part(Money), EURO | {"amount": 12.5}),
        (Part(Money), EURO | {"amount": "1e3"}),
        (Part(Money), EURO | {"amount": "-1"}),
        (Part(Money), EURO | {"amount": "12.345"}),
        (Part(Money), EURO | {"currency": "€"}),
        (Part(Money), EURO | {"tax": "1"}),
    ],
)
def test_field_rejects_invalid_value(field: fields.Field[Any], value: object) -> None:
    with pytest.raises(ValidationError):
        load(field, value)


class TokenOut(Out):
    """A resource with each kind of field that `write` handles differently."""

    name = fields.String(required=True)
    created_at = Instant(required=True)
    expires_at = Instant(required=True, allow_none=True)
    scopes = fields.List(fields.String(), required=True)


def test_write_copies_attributes_in_declared_order_and_instants_in_utc() -> None:
    created = datetime(2014, 5, 2, 23, 59, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    token = SimpleNamespace(scopes="read", expires_at=None, created_at=created, name="laptop", secret="x")
    written = TokenOut.write(token, scopes=["read"])
    assert list(written.items()) == [
        ("name", "laptop"),
        ("created_at", "2014-05-02T21:59:00Z"),
        ("expires_at", None),
        ("scopes", ["read"]),
    ]


def test_write_keeps_given_instants_unchanged() -> None:
    token = SimpleNamespace(name="laptop", scopes=[], expires_at=None)
    assert TokenOut.write(token, created_at="2014-05-02T23:59:00+02:00")["created_at"] == "2014-05-02T23:59:00+02:00"


def test_price_has_two_decimal_places() -> None:
    assert price_json(Decimal("12.5"), "EUR") == {"amount": "12.50", "currency": "EUR"}
    assert price_json(None, "EUR") is None


def test_all_errors_are_reported_together_without_field_names() -> None:
    class Thing(Shape):
        name = Line(5, required=True)
        tags = Items(Line(3))
        open = Flag()

    with pytest.raises(ValidationError) as refused:
        Thing().load({"tags": ["abcd", 5], "open": None, "size": 1})
    assert refused.value.messages == {
        "name": ["is required"],
        "tags": {0: ["must have at most 3 characters"], 1: ["must be text"]},
        "open": ["must not be null; leave it out instead"],
        "size": ["is not known here; leave it out"],
    }
