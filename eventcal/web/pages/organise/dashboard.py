"""The dashboard, which shows team members and moderators their events and open tasks."""

from collections.abc import Sequence
from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.enums import PUBLIC_STATUSES
from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import list_pending_events, list_team_events
from eventcal.kit.pagination import PageRequest
from eventcal.sponsors.queries import count_open_enquiries_by_event
from eventcal.talks.enums import TalkState
from eventcal.talks.submission_queries import count_undecided_talks, list_undecided_talks_for_moderators
from eventcal.web.identity.current_user import caller
from eventcal.web.pages.organise.labels import EVENT_STATUS_LABELS
from eventcal.web.rendering.dates import format_times
from eventcal.web.rendering.forms import done_message
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import login_required, private_page_response
from eventcal.web.request.context import now, read_session


@pages.get("/organise")
@login_required
def my_events() -> Response:
    with read_session() as session:
        past = request.args.get("show") == "past"
        page = list_team_events(session, caller(), past=past, paging=_parse_paging("cursor"), now=now())
        return private_page_response(
            template="organise/index.html",
            title=_("My events"),
            past=past,
            events=_event_rows_with_open_tasks(session, page.items),
            next=page.next_cursor,
            duties=caller().is_team_member_or_moderator,
            done=done_message({"delete": _("The event is deleted.")}),
            **_moderator_context(session),
        )


def _event_rows_with_open_tasks(session: Session, events: Sequence[Event]) -> list[dict[str, object]]:
    waiting = count_undecided_talks(session, [event.id for event in events])
    enquiries = count_open_enquiries_by_event(
        session, [event.id for event in events if caller().can_organise(event.id)]
    )
    return [
        {
            "event": event,
            "when": format_times(event),
            "reviews": not caller().can_organise(event.id),
            "standing": None if event.status in PUBLIC_STATUSES else EVENT_STATUS_LABELS[event.status],
            "submitted": waiting.get(event.id, {}).get(TalkState.SUBMITTED, 0),
            "waitlisted": waiting.get(event.id, {}).get(TalkState.WAITLISTED, 0),
            "enquiries": enquiries.get(event.id, 0),
        }
        for event in events
    ]


def _moderator_context(session: Session) -> dict[str, Any]:
    if not caller().is_moderator:
        return {"moderates": False}
    pending = list_pending_events(session, Filter(), sort=Sort.STARTS, paging=_parse_paging("events"), now=now())
    talks = list_undecided_talks_for_moderators(session, paging=_parse_paging("talks"))
    return {
        "moderates": True,
        "pending": [(event, format_times(event)) for event in pending.items],
        "more_pending": pending.next_cursor,
        "waiting": talks.items,
        "more_waiting": talks.next_cursor,
    }


def _parse_paging(parameter: str) -> PageRequest:
    return PageRequest(cursor=request.args.get(parameter))
