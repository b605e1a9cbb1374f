"""One talk as those who decide see it: all that was said, what became of it, the steps it can take, and its form."""

from functools import partial
from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.events.queries import check_decides, get_reviewed_event
from eventcal.kit.refusals import Refusal, Stale
from eventcal.talks.models import Talk
from eventcal.talks.queries import find_talk, is_public
from eventcal.talks.steps import edit_as_seen, may_change, open_steps
from eventcal.talks.submissions import get_offered, history_of, submitted_at, who_is_told
from eventcal.web.identity.permissions import caller
from eventcal.web.pages.organise.edit_talk_form import changed, edit_of, form_of, meanwhile
from eventcal.web.pages.organise.layout import section_page
from eventcal.web.pages.organise.submissions import said_after_deciding, why_not
from eventcal.web.pages.organise.talk_labels import button_of, stage_in_words, talk_row
from eventcal.web.rendering.dates import at
from eventcal.web.rendering.forms import Form, faults_of, said_after, typed_again
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, handle_form, signed_in
from eventcal.web.rendering.talk_form import accepted_kinds, kind_choices, part_choices
from eventcal.web.rendering.time_fields import days_of, talk_when
from eventcal.web.request.context import now, reading, unit_of_work


@pages.get("/organise/<slug>/talks/<talk_id>")
@signed_in
def offered_talk(slug: str, talk_id: str) -> Response:
    """Show a talk to those who decide on it or review it, with its form to those who may change it."""
    with reading() as session:
        event = get_reviewed_event(session, slug, caller())
        talk = get_offered(session, event, talk_id, caller())
        return answer_page(_page(session, event, talk, form_of(talk)))


@pages.post("/organise/<slug>/talks/<talk_id>")
@signed_in
def change_talk(slug: str, talk_id: str) -> Response:
    """Change a talk as typed, if it is still what the form was made of."""

    def process() -> str:
        with unit_of_work() as session:
            event = get_reviewed_event(session, slug, caller())
            check_decides(event, caller())
            talk = get_offered(session, event, talk_id, caller())
            edit = edit_of(talk, changed(talk, request.form), request.form.get("revision", ""))
            edit_as_seen(session, edit, caller=caller(), now=now())
        return f"/organise/{slug}/talks/{talk_id}?done=saved"

    return handle_form(process, render_form=partial(_render_error, slug, talk_id))


def _render_error(slug: str, talk_id: str, session: Session, error: Refusal) -> Page:
    event = get_reviewed_event(session, slug, caller())
    talk = get_offered(session, event, talk_id, caller())
    typed, faults = request.form.copy(), faults_of(error)
    if isinstance(error, Stale):
        # The page shows the current values, so the form may now be saved over them.
        typed.setlist("revision", [str(talk.revision)])
        faults = tuple(meanwhile(talk, typed))
    return _page(session, event, talk, typed_again(typed, faults))


def _page(session: Session, event: Event, talk: Talk, form: Form) -> Page:
    tzid, submitter = event.timezone, who_is_told(session, [talk]).get(talk.id)
    return section_page(
        event,
        template="talk.html",
        title=talk.title,
        within=True,
        **talk_row(talk),
        when=talk_when(talk),
        submitted=at(submitted_at(session, [talk])[talk.id], tzid=tzid),
        submitter=submitter.name if submitter else None,
        earlier=find_talk(session, talk.reprise_of_id, caller()) if talk.reprise_of_id else None,
        is_public=is_public(talk),
        history=_history(session, talk),
        steps=[(step.value, button_of(step)) for step in open_steps(talk, caller())],
        why_not=why_not(event),
        can_redact=caller().moderates and talk.redacted_at is None,
        editable=may_change(talk, caller()),
        form=form,
        done=said_after({"saved": _("It is saved."), "redacted": _("Its text is removed everywhere.")})
        or said_after_deciding(),
        **_choices(talk),
    )


def _history(session: Session, talk: Talk) -> list[dict[str, Any]]:
    return [
        {
            "state": stage_in_words(step.went_to),
            "when": at(step.taken_at, tzid=talk.event.timezone),
            "by": member.name if member else None,
            "reason": step.reason,
        }
        for step, member in history_of(session, talk)
    ]


def _choices(talk: Talk) -> dict[str, Any]:
    """Return what there is to choose from in the form."""
    event = talk.event
    return {
        "kinds": kind_choices(dict.fromkeys([talk.kind.value, *accepted_kinds(event)])),
        "tracks": part_choices(event.tracks),
        "rooms": part_choices(event.rooms),
        "days": days_of(event, talk.starts, talk.ends),
        "zone": event.timezone,
    }
