"""What is wrong with the form of an event, beside its fields: all of it at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from eventcal.events.rules import event_faults
from eventcal.events.steps import PLACE
from eventcal.events.words import TalkKind
from eventcal.kit.refusals import Fault
from eventcal.web.rendering.forms import Typed

# Where in the form a fault of the body belongs; the longest that fits.
_PLACES: Mapping[str, str] = {
    **{f"/location/{name}": name for name in PLACE},
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


def beside(faults: Iterable[Fault]) -> list[Fault]:
    """Return the faults of a body as those of the form's fields."""
    return [Fault(_place(fault.pointer), fault.detail) for fault in faults]


def with_misfits(body: Mapping[str, Any], faults: Sequence[Fault]) -> list[Fault]:
    """Return the faults of a body, and what else in it does not fit together, beside fields that have none yet.

    So that somebody whose title is missing hears in the same breath that the event ends before it starts.
    """
    whole = {"recurrence": None, **body["location"], **body}
    wrong = {_place(fault.pointer).split("/")[1] for fault in faults if fault.pointer}
    if "recurrence" in wrong:
        whole["recurrence"] = None
    misfits = event_faults(whole) if faults else []
    return [*faults, *(fault for fault in misfits if _place(fault.pointer).split("/")[1] not in wrong)]


def call_left_out(typed: Typed) -> list[Fault]:
    """Return a fault where somebody described a call for talks, and chose that there is none."""
    fields = ("call_opens", "call_closes", "call_note", "call_earth", *(f"call_{kind.value}" for kind in TalkKind))
    if typed.get("call") or not any(typed.get(name, "").strip() for name in fields):
        return []
    return [Fault("/call", _("is described below; choose that there is one, or empty its fields"))]


def _place(pointer: str) -> str:
    fits = [place for place in _PLACES if pointer == place or pointer.startswith(f"{place}/")]
    return f"/{_PLACES[max(fits, key=len)]}" if fits else pointer
