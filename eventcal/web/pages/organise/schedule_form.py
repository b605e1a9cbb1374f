"""The form for the times, rooms and tracks of several talks. Schedule conflicts do not prevent saving the form."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from http import HTTPStatus
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.events.queries import can_manage_event, get_event_for_reviewer
from eventcal.kit.errors import DomainError, FieldError, Invalid, Message
from eventcal.kit.localtime import get_zone
from eventcal.kit.pagination import MAX_LIMIT, PageRequest
from eventcal.talks.errors import BulkActionFailed
from eventcal.talks.models import Talk
from eventcal.talks.rules import DEFAULT_MINUTES, TalkSlot, iter_schedule_conflicts, list_slots_outside_event
from eventcal.talks.state_changes import TalkEdit, edit_talks
from eventcal.talks.submission_queries import (
    count_programme_talks_by_day,
    list_programme_talks,
    list_talk_slots,
    speaker_names,
)
from eventcal.web.http.urls import with_query
from eventcal.web.identity.current_user import caller
from eventcal.web.pages.organise import layout
from eventcal.web.pages.organise.labels import talk_row
from eventcal.web.pages.organise.row_forms import RowForm, build_row_form, extract_row_data, redisplay_row
from eventcal.web.pages.organise.submissions import find_decision_denied_reason
from eventcal.web.pages.organise.talk import build_talk_edit
from eventcal.web.rendering.dates import format_short_day, format_time_of_day, format_times
from eventcal.web.rendering.forms import Form, day_and_time_values, day_choices, parse_day_and_time, parse_int
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import form_view, login_required, page_response
from eventcal.web.rendering.talk_form import room_or_track_choices
from eventcal.web.request.context import now

# The value of the query parameter `day` for talks without a time.
_NO_TIME = "none"
_TIME_FIELDS = ("starts", "starts_time", "minutes")
_FIELDS = (*_TIME_FIELDS, "room", "track")
# Maps JSON pointers in the errors of a talk to JSON pointers of form fields.
_FORM_POINTERS = {"/duration_minutes": "/minutes", "/ends": "/minutes"}
_MOST_WARNINGS = 20


@pages.get("/organise/<slug>/schedule")
@login_required
def event_schedule_form(slug: str) -> Response:
    """Show a row for each talk in the programme, beginning with unscheduled talks. Reviewers see no input fields."""
    with layout.open_event_session(slug, get_event=get_event_for_reviewer) as (session, event):
        day, paging = _find_selected_day(), PageRequest(cursor=request.args.get("cursor"))
        page = list_programme_talks(session, event, day="" if day == _NO_TIME else day, paging=paging)
        rows = [(talk, _build_talk_row_form(talk)) for talk in page.items]
        return page_response(_build_schedule_form_page(session, event, rows, next_cursor=page.next_cursor))


def _render_schedule_error(error: BulkActionFailed, slug: str) -> Response:
    """Return the submitted form, with status 422 if all errors are field errors, or else with status 409."""
    with layout.open_event_session(slug) as (session, event):
        talks = _get_talks_of_submitted_rows(session, event)
        rows = [(talk, _redisplay_talk_row(talk, error.errors_by_talk.get(talk.id))) for talk in talks]
        invalid = all(isinstance(talk_error, Invalid) for talk_error in error.errors_by_talk.values())
        status = HTTPStatus.UNPROCESSABLE_ENTITY if invalid else HTTPStatus.CONFLICT
        return page_response(_build_schedule_form_page(session, event, rows), status=status)


@pages.post("/organise/<slug>/schedule")
@login_required
@form_view(_render_schedule_error, catch=(BulkActionFailed,))
def save_schedule(slug: str) -> str:
    """Save all changed rows in one transaction."""
    with layout.changing_event(slug) as (session, event):
        talks = _get_talks_of_submitted_rows(session, event)
        edits = [_parse_talk_edit(talk) for talk in talks if _is_row_changed(talk)]
        edit_talks(session, edits, caller=caller(), now=now())
    return _schedule_form_url(slug, done="saved", number=str(len(edits)))


def _get_talks_of_submitted_rows(session: Session, event: Event) -> list[Talk]:
    too_many = Message("Change at most %(most)s talks at once.", most=MAX_LIMIT)
    return layout.get_talks_of_event(session, event, request.form.getlist("row"), too_many_message=too_many)


def _build_talk_row_form(talk: Talk) -> RowForm:
    """Return the row form for a talk. Hidden fields contain the revision and the original values of the talk."""
    values = _talk_row_values(talk)
    return build_row_form(talk.id, {**values, "revision": talk.revision, "was": _serialise_values(values)})


def _redisplay_talk_row(talk: Talk, error: DomainError | None) -> RowForm:
    """Return the submitted row of a talk. Submitting the row again overwrites a conflicting change."""
    if error is None:
        return redisplay_row(talk.id, request.form) if _is_row_changed(talk) else _build_talk_row_form(talk)
    if isinstance(error, Invalid):
        return redisplay_row(talk.id, request.form, error.errors, form_pointers=_FORM_POINTERS)
    message = _(
        "Somebody else changed this talk meanwhile. There stands now: %(value)s. If you save, yours will.",
        value=_time_and_place_text(talk),
    )
    row, current = redisplay_row(talk.id, request.form, [FieldError("/starts", message)]), _build_talk_row_form(talk)
    hidden_values = {name: current.value(name) for name in map(row.field_name, ("revision", "was"))}
    return RowForm({**row.values, **hidden_values}, row.faults, row.row_key)


def _is_row_changed(talk: Talk) -> bool:
    row = extract_row_data(talk.id, request.form)
    return row.get("was") != _serialise_values({name: row.get(name, "").strip() for name in _FIELDS})


def _parse_talk_edit(talk: Talk) -> TalkEdit:
    row, current = extract_row_data(talk.id, request.form), _talk_row_values(talk)
    body: dict[str, Any] = {"room": row.get("room") or None, "track": row.get("track") or None}
    # The stored end of a talk is kept if the times in the form are unchanged.
    if talk.ends is None or any(row.get(name, "").strip() != current[name] for name in _TIME_FIELDS):
        body |= {"starts": parse_day_and_time(row, "starts"), "duration_minutes": parse_int(row.get("minutes", ""))}
        if talk.ends is not None:
            body["ends"] = None
    return build_talk_edit(talk, body, row.get("revision", ""))


def _talk_row_values(talk: Talk) -> Mapping[str, str]:
    minutes = talk.duration_minutes
    if talk.ends is not None and talk.starts_at is not None and talk.ends_at is not None:
        minutes = (talk.ends_at - talk.starts_at) // timedelta(minutes=1)
    return {
        **day_and_time_values("starts", talk.starts, default_day=talk.event.first_day),
        "minutes": "" if minutes is None else str(minutes),
        "room": talk.room.name if talk.room else "",
        "track": talk.track.name if talk.track else "",
    }


def _serialise_values(values: Mapping[str, str]) -> str:
    return orjson.dumps([values[name] for name in _FIELDS]).decode()


def _time_and_place_text(talk: Talk) -> str:
    when = format_times(talk)
    day = f"{format_short_day(when.first_date)}, {when.hours}" if when else _("no time")
    return "; ".join([day, *(part.name for part in (talk.room, talk.track) if part)])


def _build_schedule_form_page(
    session: Session, event: Event, rows: Sequence[tuple[Talk, RowForm]], *, next_cursor: str | None = None
) -> Page:
    summary = {
        name: [_("%(title)s: %(fault)s", title=talk.title, fault=error) for error in messages]
        for talk, form in rows
        for name, messages in form.faults.items()
    }
    return layout.render_section(
        event,
        section="event_schedule_form",
        template="schedule.html",
        title=_("Schedule"),
        editable=can_manage_event(event, caller()),
        why_not=find_decision_denied_reason(event),
        asked=_find_selected_day(),
        filters=_day_filters(count_programme_talks_by_day(session, event)),
        rows=[
            talk_row(talk, form=form, when=format_times(talk), usual=DEFAULT_MINUTES[talk.kind]) for talk, form in rows
        ],
        summary=Form(faults=summary),
        days=day_choices(event, *(talk.starts for talk, _form in rows)),
        rooms=room_or_track_choices(event.rooms) if event.rooms else [],
        tracks=room_or_track_choices(event.tracks) if event.tracks else [],
        warnings=list(_iter_conflict_warnings(session, event)),
        action=_schedule_form_url(event.slug),
        next=next_cursor,
        done=_find_saved_message(),
    )


def _find_selected_day() -> str | None:
    """Return the value of the query parameter `day`, or None for all talks."""
    value = request.args.get("day", "")
    if value == _NO_TIME:
        return value
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return None


def _day_filters(counts: Mapping[str, int]) -> list[tuple[str | None, str, int]]:
    days = [
        (day, format_short_day(date.fromisoformat(day)), count) if day else (_NO_TIME, _("No time yet"), count)
        for day, count in counts.items()
    ]
    return [(None, _("All of them"), sum(counts.values())), *days]


def _schedule_form_url(slug: str, **query: str) -> str:
    kept = {name: request.args[name] for name in ("day", "cursor") if request.args.get(name)}
    return with_query(url_for("pages.event_schedule_form", slug=slug), urlencode(kept | query))


def _find_saved_message() -> str | None:
    number = layout.find_completed_count("saved")
    if number is None:
        return None
    if not number:
        return str(_("Nothing was changed."))
    return str(ngettext("One talk is changed.", "%(num)s talks are changed.", number))


def _iter_conflict_warnings(session: Session, event: Event) -> Iterator[tuple[str, Sequence[TalkSlot]]]:
    """Yield a message and the affected talks for each schedule conflict."""
    slots = list_talk_slots(session, event)
    conflicts = list(islice(iter_schedule_conflicts(slots), _MOST_WARNINGS))
    speaker_ids = {speaker_id for conflict in conflicts for speaker_id in conflict.speakers}
    names = speaker_names(session, event, speaker_ids) if conflicts else {}
    rooms = {room.id: room.name for room in event.rooms}
    for conflict in conflicts:
        talks, starts_at = (conflict.first, conflict.second), conflict.second.starts_at
        day = format_short_day(starts_at.astimezone(get_zone(event.timezone)).date())
        at = f"{day}, {format_time_of_day(starts_at, tzid=event.timezone)}"
        if conflict.room_id is not None:
            room = rooms.get(conflict.room_id, conflict.room_id)
            yield _("Two talks are in the same room at once: %(room)s, %(at)s.", room=room, at=at), talks
        for speaker in sorted(names.get(speaker_id, speaker_id) for speaker_id in conflict.speakers):
            yield _("One speaker is in two talks at once: %(speaker)s, %(at)s.", speaker=speaker, at=at), talks
    if event.recurrence is None:
        for slot in list_slots_outside_event(slots, starts_at=event.starts_at, ends_at=event.ends_at)[:_MOST_WARNINGS]:
            yield _("This talk is not within the event's own times:"), (slot,)
