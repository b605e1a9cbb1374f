"""Schemas of tiers, sponsors and sponsorships."""

from marshmallow import fields, pre_load

from eventcal.kit.text import SLUG_PATTERN
from eventcal.sponsors import limits
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.params.fields import described
from eventcal.web.schemas import fields as strict
from eventcal.web.schemas.fields import URI, BaseSchema, ReferenceOrInline
from eventcal.web.schemas.money import Money, PriceOut, price_json
from eventcal.web.schemas.response_schema import Json, ResponseSchema


class TierFields(BaseSchema):
    """The writable fields of a tier."""

    name = strict.SingleLine(limits.TIER_NAME)
    rank = strict.IntegerField(least=1, most=limits.RANK)
    price = strict.NestedField(Money, allow_none=True)
    capacity = strict.IntegerField(least=1, allow_none=True)
    benefits = strict.ListField(strict.SingleLine(limits.BENEFIT), limit=limits.BENEFITS)


TierIn = TierFields.with_required("name", name="TierIn", description="A new tier.")


class TierOut(ResponseSchema):
    """A tier, as returned by the API."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    rank = fields.Integer(required=True)
    price = fields.Nested(PriceOut, required=True, allow_none=True)
    capacity = fields.Integer(required=True, allow_none=True)
    benefits = fields.List(fields.String(), required=True)
    taken = fields.Integer(required=True, metadata=described("Number of confirmed sponsorships."))


class SponsorOut(ResponseSchema):
    """A sponsor, as returned by the API."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    url = fields.String(required=True, allow_none=True, metadata=URI)
    logo_url = fields.String(required=True, allow_none=True, metadata=URI)
    description = fields.String(required=True, allow_none=True)


class SponsorPatch(BaseSchema):
    """Changes to a sponsor, as a JSON merge patch (RFC 7396)."""

    name = strict.SingleLine(limits.NAME)
    url = strict.HttpUrl(allow_none=True)
    logo_url = strict.HttpUrl(allow_none=True)
    description = strict.MultiLine(limits.DESCRIPTION, allow_none=True)


class TierWithSponsors(TierOut):
    """A tier and its confirmed sponsors."""

    sponsors = fields.List(fields.Nested(SponsorOut), required=True)


class SponsorsByTier(ResponseSchema):
    """The confirmed sponsors of an event, grouped by tier and ordered by the rank of the tier."""

    tiers = fields.List(fields.Nested(TierWithSponsors), required=True)


class SponsorNamed(ReferenceOrInline):
    """A new sponsor, or a reference to an existing sponsor by slug."""

    url = strict.HttpUrl(allow_none=True)
    description = strict.MultiLine(limits.DESCRIPTION, allow_none=True)

    @pre_load
    def wrap_slug(self, data: object, **_: object) -> object:
        """Convert a string, which is the slug of an existing sponsor, to an object with a `slug` field."""
        return {"slug": data} if isinstance(data, str) else data


class SponsorshipIn(BaseSchema):
    """A sponsorship enquiry."""

    tier = strict.SingleLine(40, required=True)
    sponsor = strict.NestedField(
        SponsorNamed, required=True, metadata={"x-or": {"type": "string", "pattern": SLUG_PATTERN}}
    )
    note = strict.MultiLine(limits.NOTE, allow_none=True)


class ContactOut(ResponseSchema):
    """The member who has submitted a sponsorship enquiry."""

    name = fields.String(required=True)
    email = fields.String(required=True)


class SponsorshipOut(ResponseSchema):
    """A sponsorship, as returned to organisers and to the member who enquired."""

    id = fields.String(required=True)
    event = fields.String(required=True, metadata=described("The event's slug."))
    tier = fields.String(required=True, metadata=described("The tier's id."))
    sponsor = fields.Nested(SponsorOut, required=True)
    state = fields.Enum(SponsorshipState, by_value=True, required=True)
    note = fields.String(required=True, allow_none=True)
    contact = fields.Nested(
        ContactOut, required=True, allow_none=True, metadata=described("Null if the account was deleted.")
    )
    created_at = strict.InstantField(required=True)
    updated_at = strict.InstantField(required=True)


def tier_json(tier: Tier, confirmed_count: int) -> Json:
    return TierOut.serialize(tier, price=price_json(tier.price_amount, tier.price_currency), taken=confirmed_count)


def sponsor_json(sponsor: Sponsor, links: UrlBuilder) -> Json:
    return SponsorOut.serialize(sponsor, logo_url=links.image(sponsor.logo_url))


def sponsorship_json(sponsorship: Sponsorship, links: UrlBuilder) -> Json:
    return SponsorshipOut.serialize(
        sponsorship,
        event=sponsorship.tier.event.slug,
        tier=sponsorship.tier_id,
        sponsor=sponsor_json(sponsorship.sponsor, links),
        contact=sponsorship.enquirer and ContactOut.serialize(sponsorship.enquirer),
    )
