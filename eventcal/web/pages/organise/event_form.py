"""The event form: converts submitted fields to the API's request body, events to field values, and errors to fields."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from marshmallow import Schema

from eventcal.events.models import Event
from eventcal.events.rules import event_errors
from eventcal.events.steps import LOCATION_COLUMNS
from eventcal.events.words import TalkKind
from eventcal.kit.localtime import get_zone
from eventcal.kit.refusals import FieldError, raise_if_invalid
from eventcal.sponsors.models import Tier
from eventcal.web.rendering.forms import Form, Typed, fields_of, lines, listed, load

Json = dict[str, Any]

TICKED = "yes"
# Required fields are sent even if they are empty, so that the schema reports them.
_NEEDED = ("title", "timezone")
_PLAIN = ("kind", "programme", "attendance", "status", "slug", "online_url", "url", "series", "recurrence")
_LONG = ("summary", "description")
_CALL_TICKS = ("call_earth", *(f"call_{kind.value}" for kind in TalkKind))
# For these objects, only changed members are sent. A price is always sent as a whole.
_MERGED = frozenset({"location", "registration", "call_for_talks"})
_DEGREES = re.compile(r"-?\d{1,3}([.,]\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\d+,\d{1,2}", re.ASCII)
# The form field for each pointer of the body; the longest matching pointer applies.
_PLACES: Mapping[str, str] = {
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


def event_body(typed: Typed) -> Json:
    """Return the request body for all fields of the form; empty fields are None."""
    body: Json = {name: typed.get(name, "").strip() for name in _NEEDED}
    body |= {name: _said(typed, name) for name in _PLAIN if name in typed}
    body |= {name: lines(typed[name]) if _said(typed, name) else None for name in _LONG if name in typed}
    body["starts"] = _moment(typed, "starts")
    body["ends"] = _moment(typed, "ends") or body["starts"][:10]
    body["location"] = {name: _said(typed, name) for name in LOCATION_COLUMNS}
    body["location"]["country"] = _capitals(typed, "country")
    body["location"] |= {name: _degrees(body["location"][name]) for name in ("latitude", "longitude")}
    body["registration"] = {"url": _said(typed, "registration_url"), "price": money(typed)}
    body["tags"] = listed(typed.get("tags", ""))
    body["call_for_talks"] = _call(typed)
    return body


def proposed(body: Json) -> Json:
    """Return the request body for a new event, without empty fields."""
    said = {name: proposed(value) if isinstance(value, dict) else value for name, value in body.items()}
    kept = {name: value for name, value in said.items() if value not in (None, {}, [])}
    # The start is required. Keep it even if it is empty, so that the schema reports it.
    return {name: value for name, value in kept.items() if value or name not in {"starts", "ends"}}


def changed(body: Json, before: Json) -> Json:
    """Return the request body with the fields that differ from `before`."""
    changes: Json = {}
    for name, value in body.items():
        # An empty slug leaves the slug unchanged.
        if value == before.get(name) or (name, value) == ("slug", None):
            continue
        if name in _MERGED and value is not None and before[name] is not None:
            changes[name] = {part: said for part, said in value.items() if said != before[name][part]}
        else:
            changes[name] = value
    return changes


def completed(typed: Typed, stored: Mapping[str, str]) -> Typed:
    """Return the submitted fields, with stored values for missing ones, except the check boxes of a submitted call."""
    sent = typed.to_dict()
    kept = {name: value for name, value in stored.items() if "call" not in sent or name not in _CALL_TICKS}
    return Typed({**kept, **sent})


def form_of(event: Event) -> Form:
    """Return the form filled in with the values of an event."""
    values: dict[str, object] = {name: getattr(event, name) for name in (*_NEEDED, *_PLAIN, *_LONG, *LOCATION_COLUMNS)}
    values |= {**fields_of("starts", event.starts, day=""), **fields_of("ends", event.ends, day="")}
    values |= {"registration_url": event.registration_url, **money_values(event)}
    values |= {"tags": ", ".join(tag.tag for tag in event.tags), **_call_values(event)}
    return Form({name: "" if value is None else str(value) for name, value in values.items()})


def money(typed: Typed) -> Json | None:
    """Return the price from its two fields, or None if both are empty. A decimal comma is accepted."""
    price = {"amount": _said(typed, "price_amount"), "currency": _capitals(typed, "price_currency")}
    said = {name: value for name, value in price.items() if value}
    if _DECIMAL_COMMA.fullmatch(said.get("amount", "")):
        said["amount"] = said["amount"].replace(",", ".")
    return said or None


def money_values(priced: Event | Tier) -> dict[str, str | None]:
    """Return the values of the two fields of a price."""
    amount = None if priced.price_amount is None else f"{priced.price_amount:.2f}"
    return {"price_amount": amount, "price_currency": priced.price_currency}


def load_event(schema: Schema, given: Json, *, whole: Json, left_out: Sequence[FieldError]) -> Json:
    """Return the fields of an event that `schema` loads. Raises Invalid with all errors, also those of with_misfits.

    `whole` is the body for the whole form, and `left_out` has further errors of the form.
    """
    fields, faults = load(schema, given)
    raise_if_invalid(with_misfits(whole, [*left_out, *faults]))
    return fields


def with_misfits(body: Mapping[str, Any], faults: Sequence[FieldError]) -> list[FieldError]:
    """Return the errors of a body, and inconsistencies between fields that have no errors yet.

    All errors are shown at once, for example a missing title and an end before the start.
    """
    whole = {"recurrence": None, **body["location"], **body}
    wrong = {_place(fault.pointer).split("/")[1] for fault in faults if fault.pointer}
    if "recurrence" in wrong:
        whole["recurrence"] = None
    misfits = event_errors(whole) if faults else []
    return [*faults, *(fault for fault in misfits if _place(fault.pointer).split("/")[1] not in wrong)]


def call_left_out(typed: Typed) -> list[FieldError]:
    """Return an error if the form describes a call for talks but selects that there is none."""
    fields = ("call_opens", "call_closes", "call_note", *_CALL_TICKS)
    if typed.get("call") or not any(typed.get(name, "").strip() for name in fields):
        return []
    return [FieldError("/call", _("is described below; choose that there is one, or empty its fields"))]


def beside(faults: Iterable[FieldError]) -> list[FieldError]:
    """Return the errors of a request body with pointers to the form's fields."""
    return [FieldError(_place(fault.pointer), fault.detail) for fault in faults]


