"""Proposing an event: the form, a look at what subscribers will see, and what comes next."""

from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.service import imagine_event, propose_event
from eventcal.events.words import Attendance, EventKind, Programme
from eventcal.kit.ids import SlugTaken
from eventcal.kit.refusals import Refusal, refuse_faults
from eventcal.web.identity.current_user import csrf_token
from eventcal.web.identity.permissions import caller
from eventcal.web.pages.organise.calendar_preview import Look, look_once_public
from eventcal.web.pages.organise.event_form import event_body, proposed
from eventcal.web.pages.organise.event_form_errors import beside, call_left_out, with_misfits
from eventcal.web.pages.organise.labels import event_choices
from eventcal.web.rendering.forms import Form, faults_of, load, typed_again
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, handle_form, signed_in
from eventcal.web.request.context import now, reading, unit_of_work
from eventcal.web.schemas.events import EventIn

_EVENT = EventIn()
_USUAL = {
    "kind": EventKind.CONFERENCE.value,
    "programme": Programme.CURATED.value,
    "attendance": Attendance.IN_PERSON.value,
}


@pages.get("/propose")
@signed_in
def propose() -> Response:
    """Show the form of an event that is new."""
    return answer_page(_page(Form(_USUAL)))


@pages.post("/propose")
@signed_in
def propose_now() -> Response:
    """Propose what was typed, or show how it will look, by the button that was pressed."""
    return handle_form(_process, render_form=_render_error, reraise=())


def _process() -> str | Response:
    body = event_body(request.form)
    fields, faults = load(_EVENT, proposed(body))
    refuse_faults(with_misfits(body, [*call_left_out(request.form), *faults]))
    if request.form.get("do") == "preview":
        return answer_page(_page(typed_again(request.form), look=_preview(fields)))
    with unit_of_work() as session:
        slug = propose_event(session, fields, caller=caller(), now=now()).slug
    return f"/organise/{slug}?done=proposed"


def _render_error(_session: Session, error: Refusal) -> Page:
    faults = faults_of(error, at="slug" if isinstance(error, SlugTaken) else "")
    return _page(typed_again(request.form, beside(faults)))


def _preview(fields: dict[str, Any]) -> Look | None:
    with reading() as session:
        return look_once_public(session, imagine_event(session, fields, caller=caller(), now=now()))


def _page(form: Form, *, look: Look | None = None) -> Page:
    return Page(
        template="pages/organise/propose.html",
        title=_("Propose an event"),
        path="/propose",
        indexed=False,
        values={
            "csrf": csrf_token(),
            "form": form,
            "look": look,
            "slug_fixed": False,
            "moderates": caller().moderates,
            **event_choices(),
        },
    )
