"""Pages for proposing and editing events. A preview shows how the event will appear to subscribers."""

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.events import service
from eventcal.events.enums import PUBLIC_STATUSES, Attendance, EventKind, EventStatus, Programme
from eventcal.events.fields import EventFields
from eventcal.events.models import Event
from eventcal.events.queries import get_event_for_organiser
from eventcal.events.rules import ALLOWED_STATUS_EDITS
from eventcal.kit.errors import DomainError, FieldError, VersionConflict
from eventcal.kit.ids import DuplicateSlug, SlugImmutable
from eventcal.members.service import check_email_confirmed
from eventcal.web.identity.current_user import caller, csrf_token
from eventcal.web.pages.organise import event_form as forms
from eventcal.web.pages.organise import layout
from eventcal.web.pages.organise.calendar_preview import CalendarPreview, build_preview_as_published
from eventcal.web.pages.organise.labels import EVENT_STATUS_LABELS, enum_choices, event_form_choices
from eventcal.web.rendering.dates import recurrence_rule_label
from eventcal.web.rendering.forms import (
    Form,
    FormData,
    done_message,
    field_errors,
    iter_differing_field_errors,
    rejected_form,
)
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_rejected, form_view, login_required, page_response
from eventcal.web.request.context import now, read_session, unit_of_work
from eventcal.web.schemas.events import EventIn, EventPatch

_EVENT, _PATCH = EventIn(), EventPatch()
_DEFAULT_VALUES = {"kind": EventKind.CONFERENCE, "programme": Programme.CURATED, "attendance": Attendance.IN_PERSON}


@pages.get("/propose")
@login_required
def propose_event_form() -> Response:
    return page_response(_build_new_event_page(Form(_DEFAULT_VALUES)))


@pages.post("/propose")
@login_required
@form_view(lambda error: answer_rejected(_build_new_event_page(_rejected_form(error)), error), catch=(DomainError,))
def propose_or_preview_event() -> str | Response:
    check_email_confirmed(caller())
    body, call_errors = forms.parse_event_form(request.form), forms.contradictory_call_errors(request.form)
    fields = forms.load_event_fields(_EVENT, forms.drop_empty_fields(body), full_body=body, extra_errors=call_errors)
    if request.form.get("do") == "preview":
        with read_session() as session:
            event = service.build_event(session, fields, caller=caller(), now=now())
            preview = build_preview_as_published(session, event)
        return page_response(_build_new_event_page(rejected_form(request.form), preview=preview))
    with unit_of_work() as session:
        slug = service.propose_event(session, fields, caller=caller(), now=now()).slug
    return url_for("pages.submissions", slug=slug, done="proposed")


@pages.get("/organise/<slug>/event")
@login_required
def event_form(slug: str) -> Response:
    with layout.open_event_session(slug) as (_session, event):
        return page_response(_build_event_form_page(event, forms.build_event_form(event)))


def _render_event_error(error: DomainError, slug: str) -> Response:
    message = _("Somebody else changed this event meanwhile. Look at what stands there now; if you save, yours will.")
    with layout.open_event_session(slug) as (_session, event):
        form = _rejected_form(error)
        if isinstance(error, VersionConflict):
            conflicts = iter_differing_field_errors(forms.build_event_form(event).values, request.form)
            form = rejected_form(request.form, [FieldError("", message), *conflicts])
        return answer_rejected(_build_event_form_page(event, form), error)


@pages.post("/organise/<slug>/event")
@login_required
@form_view(_render_event_error)
def save_or_preview_event(slug: str) -> str | Response:
    if request.form.get("do") == "preview":
        return _preview_event_changes(slug)
    with layout.changing_event(slug) as (session, event):
        service.edit_event(session, event, _load_event_changes(event), now=now())
        return url_for("pages.event_form", slug=event.slug, done="saved")


def _preview_event_changes(slug: str) -> Response:
    with layout.open_event_session(slug) as (session, event):
        fields = _load_event_changes(event)
        # Detach the event from the database session, so that the changes for the preview are not saved.
        session.expunge(event)
        service.apply_event_fields(session, event, fields, now=now())
        preview = build_preview_as_published(session, event)
        current_event = get_event_for_organiser(session, slug, caller())
        return page_response(_build_event_form_page(current_event, rejected_form(request.form), preview=preview))


def _load_event_changes(event: Event) -> EventFields:
    """Return the changed fields of an event, or raise VersionConflict or Invalid."""
    layout.check_edit_conflict(event)
    stored = forms.build_event_form(event).values
    body = forms.parse_event_form(forms.fill_missing_fields(request.form, stored))
    call_errors = [] if event.call else forms.contradictory_call_errors(request.form)
    changes = forms.changed_fields(body, forms.parse_event_form(FormData(stored)))
    return forms.load_event_fields(_PATCH, changes, full_body=body, extra_errors=call_errors)


def _rejected_form(error: DomainError) -> Form:
    field = "slug" if isinstance(error, (DuplicateSlug, SlugImmutable)) else ""
    return rejected_form(request.form, forms.map_errors_to_form_fields(field_errors(error, default_field=field)))


def _build_new_event_page(form: Form, *, preview: CalendarPreview | None = None) -> Page:
    return Page(
        template="pages/organise/propose.html",
        title=_("Propose an event"),
        indexed=False,
        context={
            "csrf": csrf_token(),
            "form": form,
            "look": preview,
            "slug_fixed": False,
            "moderates": caller().is_moderator,
            **event_form_choices(),
        },
    )


def _build_event_form_page(event: Event, form: Form, *, preview: CalendarPreview | None = None) -> Page:
    others = [status for status in EventStatus if status in ALLOWED_STATUS_EDITS[event.status]]
    return layout.render_section(
        event,
        section="event_form",
        template="event.html",
        title=_("Event"),
        form=form,
        look=preview,
        statuses=enum_choices({status: EVENT_STATUS_LABELS[status] for status in (event.status, *others)}),
        slug_fixed=event.status in PUBLIC_STATUSES,
        often=recurrence_rule_label(event.recurrence) if event.recurrence else None,
        otherwise=len(event.recurrence_overrides),
        done=done_message({"saved": _("It is saved.")}),
        **event_form_choices(),
    )
