"""The forms of tiers and of sponsors: what is typed, as the API's bodies; a tier as what stands in its form."""

from collections.abc import Iterable, Mapping
from typing import Any

from eventcal.kit.refusals import Fault, Invalid
from eventcal.sponsors.models import Tier
from eventcal.web.pages.organise.event_form import money
from eventcal.web.pages.organise.row_forms import RowForm, row_form, whole_number
from eventcal.web.rendering.forms import Typed, lines, load
from eventcal.web.schemas.sponsors import SponsorshipIn, TierFields, TierIn

_NEW_TIER, _TIER, _SPONSORSHIP = TierIn(), TierFields(), SponsorshipIn()
_ABOUT = ("name", "url", "description")
# Where in a form a fault of the body belongs.
_PLACES = {
    "/price": "/price_amount",
    "/price/amount": "/price_amount",
    "/price/currency": "/price_currency",
    "/sponsor": "/slug",
    "/sponsor/slug": "/slug",
    **{f"/sponsor/{name}": f"/{name}" for name in _ABOUT},
}


def tier_fields(typed: Typed, *, is_new: bool) -> dict[str, Any]:
    """Return what was typed of a tier. Raises Invalid with every fault."""
    given = {
        "name": typed.get("name", "").strip(),
        "price": money(typed, amount="price_amount", currency="price_currency"),
        "capacity": whole_number(typed.get("capacity", "")),
        "benefits": [line.strip() for line in lines(typed.get("benefits", "")).split("\n") if line.strip()],
    }
    rank = whole_number(typed.get("rank", ""))
    if rank is not None:
        given["rank"] = rank
    fields, faults = load(_NEW_TIER if is_new else _TIER, given)
    _refuse(faults)
    return fields


def sponsorship_fields(typed: Typed) -> dict[str, Any]:
    """Return what was typed of somebody who is to hold a tier. Raises Invalid with every fault."""
    said = {name: lines(typed.get(name, "")).strip() for name in ("slug", *_ABOUT)}
    note = lines(typed.get("note", ""))
    given = {
        "tier": typed.get("tier", ""),
        "sponsor": {name: value for name, value in said.items() if value},
        "note": note if note.strip() else None,
    }
    fields, faults = load(_SPONSORSHIP, given)
    _refuse(faults)
    return fields


def tier_form(tier: Tier) -> RowForm:
    """Return the form of a tier with what it says."""
    values: Mapping[str, object] = {
        "name": tier.name,
        "rank": tier.rank,
        "price_amount": None if tier.price_amount is None else f"{tier.price_amount:.2f}",
        "price_currency": tier.price_currency,
        "capacity": tier.capacity,
        "benefits": "\n".join(tier.benefits),
    }
    return row_form(tier.id, values)


def in_place(faults: Iterable[Fault]) -> list[Fault]:
    """Return the faults of a body as those of a form's fields."""
    return [Fault(_PLACES.get(fault.pointer, fault.pointer), fault.detail) for fault in faults]


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Invalid(faults=faults)
