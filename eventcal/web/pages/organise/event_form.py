"""The form of an event: what somebody types, as the API's body; and an event as what stands in the form."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from eventcal.events.models import Event
from eventcal.events.steps import PLACE
from eventcal.events.words import TalkKind
from eventcal.kit.localtime import zone
from eventcal.web.rendering.forms import Form, Typed, lines, listed
from eventcal.web.rendering.time_fields import fields_of

Json = dict[str, Any]

TICKED = "yes"
# What is left empty is a fault of its own, in the schema's words.
_NEEDED = ("title", "timezone")
_PLAIN = ("kind", "programme", "attendance", "status", "slug", "online_url", "url", "series", "recurrence")
_LONG = ("summary", "description")
# Of an object, only what changed is sent; a price is whole or none.
_MERGED = frozenset({"location", "registration", "call_for_talks"})
_DEGREES = re.compile(r"-?\d{1,3}([.,]\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\d+,\d{1,2}", re.ASCII)


def event_body(typed: Typed) -> Json:
    """Return all that a form says, as the body of a change; what is empty is None."""
    body: Json = {name: typed.get(name, "").strip() for name in _NEEDED}
    body |= {name: _said(typed, name) for name in _PLAIN if name in typed}
    body |= {name: lines(typed[name]) if _said(typed, name) else None for name in _LONG if name in typed}
    body["starts"] = _moment(typed, "starts")
    body["ends"] = _moment(typed, "ends") or body["starts"][:10]
    body["location"] = {name: _said(typed, name) for name in PLACE}
    body["location"]["country"] = _capitals(typed, "country")
    body["location"] |= {name: _degrees(body["location"][name]) for name in ("latitude", "longitude")}
    body["registration"] = {"url": _said(typed, "registration_url"), "price": _price(typed)}
    body["tags"] = listed(typed.get("tags", ""))
    body["call_for_talks"] = _call(typed)
    return body


def proposed(body: Json) -> Json:
    """Return the body of an event that is new: what nobody said is left out."""
    said = {name: proposed(value) if isinstance(value, dict) else value for name, value in body.items()}
    kept = {name: value for name, value in said.items() if value not in (None, {}, [])}
    # An event that starts nowhere is a fault, whatever its end is.
    return {name: value for name, value in kept.items() if value or name not in {"starts", "ends"}}


def changed(event: Event, typed: Typed) -> Json:
    """Return the body that changes an event to what was typed: whatever the form shows as it was stays as it is."""
    body, before = whole_body(event, typed), event_body(Typed(form_of(event).values))
    return {
        name: _different(value, before[name]) if name in _MERGED else value
        for name, value in body.items()
        # An address that is left empty stays what it is.
        if value != before.get(name) and (name, value) != ("slug", None)
    }


def whole_body(event: Event, typed: Typed) -> Json:
    """Return all that a form of an event says, with what stands there for a field that was not sent."""
    return event_body(_completed(typed, form_of(event).values))


def form_of(event: Event) -> Form:
    """Return the form with what an event says."""
    values: dict[str, object] = {name: getattr(event, name) for name in (*_NEEDED, *_PLAIN, *_LONG, *PLACE)}
    values |= {**fields_of("starts", event.starts, day=""), **fields_of("ends", event.ends, day="")}
    values["registration_url"] = event.registration_url
    values["price_amount"] = None if event.price_amount is None else f"{event.price_amount:.2f}"
    values["price_currency"] = event.price_currency
    values["tags"] = ", ".join(tag.tag for tag in event.tags)
    values |= _call_values(event)
    return Form({name: "" if value is None else str(value) for name, value in values.items()})


def _said(typed: Typed, name: str) -> str | None:
    return typed.get(name, "").strip() or None


def _capitals(typed: Typed, name: str) -> str | None:
    said = _said(typed, name)
    return said.upper() if said else None


def _degrees(said: str | None) -> float | str | None:
    return float(said.replace(",", ".")) if said and _DEGREES.fullmatch(said) else said


def _moment(typed: Typed, name: str) -> str:
    """Return a date, or a local time, of a field for the day and one for the time; "" where both are empty."""
    day, time = typed.get(name, "").strip(), typed.get(f"{name}_time", "").strip()
    return f"{day}T{time}" if time else day


def money(typed: Typed, *, amount: str, currency: str) -> Json | None:
    """Return a price of two fields, None where both are empty; a comma before two digits is a point."""
    price = {"amount": _said(typed, amount), "currency": _capitals(typed, currency)}
    said = {name: value for name, value in price.items() if value}
    if _DECIMAL_COMMA.fullmatch(said.get("amount", "")):
        said["amount"] = said["amount"].replace(",", ".")
    return said or None


def _price(typed: Typed) -> Json | None:
    return money(typed, amount="price_amount", currency="price_currency")


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
    """Return a call's moment as the clocks of the zone show it, also one that was written with an offset."""
    if written is None or instant is None or "T" not in written:
        return written
    return instant.astimezone(zone(tzid)).replace(tzinfo=None).isoformat()


def _completed(typed: Typed, stored: Mapping[str, str]) -> Typed:
    """Return what was typed, with what stands there for a field that was not sent; a tick not sent is none."""
    sent = typed.to_dict()
    ticks = {"call_earth", *(f"call_{kind.value}" for kind in TalkKind)} if "call" in sent else set()
    return Typed({**{name: value for name, value in stored.items() if name not in ticks}, **sent})


def _different(value: Json | None, before: Json | None) -> Json | None:
    if value is None or before is None:
        return value
    return {name: said for name, said in value.items() if said != before[name]}
