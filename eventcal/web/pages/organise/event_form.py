"""The event form, which converts submitted fields to API request bodies and events to field values."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from flask_babel import gettext as _

from eventcal.events.enums import TalkKind
from eventcal.events.fields import EventFields
from eventcal.events.models import Event
from eventcal.events.rules import event_errors
from eventcal.events.state_changes import LOCATION_COLUMNS
from eventcal.kit.errors import FieldError, raise_if_invalid
from eventcal.kit.localtime import get_zone
from eventcal.sponsors.models import Tier
from eventcal.web.rendering import forms
from eventcal.web.rendering.forms import Form, FormData, day_and_time_values, normalise_newlines
from eventcal.web.schemas.fields import TypedSchema
from eventcal.web.schemas.response_schema import Json

CHECKED = "yes"
# Empty required fields are included in the request body, so that the schema reports missing values.
_REQUIRED_FIELDS = ("title", "timezone")
_TEXT_FIELDS = ("kind", "programme", "attendance", "status", "slug", "online_url", "url", "series", "recurrence")
_MULTILINE_FIELDS = ("summary", "description")
_CALL_CHECKBOXES = ("call_earth", *(f"call_{kind.value}" for kind in TalkKind))
# Fields whose JSON objects contain only the changed properties in an update. A price is always sent completely.
_PARTIALLY_SENT_OBJECTS = frozenset({"location", "registration", "call_for_talks"})
_DEGREES = re.compile(r"-?\d{1,3}([.,]\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\d+,\d{1,2}", re.ASCII)
# Maps JSON pointers in the request body to form fields. If several pointers match, the longest pointer is used.
_FORM_FIELD_BY_POINTER: Mapping[str, str] = {
    **{f"/location/{name}": name for name in LOCATION_COLUMNS},
    "/location": "latitude",
    "/registration/url": "registration_url",
    "/registration/price": "price_amount",
    "/registration/price/currency": "price_currency",
    "/call_for_talks": "call",
    "/call_for_talks/opens_at": "call_opens",
    "/call_for_talks/closes_at": "call_closes",
    "/call_for_talks/anywhere_on_earth": "call_closes",
    "/call_for_talks/note": "call_note",
    "/recurrence_overrides": "recurrence",
}


def parse_event_form(data: FormData) -> Json:
    """Return the API request body for a submitted form. Empty optional fields are None."""
    body: Json = {name: data.get(name, "").strip() for name in _REQUIRED_FIELDS}
    body |= {name: _text_or_none(data, name) for name in _TEXT_FIELDS if name in data}
    body |= {name: _multiline_or_none(data, name) for name in _MULTILINE_FIELDS if name in data}
    body["starts"] = _join_day_and_time(data, "starts")
    body["ends"] = _join_day_and_time(data, "ends") or body["starts"][:10]
    body["location"] = {name: _text_or_none(data, name) for name in LOCATION_COLUMNS}
    body["location"]["country"] = _uppercase_or_none(data, "country")
    body["location"] |= {name: _parse_degrees(body["location"][name]) for name in ("latitude", "longitude")}
    body["registration"] = {"url": _text_or_none(data, "registration_url"), "price": parse_price(data)}
    body["tags"] = forms.split_comma_list(data.get("tags", ""))
    body["call_for_talks"] = _parse_call_for_talks(data)
    return body


def drop_empty_fields(body: Json) -> Json:
    """Return a copy of the request body without its empty fields."""
    cleaned = {name: drop_empty_fields(value) if isinstance(value, dict) else value for name, value in body.items()}
    kept = {name: value for name, value in cleaned.items() if value not in (None, {}, [])}
    # An empty start or end is omitted, so that the schema reports a missing value and not an invalid time.
    return {name: value for name, value in kept.items() if value or name not in {"starts", "ends"}}


def changed_fields(body: Json, before: Json) -> Json:
    changes: Json = {}
    for name, value in body.items():
        # An empty slug field leaves the stored slug unchanged.
        if value == before.get(name) or (name, value) == ("slug", None):
            continue
        if name in _PARTIALLY_SENT_OBJECTS and value is not None and before[name] is not None:
            changes[name] = {part: part_value for part, part_value in value.items() if part_value != before[name][part]}
        else:
            changes[name] = value
    return changes


def fill_missing_fields(data: FormData, stored: Mapping[str, str]) -> FormData:
    """Return the submitted fields and the stored values of missing fields.

    If a call for talks is submitted, its missing check boxes count as unticked.
    """
    sent = data.to_dict()
    kept = {name: value for name, value in stored.items() if "call" not in sent or name not in _CALL_CHECKBOXES}
    return FormData({**kept, **sent})


def build_event_form(event: Event) -> Form:
    columns = (*_REQUIRED_FIELDS, *_TEXT_FIELDS, *_MULTILINE_FIELDS, *LOCATION_COLUMNS)
    values: dict[str, object] = {name: getattr(event, name) for name in columns}
    values |= day_and_time_values("starts", event.starts, default_day="")
    values |= day_and_time_values("ends", event.ends, default_day="")
    values |= {"registration_url": event.registration_url, **price_field_values(event)}
    values |= {"tags": ", ".join(tag.tag for tag in event.tags), **_call_for_talks_values(event)}
    return Form({name: "" if value is None else str(value) for name, value in values.items()})


def parse_price(data: FormData) -> Json | None:
    """Return the price from the price fields, which accept a decimal comma, or None if both fields are empty."""
    price = {"amount": _text_or_none(data, "price_amount"), "currency": _uppercase_or_none(data, "price_currency")}
    filled = {name: value for name, value in price.items() if value}
    if _DECIMAL_COMMA.fullmatch(filled.get("amount", "")):
        filled["amount"] = filled["amount"].replace(",", ".")
    return filled or None


def price_field_values(priced: Event | Tier) -> dict[str, str | None]:
    amount = None if priced.price_amount is None else f"{priced.price_amount:.2f}"
    return {"price_amount": amount, "price_currency": priced.price_currency}


def load_event_fields(
    schema: TypedSchema[EventFields], body: Json, *, full_body: Json, extra_errors: Sequence[FieldError]
) -> EventFields:
    """Return the fields that `schema` loads from `body`, or raise Invalid. `full_body` contains all form fields."""
    fields, errors = forms.load_with_errors(schema, body)
    raise_if_invalid(add_consistency_errors(full_body, [*extra_errors, *errors]))
    return fields


def add_consistency_errors(body: Json, faults: Sequence[FieldError]) -> list[FieldError]:
    """Return the given errors, and an error for each inconsistency between valid fields."""
    flat_body = {"recurrence": None, **body["location"], **body}
    invalid = {_form_field_pointer(error.pointer).split("/")[1] for error in faults if error.pointer}
    if "recurrence" in invalid:
        flat_body["recurrence"] = None
    conflicts = event_errors(flat_body) if faults else []
    return [*faults, *(error for error in conflicts if _form_field_pointer(error.pointer).split("/")[1] not in invalid)]


def contradictory_call_errors(data: FormData) -> list[FieldError]:
    """Return an error if the form contains details of a call for talks, but the call is not selected."""
    fields = ("call_opens", "call_closes", "call_note", *_CALL_CHECKBOXES)
    if data.get("call") or not any(data.get(name, "").strip() for name in fields):
        return []
    return [FieldError("/call", _("is described below; choose that there is one, or empty its fields"))]


def map_errors_to_form_fields(faults: Iterable[FieldError]) -> list[FieldError]:
    return [FieldError(_form_field_pointer(error.pointer), error.detail) for error in faults]


def _form_field_pointer(pointer: str) -> str:
    matches = [prefix for prefix in _FORM_FIELD_BY_POINTER if pointer == prefix or pointer.startswith(f"{prefix}/")]
    return f"/{_FORM_FIELD_BY_POINTER[max(matches, key=len)]}" if matches else pointer


def _text_or_none(data: FormData, name: str) -> str | None:
    return data.get(name, "").strip() or None


def _multiline_or_none(data: FormData, name: str) -> str | None:
    return normalise_newlines(data[name]) if _text_or_none(data, name) else None


def _uppercase_or_none(data: FormData, name: str) -> str | None:
    return data.get(name, "").strip().upper() or None


def _parse_degrees(text: str | None) -> float | str | None:
    return float(text.replace(",", ".")) if text and _DEGREES.fullmatch(text) else text


def _join_day_and_time(data: FormData, name: str) -> str:
    """Return the date or local time in the day and time fields, or an empty string."""
    day, time = data.get(name, "").strip(), data.get(f"{name}_time", "").strip()
    return f"{day}T{time}" if time else day


def _parse_call_for_talks(data: FormData) -> Json | None:
    if not data.get("call"):
        return None
    return {
        "opens_at": _join_day_and_time(data, "call_opens") or None,
        "closes_at": _join_day_and_time(data, "call_closes") or None,
        "anywhere_on_earth": data.get("call_earth") == CHECKED,
        "kinds": [kind.value for kind in TalkKind if data.get(f"call_{kind.value}") == CHECKED],
        "note": _multiline_or_none(data, "call_note"),
    }


def _call_for_talks_values(event: Event) -> dict[str, object]:
    call = event.call
    if call is None:
        return {"call": ""}
    values = {"call": CHECKED, **{f"call_{kind}": CHECKED for kind in call.kinds}}
    if call.anywhere_on_earth:
        values["call_earth"] = CHECKED
    for name, stored, instant in (
        ("call_opens", call.opens, call.opens_at),
        ("call_closes", call.closes, call.closes_at),
    ):
        values |= day_and_time_values(name, _normalise_to_local_time(stored, instant, event.timezone), default_day="")
    return {**values, "call_note": call.note}


def _normalise_to_local_time(stored: str | None, instant: datetime | None, tzid: str) -> str | None:
    """Convert a stored time, which can have a UTC offset, to a local time in the time zone `tzid`."""
    if stored is None or instant is None or "T" not in stored:
        return stored
    return instant.astimezone(get_zone(tzid)).replace(tzinfo=None).isoformat()
