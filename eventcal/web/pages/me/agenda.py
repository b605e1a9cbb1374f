"""The agenda of a registered member, which contains starred talks and the member's own talks."""

from collections.abc import Collection
from datetime import UTC, timedelta
from http import HTTPStatus

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.events.filter import Filter, Sort
from eventcal.kit.pagination import PageRequest
from eventcal.members.caller import ANONYMOUS
from eventcal.talks import service
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk, is_submitter_or_speaker, list_starred_and_own_talks, starred_talk_ids
from eventcal.web.identity.current_user import caller
from eventcal.web.rendering.dates import format_resource_times
from eventcal.web.rendering.forms import done_message
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import login_required, private_page_response
from eventcal.web.request.context import links, now, read_session, unit_of_work
from eventcal.web.schemas.response_schema import Json
from eventcal.web.schemas.talks import talk_json


@pages.get("/me/stars")
@login_required
def agenda() -> Response:
    """Show upcoming talks or, if the query string contains `past`, past talks in reverse chronological order."""
    past = "past" in request.args
    # As on the listing page, talks on the current day (UTC) count as upcoming.
    today = now().astimezone(UTC).date()
    filters = Filter(to_day=today - timedelta(days=1)) if past else Filter(from_day=today)
    sort, paging = Sort.STARTS_DOWN if past else Sort.STARTS, PageRequest(cursor=request.args.get("cursor"))
    with read_session() as session:
        page = list_starred_and_own_talks(session, caller(), filters, sort=sort, paging=paging, now=now())
        starred = starred_talk_ids(session, caller(), page.items)
        return private_page_response(
            template="me/agenda.html",
            title=_("My agenda"),
            talks=[_agenda_talk_row(talk, starred) for talk in page.items],
            next=page.next_cursor,
            past=past,
            done=done_message({"added": _("It is on your agenda."), "removed": _("It is off your agenda.")}),
        )


@pages.get("/me/stars/<talk_id>")
@login_required
def star_form(talk_id: str) -> Response:
    """Show whether the current user has starred a talk. The public page of a talk is the same for all users."""
    with read_session() as session:
        talk = get_talk(session, talk_id, ANONYMOUS)
        row = _agenda_talk_row(talk, starred_talk_ids(session, caller(), [talk]))
        return private_page_response(template="me/star.html", title=talk.title, talk=row)


@pages.post("/me/stars/<talk_id>")
@login_required
def add_or_remove_star(talk_id: str) -> Response:
    removes = request.form.get("do") == "remove"
    with unit_of_work() as session:
        if removes:
            service.remove_star(session, talk_id, caller=caller())
        else:
            service.add_star(session, get_talk(session, talk_id, ANONYMOUS), caller=caller(), now=now())
    return redirect(url_for("pages.agenda", done="removed" if removes else "added"), HTTPStatus.SEE_OTHER)


def _agenda_talk_row(talk: Talk, starred: Collection[str]) -> Json:
    resource = talk_json(talk, links())
    return {
        **resource,
        "when": format_resource_times(resource, tzid=talk.event.timezone),
        "place": ", ".join(part for part in (resource["room"], talk.event.venue, talk.event.city) if part),
        "event": talk.event,
        "starred": talk.id in starred,
        "own": is_submitter_or_speaker(talk, caller()),
    }
