"""The forms of tiers and of sponsors: what is typed, as the API's bodies; a tier as what stands in its form."""

from collections.abc import Mapping
from typing import Any

from eventcal.sponsors.models import Tier
from eventcal.web.pages.organise.event_form import money
from eventcal.web.pages.organise.row_forms import RowForm, row_form, whole_number
from eventcal.web.rendering.forms import Typed, lines, validate
from eventcal.web.schemas.sponsors import SponsorshipIn, TierFields, TierIn

TIER_IN, TIER_FIELDS = TierIn(), TierFields()
_SPONSORSHIP = SponsorshipIn()
_ABOUT = ("name", "url", "description")
PLACES = {
    "/price": "/price_amount",
    "/price/amount": "/price_amount",
    "/price/currency": "/price_currency",
    "/sponsor": "/slug",
    "/sponsor/slug": "/slug",
    **{f"/sponsor/{name}": f"/{name}" for name in _ABOUT},
}
"""The fields of the forms, by the pointers of the API's bodies."""


def tier_fields(schema: TierFields, typed: Typed) -> dict[str, Any]:
    """Return the fields of a tier as `schema` loads them. Raises Invalid with every fault."""
    given = {
        "name": typed.get("name", "").strip(),
        "price": money(typed, amount="price_amount", currency="price_currency"),
        "capacity": whole_number(typed.get("capacity", "")),
        "benefits": [line.strip() for line in lines(typed.get("benefits", "")).split("\n") if line.strip()],
    }
    rank = whole_number(typed.get("rank", ""))
    if rank is not None:
        given["rank"] = rank
    return validate(schema, given)


def sponsorship_fields(typed: Typed) -> dict[str, Any]:
    """Return what was typed of somebody who is to hold a tier. Raises Invalid with every fault."""
    said = {name: lines(typed.get(name, "")).strip() for name in ("slug", *_ABOUT)}
    note = lines(typed.get("note", ""))
    given = {
        "tier": typed.get("tier", ""),
        "sponsor": {name: value for name, value in said.items() if value},
        "note": note if note.strip() else None,
    }
    return validate(_SPONSORSHIP, given)


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
