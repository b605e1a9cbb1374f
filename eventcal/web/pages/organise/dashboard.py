"""The dashboard, which shows team members and moderators their events and open tasks."""

from collections.abc import Mapping, Sequence

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
from eventcal.web.rendering.forms import flash_for
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import login_required, page_response
from eventcal.web.request.context import now, read_session


@pages.get("/organise")
@login_required
def my_events() -> Response:
    """Show the events that the current user organises or reviews. Moderators also see their open tasks."""
    with read_session() as session:
        past = request.args.get("show") == "past"
        page = list_team_events(session, caller(), past=past, paging=_parse_paging("cursor"), now=now())
        values = {
            "past": past,
            "events": _event_rows_with_open_tasks(session, page.items),
            "next": page.next_cursor,
            "duties": caller().is_team_member_or_moderator,
            "done": flash_for({"delete": _("The event is deleted.")}),
            **_moderator_context(session),
        }
        return page_response(
            Page(template="pages/organise/index.html", title=_("My events"), indexed=False, context=values)
        )


def _event_rows_with_open_tasks(session: Session, events: Sequence[Event]) -> list[dict[str, object]]:
    """Return the template variables for each event, including the numbers of its open tasks."""
    waiting = count_undecided_talks(session, [event.id for event in events])
    own_event_ids = [event.id for event in events if caller().can_organise(event.id)]
    enquiries = count_open_enquiries_by_event(session, own_event_ids)
    nothing: Mapping[TalkState, int] = {}
    return [
        {
            "event": event,
            "when": format_times(event),
            "reviews": not caller().can_organise(event.id),
            "standing": None if event.status in PUBLIC_STATUSES else EVENT_STATUS_LABELS[event.status],
            "submitted": waiting.get(event.id, nothing).get(TalkState.SUBMITTED, 0),
            "waitlisted": waiting.get(event.id, nothing).get(TalkState.WAITLISTED, 0),
            "enquiries": enquiries.get(event.id, 0),
        }
        for event in events
    ]


def _moderator_context(session: Session) -> dict[str, object]:
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
