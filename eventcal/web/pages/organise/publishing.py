"""Pages for publishing, cancelling, deleting and redacting events, with a preview of the effects on subscribers."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events import state_changes
from eventcal.events.enums import PUBLIC_STATUSES, Programme
from eventcal.events.models import Event
from eventcal.events.queries import get_event_for_organiser
from eventcal.events.state_changes import EventAction
from eventcal.feeds.event_preview import count_talks_once_published
from eventcal.kit.errors import DomainError, FieldError, VersionConflict
from eventcal.members.permission_checks import check_moderator
from eventcal.sponsors.service import check_has_no_sponsorships, redact_tiers
from eventcal.talks.delete_and_merge_referenced import delete_event
from eventcal.talks.queries import list_submitted_talk_ids
from eventcal.talks.state_changes import publish_event_with_talks
from eventcal.web.i18n import translate
from eventcal.web.identity.current_user import caller
from eventcal.web.pages.organise import layout
from eventcal.web.pages.organise.calendar_preview import build_calendar_preview, subscribed_apps_context
from eventcal.web.pages.organise.labels import EVENT_STATUS_LABELS, EVENT_STEP_LABELS
from eventcal.web.rendering.forms import Form, done_message, field_errors, rejected_form
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_rejected, form_view, login_required, page_response
from eventcal.web.request.context import links, now


@pages.get("/organise/<slug>/publishing")
@login_required
def event_publishing(slug: str) -> Response:
    with layout.open_event_session(slug) as (_session, event):
        page = layout.render_section(
            event,
            section="event_publishing",
            template="publishing.html",
            title=_("Publishing"),
            where=EVENT_STATUS_LABELS[event.status],
            is_public=event.status in PUBLIC_STATUSES,
            feed=links().event_feed(event.slug),
            steps=[(step, EVENT_STEP_LABELS[step]) for step in state_changes.allowed_event_actions(event, caller())],
            done=done_message(
                {
                    EventAction.PUBLISH: _("It is published."),
                    EventAction.CANCEL: _("It is cancelled. Calendars hear of it the next time they look."),
                    EventAction.REDACT: _("Its text is removed everywhere."),
                }
            ),
        )
        return page_response(page)


@pages.get("/organise/<slug>/publishing/<step>")
@login_required
def confirm_event_step(slug: str, step: str) -> Response:
    action = layout.get_step(step, EventAction)
    with layout.open_event_session(slug) as (session, event):
        if action in state_changes.MODERATOR_ACTIONS:
            check_moderator(caller())
        if action not in state_changes.allowed_event_actions(event, caller()):
            return redirect(url_for("pages.event_publishing", slug=slug), HTTPStatus.SEE_OTHER)
        return page_response(_build_step_page(session, event, action, form=Form()))


def _render_step_error(error: DomainError, slug: str) -> Response:
    errors = field_errors(error)
    if isinstance(error, VersionConflict):
        errors = (FieldError("", _("Somebody changed this event meanwhile. This is what subscribers will see now.")),)
    step, form = EventAction(request.form["do"]), rejected_form(request.form, errors)
    with layout.open_event_session(slug) as (session, event):
        return answer_rejected(_build_step_page(session, event, step, form=form), error)


@pages.post("/organise/<slug>/publishing")
@login_required
@form_view(_render_step_error)
def take_event_step(slug: str) -> str:
    """Perform the action of the clicked button unless the event has changed since the preview."""
    step = layout.get_step(request.form.get("do", ""), EventAction)
    with layout.changing_event(slug) as (session, event):
        layout.check_edit_conflict(event)
        match step:
            case EventAction.PUBLISH:
                if request.form.get("with_talks"):
                    publish_event_with_talks(session, event, caller=caller(), now=now())
                else:
                    state_changes.publish_event(session, event, caller=caller())
            case EventAction.CANCEL:
                state_changes.cancel_event(session, event, now=now())
            case EventAction.DELETE:
                check_has_no_sponsorships(session, event)
                delete_event(session, event)
                return url_for("pages.my_events", done=step)
            case EventAction.REDACT:
                state_changes.redact_event(session, event, caller=caller(), now=now())
                redact_tiers(session, event)
    return url_for("pages.event_publishing", slug=slug, done=step)


def _build_step_page(session: Session, event: Event, step: EventAction, *, form: Form) -> Page:
    was_public = event.status in PUBLIC_STATUSES
    talks = count_talks_once_published(session, event)
    submitted: Sequence[str] = ()
    if step == EventAction.PUBLISH and event.programme == Programme.LISTED:
        submitted = list_submitted_talk_ids(session, event, submitter_id=event.proposer_id)
    is_open = step in state_changes.allowed_event_actions(event, caller())
    session.expunge(event)
    # Changes to a detached event are not written to the database.
    if is_open and step != EventAction.DELETE:
        state_changes.apply_transition(event, step, now=now())
    current_event = get_event_for_organiser(session, event.slug, caller())
    return layout.render_section(
        current_event,
        section="event_publishing",
        template="step.html",
        title=translate(EVENT_STEP_LABELS[step]),
        within=True,
        form=form,
        step=step.value,
        is_open=is_open,
        talks=talks,
        submitted_talks=len(submitted),
        look=build_calendar_preview(session, event, was_public=was_public),
        notices=subscribed_apps_context(session, current_event),
    )
