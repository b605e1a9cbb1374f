"""Submitting a talk: which event, the form, a look at it before, and a draft that is kept."""

from collections.abc import Sequence
from http import HTTPStatus

import orjson
from flask import redirect, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.events.words import TalkKind
from eventcal.feeds.resources import event_resources
from eventcal.kit.markdown import to_html
from eventcal.kit.paging import Paging
from eventcal.kit.refusals import Fault, Invalid, Refusal
from eventcal.talks import service
from eventcal.web.http.errors import status_of
from eventcal.web.i18n.messages import refusal_in_words
from eventcal.web.identity.current_user import csrf_token
from eventcal.web.identity.permissions import caller, current_member
from eventcal.web.rendering.forms import Form, load, typed_again
from eventcal.web.rendering.labels import kind_in_words
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, signed_in
from eventcal.web.rendering.talk_form import asked_times, new_form, talk_fields
from eventcal.web.request.context import now, reading, unit_of_work
from eventcal.web.schemas.talks import TalkIn
from eventcal.web.serializers import Json

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
        return answer_page(_asking(event, new_form(event, kind=_kinds(event)[0])))


@pages.post("/submit")
@signed_in
def submit_now() -> Response:
    """Submit what was typed, keep it as a draft, or show how it will look, by the button that was pressed."""
    fields, faults = load(_TALK, talk_fields(request.form))
    with reading() as session:
        event = get_event(session, request.form.get("event", ""), caller())
        if faults:
            again = typed_again(request.form, faults)
            return answer_page(_asking(event, again), status=HTTPStatus.UNPROCESSABLE_ENTITY)
        if request.form.get("do") == "preview":
            return answer_page(_asking(event, typed_again(request.form), preview=fields))
    fields["draft"] = request.form.get("do") == "draft"
    try:
        with unit_of_work() as session:
            event = get_event(session, request.form["event"], caller())
            talk = service.submit_talk(
                session, event, fields, member=current_member(session), caller=caller(), now=now()
            )
            talk_id = talk.id
    except Refusal as refusal:
        with reading() as session:
            event = get_event(session, request.form["event"], caller())
            return answer_page(_asking(event, _refused(refusal)), status=status_of(type(refusal)))
    return redirect(f"/me/talks/{talk_id}?done=submitted", HTTPStatus.SEE_OTHER)


def _refused(refusal: Refusal) -> Form:
    faults = (
        refusal.faults if isinstance(refusal, Invalid) and refusal.faults else (Fault("", refusal_in_words(refusal)),)
    )
    return typed_again(request.form, faults)


def _open_events(session: Session) -> list[Json]:
    found = event_resources(
        session, Filter(call_open=True), sort=Sort.STARTS, paging=Paging(limit=_MOST_CALLS), now=now()
    )
    return [orjson.loads(one) for one in found.items]


def _choosing(events: Sequence[Json]) -> Page:
    return Page(
        template="pages/submit_where.html",
        title=_("Submit a talk"),
        path="/submit",
        indexed=False,
        values={"events": events, "csrf": csrf_token()},
    )


def _asking(event: Event, form: Form, *, preview: Json | None = None) -> Page:
    shown = {**preview, "abstract_html": to_html(preview.get("abstract") or "")} if preview else None
    return Page(
        template="pages/submit.html",
        title=_("Submit a talk"),
        path="/submit",
        indexed=False,
        values={
            "event": event,
            "form": form,
            "csrf": csrf_token(),
            "preview": shown,
            "kinds": [(kind, kind_in_words(kind)) for kind in _kinds(event)],
            "tracks": [("", _("none")), *((track.name, track.name) for track in event.tracks)],
            **asked_times(event),
        },
    )


def _kinds(event: Event) -> list[str]:
    """Return the kinds of talk that an event takes."""
    named = event.call.kinds if event.call else []
    return list(named) or [kind.value for kind in TalkKind]
