"""API views under /api/v1 for sponsorship tiers, sponsors and their logos, and sponsorships."""

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from eventcal.events.errors import EventEnded, InUse, InvalidTransition
from eventcal.events.queries import get_event, get_event_for_organiser
from eventcal.kit.errors import DomainError
from eventcal.kit.pagination import Page, PageRequest
from eventcal.media.errors import UnsupportedImage
from eventcal.media.images import ImageSpec
from eventcal.members.enums import Scope
from eventcal.members.errors import QuotaExceeded
from eventcal.sponsors import queries, service
from eventcal.sponsors.errors import EventCancelled, TierFull
from eventcal.sponsors.models import Sponsorship
from eventcal.sponsors.queries import (
    count_taken_places,
    get_sponsor,
    get_sponsorship,
    get_sponsorship_for_organiser,
    get_tier_for_organiser,
)
from eventcal.sponsors.rules import SponsorshipAction
from eventcal.web.api.blueprint import ApiBlueprint
from eventcal.web.api.event_parts import ChildResource, event_scoped_content
from eventcal.web.api.pagination import serve_private_page
from eventcal.web.api.responses import Content, cached_view, check_if_match, json_content, json_response, private_json
from eventcal.web.api.speakers import pictures
from eventcal.web.identity.current_user import caller
from eventcal.web.identity.permissions import confirmed_member, member, moderator, organiser, public
from eventcal.web.media import decode_upload, normalise_photo_url, store_upload
from eventcal.web.request.context import links, now, read_session, unit_of_work
from eventcal.web.schemas import sponsors as schemas
from eventcal.web.schemas.fields import PageQuery
from eventcal.web.schemas.sponsors import sponsor_json, sponsorship_json, tier_json

sponsors = ApiBlueprint("sponsors", "Sponsorship tiers, sponsors and sponsorships")


ChildResource(
    name="tier",
    out=schemas.TierOut,
    create=schemas.TierIn,
    change=schemas.TierFields,
    list=lambda session, event: (tier_json(*pair) for pair in queries.list_tiers_with_taken_places(session, event)),
    add=lambda session, event, fields: tier_json(service.create_tier(session, event, fields), 0),
    get=get_tier_for_organiser,
    edit=lambda session, tier, fields: tier_json(
        service.update_tier(session, tier, fields), count_taken_places(session, tier)
    ),
    delete=service.delete_tier,
    list_doc="List an event's tiers in rank order.",
    delete_doc="Delete a tier without sponsorships or enquiries.",
    delete_errors=[InUse],
).register(sponsors)


@sponsors.get("/events/<slug>/sponsors", public, returns=schemas.SponsorsByTier)
@cached_view
def list_confirmed_sponsors(session: Session, slug: str) -> Content:
    """List an event's confirmed sponsors, grouped by tier and ordered by the rank of the tier."""
    event = get_event(session, slug, caller())
    tiers = [
        {**tier_json(tier, len(holders)), "sponsors": [sponsor_json(one, links()) for one in holders]}
        for tier, holders in queries.list_confirmed_sponsors_by_tier(session, event)
    ]
    return event_scoped_content(event, {"tiers": tiers})


@sponsors.get("/sponsors/<slug>", public, returns=schemas.SponsorOut)
@cached_view
def read(session: Session, slug: str) -> Content:
    """Return a sponsor."""
    sponsor = get_sponsor(session, slug, caller())
    return json_content(sponsor_json(sponsor, links()), public=not caller().is_moderator)


@sponsors.patch("/sponsors/<slug>", moderator, body=schemas.SponsorPatch, returns=schemas.SponsorOut, if_match=True)
def edit(fields: dict[str, Any], slug: str) -> Response:
    """Change a sponsor with a JSON merge patch. `If-Match` is required."""
    with unit_of_work() as session:
        sponsor = get_sponsor(session, slug, caller())
        check_if_match(sponsor_json(sponsor, links()))
        service.update_sponsor(session, sponsor, normalise_photo_url(fields, "logo_url"), caller=caller(), now=now())
    return json_response(sponsor_json(sponsor, links()), with_body_etag=True)


