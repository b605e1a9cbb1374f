"""/api/v1/events/{slug}/occurrences: when one event takes place, page by page."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.events.recurrence.occurrences import AHEAD, list_occurrences
from eventcal.events.words import PUBLIC_STATUSES
from eventcal.kit.localtime import zone
from eventcal.kit.refusals import Fault, Sentence, refuse_faults
from eventcal.web.api.blueprint import Subject
from eventcal.web.api.pagination import next_page_link, page_asked, page_json
from eventcal.web.api.responses import Content, document, serve_public, serve_undated
from eventcal.web.identity.permissions import caller, public
from eventcal.web.request.context import now
from eventcal.web.schemas.occurrences import OccurrencePage, OccurrenceQuery, occurrence_json

occurrences = Subject("occurrences", "When recurring events take place")


@occurrences.get("/events/<slug>/occurrences", public, query=OccurrenceQuery, returns=OccurrencePage)
def list_of_event(query: dict[str, Any], slug: str) -> Response:
    """List when an event takes place, in the order of time; one that does not recur has one occurrence."""

    def make(session: Session) -> Content:
        event = get_event(session, slug, caller())
        first, last = _days(query, event)
        page = list_occurrences(event, first, last, paging=page_asked(query))
        body = page_json(page, lambda one: occurrence_json(one, event.timezone))
        link = next_page_link(query, page.next, **{"from": first, "to": last})
        return document(body, public=event.status in PUBLIC_STATUSES, link=link)

    # Today is another day in each zone, and begins at another time than the day that answers are cached for.
    return serve_undated(make) if query["from_day"] is None else serve_public(make)


def _days(query: Mapping[str, Any], event: Event) -> tuple[date, date]:
    """Return the days that are asked for: from today on, and 400 days, unless the query says otherwise."""
    first: date = query["from_day"] or now().astimezone(zone(event.timezone)).date()
    last: date = query["to_day"] or first + AHEAD
    if last < first:
        refuse_faults([Fault("?to", Sentence("must not be before from, which is %(first)s", first=first))])
    return first, last
