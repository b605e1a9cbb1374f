"""The event form, for proposing and editing events, with a preview for subscribers."""

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.events import service
from eventcal.events.models import Event
from eventcal.events.queries import get_event_for_organiser
from eventcal.events.rules import ALLOWED_STATUS_EDITS
from eventcal.events.words import PUBLIC_STATUSES, Attendance, EventKind, EventStatus, Programme
from eventcal.kit.ids import DuplicateSlug, SlugImmutable
from eventcal.kit.refusals import DomainError, FieldError, VersionConflict
from eventcal.web.identity.current_user import caller, csrf_token
from eventcal.web.pages.organise import event_form as forms
from eventcal.web.pages.organise import layout
from eventcal.web.pages.organise.calendar_preview import Look, look_once_public
from eventcal.web.pages.organise.labels import EVENT_STATUSES, choices, event_choices
from eventcal.web.rendering.dates import rule_in_words
from eventcal.web.rendering.forms import Form, Typed, field_errors, flash_for, rejected_form, stored_faults
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, answer_rejected, form_view, signed_in
from eventcal.web.request.context import now, read_session, unit_of_work
from eventcal.web.schemas.events import EventIn, EventPatch

_EVENT, _PATCH = EventIn(), EventPatch()
_USUAL = {"kind": EventKind.CONFERENCE, "programme": Programme.CURATED, "attendance": Attendance.IN_PERSON}


@pages.get("/propose")
@signed_in
def propose() -> Response:
    """Show the form for a new event."""
    return answer_page(_new_event_page(Form(_USUAL)))


@pages.post("/propose")
@signed_in
@form_view(lambda error: answer_rejected(_new_event_page(_rejected_form(error)), error), catch=(DomainError,))
def propose_now() -> str | Response:
    """Propose the event or show a preview, depending on the button that was pressed."""
    body, left_out = forms.event_body(request.form), forms.call_left_out(request.form)
    fields = forms.load_event(_EVENT, forms.proposed(body), whole=body, left_out=left_out)
    if request.form.get("do") == "preview":
        with read_session() as session:
            look = look_once_public(session, service.build_event(session, fields, caller=caller(), now=now()))
        return answer_page(_new_event_page(rejected_form(request.form), look=look))
    with unit_of_work() as session:
        slug = service.propose_event(session, fields, caller=caller(), now=now()).slug
    return url_for("pages.submissions", slug=slug, done="proposed")


@pages.get("/organise/<slug>/event")
@signed_in
def event_form(slug: str) -> Response:
    """Show the form of an event to its organisers."""
    with layout.reading_event(slug) as (_session, event):
        return answer_page(_event_page(event, forms.form_of(event)))


def _event_again(error: DomainError, slug: str) -> Response:
    said = _("Somebody else changed this event meanwhile. Look at what stands there now; if you save, yours will.")
    with layout.reading_event(slug) as (_session, event):
        form = _rejected_form(error)
        if isinstance(error, VersionConflict):
            stored = stored_faults(forms.form_of(event).values, request.form)
            form = rejected_form(request.form, [FieldError("", said), *stored])
        return answer_rejected(_event_page(event, form), error)


@pages.post("/organise/<slug>/event")
@signed_in
@form_view(_event_again)
def save_event(slug: str) -> str | Response:
    """Save changes to an event or show a preview, depending on the button that was pressed."""
    if request.form.get("do") == "preview":
        return _preview(slug)
    with layout.changing_event(slug) as (session, event):
        service.edit_event(session, event, _changes(event), now=now())
        return url_for("pages.event_form", slug=event.slug, done="saved")


def _preview(slug: str) -> Response:
    with layout.reading_event(slug) as (session, event):
        fields = _changes(event)
        # Remove the event from the session, so that the changes for the preview are not written.
        session.expunge(event)
        service.replace_event(session, event, fields, now=now())
        look = look_once_public(session, event)
        shown = get_event_for_organiser(session, slug, caller())
        return answer_page(_event_page(shown, rejected_form(request.form), look=look))


def _changes(event: Event) -> forms.Json:
    """Return the changed fields of the event. Raises VersionConflict, and Invalid with all field errors."""
    layout.check_edit_conflict(event)
    stored = forms.form_of(event).values
    body = forms.event_body(forms.completed(request.form, stored))
    left_out = [] if event.call else forms.call_left_out(request.form)
    changes = forms.changed(body, forms.event_body(Typed(stored)))
    return forms.load_event(_PATCH, changes, whole=body, left_out=left_out)


def _rejected_form(error: DomainError) -> Form:
    at = "slug" if isinstance(error, (DuplicateSlug, SlugImmutable)) else ""
    return rejected_form(request.form, forms.beside(field_errors(error, at=at)))


def _new_event_page(form: Form, *, look: Look | None = None) -> Page:
    return Page(
        template="pages/organise/propose.html",
        title=_("Propose an event"),
        indexed=False,
        values={
            "csrf": csrf_token(),
            "form": form,
            "look": look,
            "slug_fixed": False,
            "moderates": caller().is_moderator,
            **event_choices(),
        },
    )


def _event_page(event: Event, form: Form, *, look: Look | None = None) -> Page:
    others = [status for status in EventStatus if status in ALLOWED_STATUS_EDITS[event.status]]
    return layout.render_section(
        event,
        section="event_form",
        template="event.html",
        title=_("Event"),
        form=form,
        look=look,
        # The statuses that an edit may set, beginning with the current one.
        statuses=choices({status: EVENT_STATUSES[status] for status in (event.status, *others)}),
        slug_fixed=event.status in PUBLIC_STATUSES,
        often=rule_in_words(event.recurrence) if event.recurrence else None,
        otherwise=len(event.recurrence_overrides),
        done=flash_for({"saved": _("It is saved.")}),
        **event_choices(),
    )