def _place(pointer: str) -> str:
    fits = [place for place in _PLACES if pointer == place or pointer.startswith(f"{place}/")]
    return f"/{_PLACES[max(fits, key=len)]}" if fits else pointer


def _said(typed: Typed, name: str) -> str | None:
    return typed.get(name, "").strip() or None


def _capitals(typed: Typed, name: str) -> str | None:
    return typed.get(name, "").strip().upper() or None


def _degrees(said: str | None) -> float | str | None:
    return float(said.replace(",", ".")) if said and _DEGREES.fullmatch(said) else said


def _moment(typed: Typed, name: str) -> str:
    """Return the date or local time from the fields for a day and a time, or an empty string."""
    day, time = typed.get(name, "").strip(), typed.get(f"{name}_time", "").strip()
    return f"{day}T{time}" if time else day


def _call(typed: Typed) -> Json | None:
    if not typed.get("call"):
        return None
    return {
        "opens_at": _moment(typed, "call_opens") or None,
        "closes_at": _moment(typed, "call_closes") or None,
        "anywhere_on_earth": typed.get("call_earth") == TICKED,
        "kinds": [kind.value for kind in TalkKind if typed.get(f"call_{kind.value}") == TICKED],
        "note": lines(typed.get("call_note", "")) if _said(typed, "call_note") else None,
    }


def _call_values(event: Event) -> dict[str, object]:
    call = event.call
    if call is None:
        return {"call": ""}
    ticked = {f"call_{kind}": TICKED for kind in call.kinds}
    if call.anywhere_on_earth:
        ticked["call_earth"] = TICKED
    opens = fields_of("call_opens", _local(call.opens, call.opens_at, event.timezone), day="")
    closes = fields_of("call_closes", _local(call.closes, call.closes_at, event.timezone), day="")
    return {"call": TICKED, **ticked, **opens, **closes, "call_note": call.note}


def _local(written: str | None, instant: datetime | None, tzid: str) -> str | None:
    """Return an opening or closing time in the event's zone, also if it was stored with a UTC offset."""
    if written is None or instant is None or "T" not in written:
        return written
    return instant.astimezone(get_zone(tzid)).replace(tzinfo=None).isoformat()
