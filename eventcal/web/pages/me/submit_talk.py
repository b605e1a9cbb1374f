"""Submitting a talk: which event, the form, a look at it before, and a draft that is kept."""

from collections.abc import Sequence

import orjson
from flask import request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.feeds.resources import event_resources
from eventcal.kit.markdown import to_html
from eventcal.kit.paging import Paging
from eventcal.kit.refusals import Refusal
from eventcal.talks import service
from eventcal.web.identity.current_user import caller, current_member
from eventcal.web.pages.me.layout import own_page
from eventcal.web.rendering.forms import Form, faults_of, typed_again, validate
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, handle_form, signed_in
from eventcal.web.rendering.talk_form import accepted_kinds, new_form, talk_choices, talk_fields
from eventcal.web.request.context import now, reading, unit_of_work
from eventcal.web.schemas.out import Json
from eventcal.web.schemas.talks import TalkIn

_TALK = TalkIn()
# How many open calls there are to choose from.
_MOST_CALLS = 100


@pages.get("/submit")
@signed_in
def submit() -> Response:
    """Show the form of a talk for the event that the query names; without one, the events that take talks."""
    slug = request.args.get("event")
    with reading() as session:
        if slug is None:
            return answer_page(_choosing(_open_events(session)))
        event = get_event(session, slug, caller())
        return answer_page(_page(event, new_form(event, kind=accepted_kinds(event)[0])))


@pages.post("/submit")
@signed_in
def submit_now() -> Response:
    """Submit what was typed, keep it as a draft, or show how it will look, by the button that was pressed."""
    return handle_form(_process, render_form=_render_error, reraise=())


def _process() -> str | Response:
    fields, pressed = validate(_TALK, talk_fields(request.form)), request.form.get("do")
    if pressed == "preview":
        with reading() as session:
            return answer_page(_page(_event(session), typed_again(request.form), preview=fields))
    fields["draft"] = pressed == "draft"
    with unit_of_work() as session:
        event, member = _event(session), current_member(session)
        talk = service.submit_talk(session, event, fields, member=member, caller=caller(), now=now())
        return url_for("pages.my_talk", talk_id=talk.id, done="submitted")


def _render_error(session: Session, error: Refusal) -> Page:
    return _page(_event(session), typed_again(request.form, faults_of(error)))


def _event(session: Session) -> Event:
    """Return the event that the form names. Raises NoSuchEvent."""
    return get_event(session, request.form.get("event", ""), caller())


def _open_events(session: Session) -> list[Json]:
    found = event_resources(
        session, Filter(call_open=True), sort=Sort.STARTS, paging=Paging(limit=_MOST_CALLS), now=now()
    )
    return [orjson.loads(one) for one in found.items]


def _choosing(events: Sequence[Json]) -> Page:
    return own_page(template="submit_where.html", title=_("Submit a talk"), events=events)


def _page(event: Event, form: Form, *, preview: Json | None = None) -> Page:
    shown = {**preview, "abstract_html": to_html(preview.get("abstract") or "")} if preview else None
    return own_page(
        template="submit.html",
        title=_("Submit a talk"),
        event=event,
        form=form,
        preview=shown,
        **talk_choices(event, accepted_kinds(event)),
    )
