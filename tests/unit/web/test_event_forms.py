"""The event form parses any input and reports each error beside the field that caused it."""

from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from eventcal.web.pages.organise.event_form import (
    CHECKED,
    add_consistency_errors,
    drop_empty_fields,
    map_errors_to_form_fields,
    parse_event_form,
    parse_price,
)
from eventcal.web.rendering.forms import load_with_errors, parse_int
from eventcal.web.schemas.events import EventIn

FIELD_NAMES = [
    "title",
    "timezone",
    "kind",
    "programme",
    "attendance",
    "slug",
    "online_url",
    "url",
    "series",
    "recurrence",
    "summary",
    "description",
    "starts",
    "starts_time",
    "ends",
    "ends_time",
    "venue",
    "address",
    "city",
    "region",
    "country",
    "latitude",
    "longitude",
    "registration_url",
    "price_amount",
    "price_currency",
    "tags",
    "call",
    "call_opens",
    "call_opens_time",
    "call_closes",
    "call_closes_time",
    "call_earth",
    "call_talk",
    "call_note",
]
FIELD_VALUES = [
    "2026-06-10",
    "2026-03-29",
    "02:30",
    "Europe/Berlin",
    "UTC",
    "FREQ=WEEKLY",
    "52,5",
    "1,50",
    "eur",
    CHECKED,
    "T",
    " ",
]


@given(st.dictionaries(st.sampled_from(FIELD_NAMES), st.one_of(st.sampled_from(FIELD_VALUES), st.text(max_size=20))))
def test_any_form_input_is_parsed_and_every_error_belongs_to_a_field(typed: dict[str, str]) -> None:
    body = parse_event_form(MultiDict(typed))
    fields, faults = load_with_errors(EventIn(), drop_empty_fields(body))
    assert bool(fields) is not bool(faults)
    found = map_errors_to_form_fields(add_consistency_errors(body, faults))
    assert bool(found) is bool(faults)
    assert {fault.pointer.split("/")[1] for fault in found} <= set(FIELD_NAMES)


def test_price_accepts_decimal_comma_and_lower_case_currency() -> None:
    def read(amount: str, currency: str) -> object:
        return parse_price(MultiDict({"price_amount": amount, "price_currency": currency}))

    assert read("12,50", " eur ") == {"amount": "12.50", "currency": "EUR"}
    assert read("1,000", "EUR") == {"amount": "1,000", "currency": "EUR"}
    assert read("5", "") == {"amount": "5"}
    assert read(" ", "") is None


def test_whole_number_parses_digits_and_leaves_other_text_to_the_schema() -> None:
    assert [parse_int(said) for said in ("", " 12 ", "many", "-1", "٣", "9" * 25)] == [
        None,
        12,
        "many",
        "-1",
        "٣",
        "9" * 25,
    ]
