"""The shapes of tiers, sponsors and sponsorships."""

from marshmallow import fields

from eventcal.sponsors.words import SponsorshipState
from eventcal.web.api.schemas.base import HttpUrl, Instant, Items, Line, Money, Part, Shape, Slug, Text, Whole, page_of
from eventcal.web.api.schemas.events import PriceOut

DESCRIPTION, NOTE = 2000, 2000


class TierFields(Shape):
    """What may be written of a tier."""

    name = Line(100)
    rank = Whole(least=1, most=1000)
    price = Part(Money, allow_none=True)
    capacity = Whole(least=1, allow_none=True)
    benefits = Items(Line(300), limit=50)


class TierIn(TierFields):
    """A new tier."""

    name = Line(100, required=True)


class TierOut(Shape):
    """A tier as it is given out; `taken` counts confirmed sponsorships."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    rank = fields.Integer(required=True)
    price = fields.Nested(PriceOut, required=True, allow_none=True)
    capacity = fields.Integer(required=True, allow_none=True)
    benefits = fields.List(fields.String(), required=True)
    taken = fields.Integer(required=True)


class SponsorOut(Shape):
    """A sponsor as it is given out."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    url = fields.String(required=True, allow_none=True)
    logo_url = fields.String(required=True, allow_none=True)
    description = fields.String(required=True, allow_none=True)


class SponsorPatch(Shape):
    """What changes of a sponsor (RFC 7396)."""

    name = Line(200)
    url = HttpUrl(allow_none=True)
    logo_url = HttpUrl(allow_none=True)
    description = Text(DESCRIPTION, allow_none=True)


class TierWithSponsors(TierOut):
    """A tier and who holds it."""

    sponsors = fields.List(fields.Nested(SponsorOut), required=True)


class SponsorsByTier(Shape):
    """An event's confirmed sponsors, by tier in rank order."""

    tiers = fields.List(fields.Nested(TierWithSponsors), required=True)


class SponsorNamed(Shape):
    """A sponsor that is described, or known by its slug."""

    slug = Slug()
    name = Line(200)
    url = HttpUrl(allow_none=True)
    description = Text(DESCRIPTION, allow_none=True)


class SponsorshipIn(Shape):
    """An enquiry: which tier, and who would hold it."""

    tier = Line(40, required=True)
    sponsor = Part(SponsorNamed, required=True)
    note = Text(NOTE, allow_none=True)


class SponsorshipOut(Shape):
    """A sponsorship as its organisers and whoever enquired see it."""

    id = fields.String(required=True)
    event = fields.String(required=True)
    tier = fields.String(required=True)
    sponsor = fields.Nested(SponsorOut, required=True)
    state = fields.Enum(SponsorshipState, by_value=True, required=True)
    note = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


TierPage = page_of(TierOut, "TierPage")
SponsorshipPage = page_of(SponsorshipOut, "SponsorshipPage")
