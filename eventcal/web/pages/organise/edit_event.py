"""An event's own form: change it, with a look at what subscribers will see; nobody's change is lost in another's."""

from functools import partial
from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.events.queries import get_organised_event
from eventcal.events.rules import STATUS_STEPS
from eventcal.events.service import change_event, edit_event
from eventcal.events.words import PUBLIC_STATUSES, EventStatus
from eventcal.kit.ids import SlugFixed, SlugTaken
from eventcal.kit.refusals import Fault, Refusal, Stale, refuse_faults
from eventcal.web.identity.permissions import caller
from eventcal.web.pages.organise.calendar_preview import Look, look_once_public
from eventcal.web.pages.organise.edit_conflicts import check_unchanged
from eventcal.web.pages.organise.event_form import changed, form_of, whole_body
from eventcal.web.pages.organise.event_form_errors import beside, call_left_out, with_misfits
from eventcal.web.pages.organise.labels import Choices, event_choices, status_in_words
from eventcal.web.pages.organise.layout import section_page, show_event_page
from eventcal.web.rendering.forms import Form, faults_of, load, said_after, stored_faults, typed_again
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, handle_form, signed_in
from eventcal.web.rendering.recurrence_text import rule_in_words
from eventcal.web.request.context import now, reading, unit_of_work
from eventcal.web.schemas.events import EventPatch

_PATCH = EventPatch()


@pages.get("/organise/<slug>/event")
@signed_in
def event_form(slug: str) -> Response:
    """Show an event's form to whoever decides for it."""
    return show_event_page(slug, lambda _session, event: _page(event, form_of(event)))


@pages.post("/organise/<slug>/event")
@signed_in
def save_event(slug: str) -> Response:
    """Change an event as typed, or show how it will look, by the button that was pressed."""

    def process() -> str | Response:
        if request.form.get("do") == "preview":
            return _preview(slug)
        with unit_of_work() as session:
            event = get_organised_event(session, slug, caller())
            edit_event(session, event, _validate(event), now=now())
            return f"/organise/{event.slug}/event?done=saved"

    return handle_form(process, render_form=partial(_render_error, slug))


def _validate(event: Event) -> dict[str, Any]:
    """Return what is to change of the event that the form was made of. Raises Stale, and Invalid with every fault."""
    check_unchanged(event)
    left_out = [] if event.call else call_left_out(request.form)
    fields, faults = load(_PATCH, changed(event, request.form))
    refuse_faults(with_misfits(whole_body(event, request.form), [*left_out, *faults]))
    return fields


def _preview(slug: str) -> Response:
    with reading() as session:
        event = get_organised_event(session, slug, caller())
        fields = _validate(event)
        # The session lets go of it, so that nothing of what it becomes is ever written.
        session.expunge(event)
        change_event(session, event, fields, now=now())
        look = look_once_public(session, event)
        return answer_page(_page(get_organised_event(session, slug, caller()), typed_again(request.form), look=look))


def _render_error(slug: str, session: Session, error: Refusal) -> Page:
    event = get_organised_event(session, slug, caller())
    if isinstance(error, Stale):
        said = _("Somebody else changed this event meanwhile. Look at what stands there now; if you save, yours will.")
        faults = [Fault("", said), *stored_faults(form_of(event).values, request.form)]
    else:
        faults = beside(faults_of(error, at="slug" if isinstance(error, (SlugTaken, SlugFixed)) else ""))
    return _page(event, typed_again(request.form, faults))


def _page(event: Event, form: Form, *, look: Look | None = None) -> Page:
    return section_page(
        event,
        template="event.html",
        title=_("Event"),
        section="event",
        form=form,
        look=look,
        statuses=_statuses(event),
        slug_fixed=event.status in PUBLIC_STATUSES,
        often=rule_in_words(event.recurrence) if event.recurrence else None,
        otherwise=len(event.recurrence_overrides),
        done=said_after({"saved": _("It is saved.")}),
        **event_choices(),
    )


def _statuses(event: Event) -> Choices:
    """Return what an event's status can be by an edit, the present one first."""
    others = [status for status in EventStatus if status in STATUS_STEPS[event.status]]
    return [(status.value, status_in_words(status)) for status in (event.status, *others)]
