"""Submitting a talk: which event, the form, a look at it before, and a draft that is kept."""

from http import HTTPStatus

import orjson
from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.events.filter import Filter, Sort
from eventcal.events.queries import get_event
from eventcal.feeds.resources import event_resources
from eventcal.kit.markdown import to_html
from eventcal.kit.paging import Paging
from eventcal.kit.refusals import Refusal
from eventcal.talks import service
from eventcal.web.identity.current_user import SAFE, caller, current_member
from eventcal.web.pages.me.layout import answer_own_page, form_view
from eventcal.web.rendering.forms import Form, typed_again, validate
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import signed_in
from eventcal.web.rendering.talk_form import accepted_kinds, new_form, talk_choices, talk_fields
from eventcal.web.request.context import now, reading, unit_of_work
from eventcal.web.schemas.out import Json
from eventcal.web.schemas.talks import TalkIn

_TALK = TalkIn()
# How many open calls there are to choose from.
_MOST_CALLS = 100


def _show(form: Form | None = None, status: int = HTTPStatus.OK, *, preview: Json | None = None) -> Response:
    """Show the form of a talk for the event that the request names. Raises NoSuchEvent."""
    with reading() as session:
        event = get_event(session, _slug(), caller())
        return answer_own_page(
            template="submit.html",
            title=_("Submit a talk"),
            status=status,
            event=event,
            form=form or new_form(event, kind=accepted_kinds(event)[0]),
            preview=preview,
            **talk_choices(event, accepted_kinds(event)),
        )


def _slug() -> str:
    return (request.args if request.method in SAFE else request.form).get("event", "")


@pages.get("/submit")
@signed_in
def submit() -> Response:
    """Show the form of a talk for the event that the query names; without one, the events that take talks."""
    if "event" in request.args:
        return _show()
    with reading() as session:
        paging = Paging(limit=_MOST_CALLS)
        found = event_resources(session, Filter(call_open=True), sort=Sort.STARTS, paging=paging, now=now())
    events = [orjson.loads(one) for one in found.items]
    return answer_own_page(template="submit_where.html", title=_("Submit a talk"), events=events)


@pages.post("/submit")
@signed_in
@form_view(_show, catch=(Refusal,))
def submit_now() -> str | Response:
    """Submit what was typed, keep it as a draft, or show how it will look, by the button that was pressed."""
    fields, pressed = validate(_TALK, talk_fields(request.form)), request.form.get("do")
    if pressed == "preview":
        shown = {**fields, "abstract_html": to_html(fields.get("abstract") or "")}
        return _show(typed_again(request.form), preview=shown)
    fields["draft"] = pressed == "draft"
    with unit_of_work() as session:
        event, member = get_event(session, _slug(), caller()), current_member(session)
        talk = service.submit_talk(session, event, fields, member=member, caller=caller(), now=now())
        return url_for("pages.my_talk", talk_id=talk.id, done="submitted")
