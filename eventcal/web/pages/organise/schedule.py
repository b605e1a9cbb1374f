"""The schedule of an event by a form: when and where each talk of its programme is, for many at once."""

from collections.abc import Mapping, Sequence
from datetime import date
from http import HTTPStatus
from urllib.parse import urlencode

from flask import redirect, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.events.queries import decides_for, get_organised_event, get_reviewed_event
from eventcal.kit.paging import LARGEST_LIMIT, Paging
from eventcal.kit.refusals import Invalid, Refusal, Sentence
from eventcal.talks.errors import NoSuchTalk, SomeRefused
from eventcal.talks.models import Talk
from eventcal.talks.rules import USUAL_MINUTES
from eventcal.talks.steps import edit_each
from eventcal.talks.submissions import count_by_day, find_offered, list_to_schedule
from eventcal.web.identity.permissions import caller
from eventcal.web.pages.organise.edit_talk_form import edit_of
from eventcal.web.pages.organise.layout import number_done, section_page
from eventcal.web.pages.organise.row_forms import RowForm, row_again, typed_in
from eventcal.web.pages.organise.schedule_conflicts import warnings_of
from eventcal.web.pages.organise.schedule_rows import fields_in, is_changed, row_of, row_refused
from eventcal.web.pages.organise.submissions import why_not
from eventcal.web.pages.organise.talk_labels import talk_row
from eventcal.web.rendering.dates import short_day
from eventcal.web.rendering.forms import Form
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, signed_in
from eventcal.web.rendering.talk_form import part_choices
from eventcal.web.rendering.time_fields import days_of, talk_when
from eventcal.web.request.context import now, reading, unit_of_work

# What the query calls the talks that have no time yet.
_NO_TIME = "none"


@pages.get("/organise/<slug>/schedule")
@signed_in
def event_schedule_form(slug: str) -> Response:
    """Show the form with a row for each talk of the programme, those without a time first; `day` asks for one day's.

    Reviewers see the same without fields.
    """
    with reading() as session:
        event = get_reviewed_event(session, slug, caller())
        day = _day()
        found = list_to_schedule(
            session,
            event,
            day="" if day == _NO_TIME else day,
            paging=Paging(cursor=request.args.get("cursor")),
        )
        rows = [(talk, row_of(talk)) for talk in found.items]
        return answer_page(_page(session, event, rows, next_=found.next))


@pages.post("/organise/<slug>/schedule")
@signed_in
def save_schedule(slug: str) -> Response:
    """Change the talks whose rows were changed, all of them or none."""
    try:
        with unit_of_work() as session:
            number = _save(session, get_organised_event(session, slug, caller()))
    except SomeRefused as refusal:
        return _again(slug, refusal.refused)
    return redirect(f"{_here(slug)}{urlencode({'done': 'saved', 'number': number})}", HTTPStatus.SEE_OTHER)


def _save(session: Session, event: Event) -> int:
    """Change what was changed, and return of how many talks. Raises SomeRefused."""
    edits = [
        edit_of(talk, fields_in(talk, request.form), typed_in(talk.id, request.form).get("revision", ""))
        for talk in _posted(session, event)
        if is_changed(talk, request.form)
    ]
    edit_each(session, edits, caller=caller(), now=now())
    return len(edits)


def _again(slug: str, refused: Mapping[str, Refusal]) -> Response:
    """Show the same rows: with what was typed where something was, and each fault beside its field."""
    with reading() as session:
        event = get_organised_event(session, slug, caller())
        rows: list[tuple[Talk, RowForm]] = []
        for talk in _posted(session, event):
            if talk.id in refused:
                rows.append((talk, row_refused(talk, request.form, refused[talk.id])))
            else:
                # What nobody touched here shows what stands there now.
                changed = is_changed(talk, request.form)
                rows.append((talk, row_again(talk.id, request.form) if changed else row_of(talk)))
        invalid = all(isinstance(one, Invalid) for one in refused.values())
        status = HTTPStatus.UNPROCESSABLE_ENTITY if invalid else HTTPStatus.CONFLICT
        return answer_page(_page(session, event, rows), status=status)


def _posted(session: Session, event: Event) -> list[Talk]:
    """Return the talks whose rows were sent. Raises NoSuchTalk, and Invalid for more than a page has."""
    ids = request.form.getlist("row")
    if len(ids) > LARGEST_LIMIT:
        raise Invalid(Sentence("Change at most %(most)s talks at once.", most=LARGEST_LIMIT))
    talks = find_offered(session, event, ids)
    missing = set(ids) - {talk.id for talk in talks}
    if missing:
        raise NoSuchTalk(min(missing))
    return talks


def _page(session: Session, event: Event, rows: Sequence[tuple[Talk, RowForm]], *, next_: str | None = None) -> Page:
    counts = count_by_day(session, event)
    return section_page(
        event,
        template="schedule.html",
        title=_("Schedule"),
        section="schedule",
        editable=decides_for(event, caller()),
        why_not=why_not(event),
        asked=_day(),
        filters=_filters(counts),
        rows=[talk_row(talk, form=form, when=talk_when(talk), usual=USUAL_MINUTES[talk.kind]) for talk, form in rows],
        summary=_summary(rows),
        days=days_of(event, *(talk.starts for talk, _form in rows)),
        rooms=part_choices(event.rooms) if event.rooms else [],
        tracks=part_choices(event.tracks) if event.tracks else [],
        warnings=warnings_of(session, event),
        action=_here(event.slug).rstrip("?&"),
        next=next_,
        done=_said(),
    )


def _summary(rows: Sequence[tuple[Talk, RowForm]]) -> Form:
    """Return the faults of all rows, each with its talk."""
    faults = {
        name: [_("%(title)s: %(fault)s", title=talk.title, fault=fault) for fault in found]
        for talk, form in rows
        for name, found in form.faults.items()
    }
    return Form(faults=faults)


def _day() -> str | None:
    """Return the day that the query asks for, as the address has it; None asks for all talks."""
    asked = request.args.get("day", "")
    if asked == _NO_TIME:
        return asked
    try:
        return date.fromisoformat(asked).isoformat()
    except ValueError:
        return None


def _filters(counts: Mapping[str, int]) -> list[tuple[str | None, str, int]]:
    days = [
        (day, short_day(date.fromisoformat(day)), count) if day else (_NO_TIME, _("No time yet"), count)
        for day, count in counts.items()
    ]
    return [(None, _("All of them"), sum(counts.values())), *days]


def _here(slug: str) -> str:
    """Return the page from where the form came, for what is said afterwards to be added."""
    kept = {name: request.args[name] for name in ("day", "cursor") if request.args.get(name)}
    return f"/organise/{slug}/schedule?{urlencode(kept)}{'&' if kept else ''}"


def _said() -> str | None:
    number = number_done("saved")
    if number is None:
        return None
    if not number:
        return str(_("Nothing was changed."))
    return str(ngettext("One talk is changed.", "%(num)s talks are changed.", number))
