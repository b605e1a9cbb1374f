"""API views under /api/v1/events: list, read, propose, edit, publish and cancel events, and list their occurrences."""

from datetime import date
from typing import Any

from flask import Response, request
from orjson import Fragment
from sqlalchemy.orm import Session

from eventcal.events import service, state_changes
from eventcal.events.enums import PUBLIC_STATUSES, EventStatus
from eventcal.events.errors import CannotDeletePublished, InUse, InvalidTransition
from eventcal.events.fields import EventFields
from eventcal.events.models import Event
from eventcal.events.queries import get_event, get_event_for_organiser, list_events, list_pending_events
from eventcal.events.recurrence.occurrences import DEFAULT_PERIOD, list_occurrences
from eventcal.feeds.stored_json_queries import list_event_json
from eventcal.kit.errors import FieldError, Forbidden, Message, raise_if_invalid
from eventcal.kit.ids import DuplicateSlug, SlugImmutable
from eventcal.kit.localtime import get_zone
from eventcal.members.errors import NotSignedIn, QuotaExceeded
from eventcal.members.permission_checks import check_moderator
from eventcal.sponsors.service import check_has_no_sponsorships, redact_tiers
from eventcal.talks.delete_and_merge_referenced import delete_event
from eventcal.talks.state_changes import publish_event_with_talks
from eventcal.web.api.blueprint import ApiBlueprint
from eventcal.web.api.pagination import next_page_link_header, page_json, paging_from_query, serve_list
from eventcal.web.api.responses import Content, cached_view, check_if_match, json_content, json_response, serve_content
from eventcal.web.identity.current_user import caller
from eventcal.web.identity.permissions import confirmed_member, moderator, organiser, public
from eventcal.web.params.listing_filters import ListingQuerySchema, parse_listing_query
from eventcal.web.request.context import links, now, unit_of_work
from eventcal.web.schemas.events import EventIn, EventOut, EventPatch, PublishIn, event_json, with_occurrences
from eventcal.web.schemas.occurrences import OccurrenceOut, OccurrenceQuery, occurrence_json
from eventcal.web.schemas.response_schema import Json

events = ApiBlueprint("events", "Conferences, meetups, hackathons, workshops and webinars")
occurrences = ApiBlueprint("occurrences", "Occurrences of recurring events")


@events.get("/events", public, documented_query=ListingQuerySchema, lists=EventOut, errors=[NotSignedIn, Forbidden])
def list_all() -> Response:
    """List public events.

    Moderators can list the events that are waiting for publication by adding `status=pending` to the query string.
    """
    asked = parse_listing_query(request.args)

    def serialize(event: Event) -> Json:
        return with_occurrences(event_json(event, links()), event, asked.filter)

    if asked.filter.states == (EventStatus.PENDING,):
        check_moderator(caller())
        return serve_list(asked, list_pending_events, serialize, public=False)
    if asked.filter.from_day or asked.filter.to_day:
        return serve_list(asked, list_events, serialize)
    return serve_list(asked, list_event_json, Fragment, same_for_all=True)


@events.get("/events/<slug>", public, returns=EventOut)
@cached_view
def read(session: Session, slug: str) -> Content:
    """Return an event."""
    event = get_event(session, slug, caller())
    return json_content(event_json(event, links()), revision=event.revision, public=event.status in PUBLIC_STATUSES)


@events.post("/events", confirmed_member(), body=EventIn, creates=EventOut, errors=[DuplicateSlug, QuotaExceeded])
def propose(fields: EventFields) -> Response:
    """Propose an event for publication by a moderator. Events proposed by moderators are published immediately."""
    with unit_of_work() as session:
        event = service.propose_event(session, fields, caller=caller(), now=now())
    return _event_response(event, 201, location=links().api_event(event.slug))


@events.patch(
    "/events/<slug>",
    organiser(get_event_for_organiser),
    body=EventPatch,
    returns=EventOut,
    if_match=True,
    errors=[SlugImmutable, DuplicateSlug, InvalidTransition],
)
def edit(fields: EventFields, slug: str) -> Response:
    """Change an event with a JSON merge patch. `If-Match` is required."""
    with unit_of_work() as session:
        event = get_event_for_organiser(session, slug, caller())
        check_if_match(revision=event.revision)
        service.edit_event(session, event, fields, now=now())
    return _event_response(event)


@events.delete("/events/<slug>", organiser(get_event_for_organiser), errors=[CannotDeletePublished, InUse])
def remove(slug: str) -> None:
    """Delete an event that has never been public. A published event can only be cancelled, not deleted."""
    with unit_of_work() as session:
        event = get_event_for_organiser(session, slug, caller())
        check_has_no_sponsorships(session, event)
        delete_event(session, event)


@events.post("/events/<slug>/publish", moderator, optional_body=PublishIn, returns=EventOut, errors=[InvalidTransition])
def publish(fields: dict[str, Any], slug: str) -> Response:
    """Publish a pending event. `with_talks` also publishes the talks that its proposer has submitted to it."""
    with unit_of_work() as session:
        event = get_event(session, slug, caller())
        if fields.get("with_talks"):
            publish_event_with_talks(session, event, caller=caller(), now=now())
        else:
            state_changes.publish_event(session, event, caller=caller())
    return _event_response(event)


@events.post("/events/<slug>/cancel", organiser(get_event_for_organiser), returns=EventOut, errors=[InvalidTransition])
def cancel(slug: str) -> Response:
    """Cancel a public event, which remains visible as a cancelled event."""
    with unit_of_work() as session:
        event = state_changes.cancel_event(session, get_event_for_organiser(session, slug, caller()), now=now())
    return _event_response(event)


@events.post("/events/<slug>/redact", moderator, returns=EventOut)
def redact(slug: str) -> Response:
    """Erase the content of an event and cancel the event. Only a placeholder for the event remains public."""
    with unit_of_work() as session:
        event = state_changes.redact_event(session, get_event(session, slug, caller()), caller=caller(), now=now())
        redact_tiers(session, event)
    return _event_response(event)


@occurrences.get("/events/<slug>/occurrences", public, query=OccurrenceQuery, lists=OccurrenceOut)
def list_occurrences_of_event(query: dict[str, Any], slug: str) -> Response:
    """List an event's occurrences in chronological order. An event that does not recur has one occurrence."""

    def load_content(session: Session) -> Content:
        event = get_event(session, slug, caller())
        first: date = query["from_day"] or now().astimezone(get_zone(event.timezone)).date()
        last: date = query["to_day"] or first + DEFAULT_PERIOD
        if last < first:
            error = Message("must not be before `from`, which is %(first)s", first=first)
            raise_if_invalid([FieldError("?to", error)])
        page = list_occurrences(session, event, first=first, last=last, paging=paging_from_query(query))
        body = page_json(page, lambda one: occurrence_json(one, event.timezone))
        link = next_page_link_header(query, page.next_cursor, **{"from": first, "to": last})
        return json_content(body, public=event.status in PUBLIC_STATUSES, link=link)

    # The default period begins today in the event's time zone, but cached responses expire at midnight UTC.
    return serve_content(load_content, cacheable=query["from_day"] is not None)


def _event_response(event: Event, status: int = 200, *, location: str | None = None) -> Response:
    return json_response(event_json(event, links()), status, location=location, revision=event.revision)
