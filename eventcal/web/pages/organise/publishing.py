"""Publishing an event, calling it off, deleting it, blanking it: each with a look at what subscribers will see."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus

from flask import redirect, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.events.queries import get_organised_event
from eventcal.events.steps import (
    MODERATORS_STEPS,
    EventStep,
    become,
    cancel_event,
    open_steps,
    publish_event,
    redact_event,
)
from eventcal.events.words import PUBLIC_STATUSES
from eventcal.feeds.preview import count_shown_talks
from eventcal.kit.refusals import Fault, NotFound, Refusal, Sentence, Stale
from eventcal.members.rules import check_moderator
from eventcal.sponsors.service import blank_tiers, check_unsponsored
from eventcal.talks.removal import remove_event
from eventcal.web.identity.permissions import caller
from eventcal.web.pages.organise.calendar_preview import look_at, notices_of
from eventcal.web.pages.organise.edit_conflicts import check_unchanged
from eventcal.web.pages.organise.labels import status_in_words, step_in_words
from eventcal.web.pages.organise.layout import handle_event_form, section_page, show_event_page
from eventcal.web.rendering.forms import Form, faults_of, said_after, typed_again
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, signed_in
from eventcal.web.request.context import links, now, reading


@pages.get("/organise/<slug>/publishing")
@signed_in
def event_publishing(slug: str) -> Response:
    """Show where an event stands, and what can be done with the whole of it."""
    return show_event_page(slug, _render_steps)


@pages.get("/organise/<slug>/publishing/<step>")
@signed_in
def event_step(slug: str, step: str) -> Response:
    """Show what subscribers will see after a step, and ask whether to take it."""
    wanted = _step(step)
    with reading() as session:
        event = get_organised_event(session, slug, caller())
        if wanted in MODERATORS_STEPS:
            check_moderator(caller())
        if wanted not in open_steps(event, caller()):
            return redirect(f"/organise/{slug}/publishing", HTTPStatus.SEE_OTHER)
        return answer_page(_render_confirm(session, event, wanted))


@pages.post("/organise/<slug>/publishing")
@signed_in
def take_event_step(slug: str) -> Response:
    """Take the step whose button was pressed, if the event is still what was looked at."""
    step = _step(request.form.get("do", ""))

    def process(session: Session, event: Event) -> str:
        check_unchanged(event)
        _STEPS[step](session, event)
        path = "/organise" if step == EventStep.DELETE else f"/organise/{slug}/publishing"
        return f"{path}?done={step}"

    return handle_event_form(slug, process, render_form=partial(_render_error, step))


def _publish(session: Session, event: Event) -> None:
    publish_event(session, event, caller=caller())


def _cancel(session: Session, event: Event) -> None:
    cancel_event(session, event, now=now())


def _delete(session: Session, event: Event) -> None:
    check_unsponsored(session, event)
    remove_event(session, event)


def _redact(session: Session, event: Event) -> None:
    redact_event(session, event, caller=caller(), now=now())
    blank_tiers(session, event)


_STEPS: Mapping[EventStep, Callable[[Session, Event], None]] = {
    EventStep.PUBLISH: _publish,
    EventStep.CANCEL: _cancel,
    EventStep.DELETE: _delete,
    EventStep.REDACT: _redact,
}


def _step(word: str) -> EventStep:
    if word not in {step.value for step in EventStep}:
        raise NotFound(Sentence("There is no such step."))
    return EventStep(word)


def _render_steps(_session: Session, event: Event) -> Page:
    return section_page(
        event,
        template="publishing.html",
        title=_("Publishing"),
        section="publishing",
        where=status_in_words(event.status),
        is_public=event.status in PUBLIC_STATUSES,
        feed=links().event_feed(event.slug),
        steps=[(step.value, step_in_words(step)) for step in open_steps(event, caller())],
        done=said_after(
            {
                EventStep.PUBLISH: _("It is published."),
                EventStep.CANCEL: _("It is cancelled. Calendars hear of it the next time they look."),
                EventStep.REDACT: _("Its text is removed everywhere."),
            }
        ),
    )


def _render_error(step: EventStep, session: Session, event: Event, error: Refusal) -> Page:
    faults: Sequence[Fault] = faults_of(error)
    if isinstance(error, Stale):
        faults = [Fault("", _("Somebody changed this event meanwhile. This is what subscribers will see now."))]
    return _render_confirm(session, event, step, form=typed_again(request.form, faults))


def _render_confirm(session: Session, event: Event, step: EventStep, *, form: Form | None = None) -> Page:
    was_public = event.status in PUBLIC_STATUSES
    talks = count_shown_talks(session, event)
    is_open = step in open_steps(event, caller())
    session.expunge(event)
    # Of an event that the session let go of, nothing is written.
    if is_open and step != EventStep.DELETE:
        become(event, step, now=now())
    look = look_at(session, event, was_public=was_public)
    shown = get_organised_event(session, event.slug, caller())
    return section_page(
        shown,
        template="step.html",
        title=step_in_words(step),
        section="publishing",
        within=True,
        form=form or Form(),
        step=step.value,
        is_open=is_open,
        was_public=was_public,
        talks=talks,
        look=look,
        notices=notices_of(session, shown),
    )