@sponsors.get(
    "/events/<slug>/sponsorships", organiser(get_event_for_organiser), query=PageQuery, lists=schemas.SponsorshipOut
)
def list_sponsorships_of_event(query: dict[str, Any], slug: str) -> Response:
    """List all of an event's sponsorships, regardless of their states."""

    def list_rows(session: Session, *, paging: PageRequest) -> Page[Sponsorship]:
        return queries.list_sponsorships(session, get_event_for_organiser(session, slug, caller()), paging=paging)

    return serve_private_page(query, list_rows, lambda one: sponsorship_json(one, links()))


@sponsors.post(
    "/events/<slug>/sponsorships",
    confirmed_member(get_event),
    body=schemas.SponsorshipIn,
    creates=schemas.SponsorshipOut,
    errors=[EventEnded, EventCancelled, QuotaExceeded],
)
def enquire(fields: dict[str, Any], slug: str) -> Response:
    """Submit a sponsorship enquiry for a tier."""
    with unit_of_work() as session:
        event = get_event(session, slug, caller())
        made = service.request_sponsorship(session, event, fields, caller=caller(), now=now())
        found = get_sponsorship(session, made.id, caller())
    return json_response(sponsorship_json(found, links()), 201, location=links().api(f"/sponsorships/{found.id}"))


@sponsors.get("/sponsorships/<sponsorship_id>", member(Scope.READ), returns=schemas.SponsorshipOut)
def read_sponsorship(sponsorship_id: str) -> Response:
    """Return a sponsorship. Only organisers and the member who submitted the enquiry can read the sponsorship."""
    with read_session() as session:
        return private_json(sponsorship_json(get_sponsorship(session, sponsorship_id, caller()), links()))


def _register_action_route(action: SponsorshipAction, description: str, *errors: type[DomainError]) -> None:
    def view(sponsorship_id: str) -> Response:
        with unit_of_work() as session:
            found = get_sponsorship_for_organiser(session, sponsorship_id, caller())
            service.apply_sponsorship_action(session, found, action, caller=caller(), now=now())
        return json_response(sponsorship_json(found, links()))

    view.__name__, view.__doc__ = action.value, description
    rule = f"/sponsorships/<sponsorship_id>/{action.value}"
    sponsors.post(
        rule,
        organiser(get_sponsorship_for_organiser),
        returns=schemas.SponsorshipOut,
        errors=[InvalidTransition, *errors],
    )(view)


_register_action_route(SponsorshipAction.CONFIRM, "Confirm an enquiry. Rejected if the tier is full.", TierFull)
_register_action_route(SponsorshipAction.CANCEL, "Cancel an enquiry or a sponsorship. Its place becomes free.")


@pictures.put("/sponsors/<slug>/logo", moderator, picture=True, returns=schemas.SponsorOut, errors=[UnsupportedImage])
def put_logo(raw: bytes, slug: str) -> Response:
    """Set a sponsor's logo.

    The body is a PNG, JPEG or WebP image of at most 5 MiB and 16 million pixels. The image is re-encoded at up
    to 640 by 320 pixels. The `logo_url` field contains the URL of the image.
    """
    with read_session() as session:
        get_sponsor(session, slug, caller())
    picture = decode_upload(raw, ImageSpec.LOGO)
    with unit_of_work() as session:
        sponsor = get_sponsor(session, slug, caller())
        service.update_sponsor(session, sponsor, {"logo_url": store_upload(picture)}, caller=caller(), now=now())
    return json_response(sponsor_json(sponsor, links()), with_body_etag=True)


@pictures.delete("/sponsors/<slug>/logo", moderator)
def delete_logo(slug: str) -> None:
    """Delete a sponsor's logo."""
    with unit_of_work() as session:
        sponsor = get_sponsor(session, slug, caller())
        service.update_sponsor(session, sponsor, {"logo_url": None}, caller=caller(), now=now())
