"""A member's own pages: their talks and what becomes of them, each to be changed, withdrawn or confirmed."""

from functools import partial
from http import HTTPStatus

from flask import redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.queries import complete_event
from eventcal.kit.paging import LARGEST_LIMIT, Paging
from eventcal.kit.refusals import NotFound, Refusal, Sentence, Stale
from eventcal.talks import service
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk, is_own, is_public, list_own_talks, reasons_given
from eventcal.talks.rules import SPEAKERS_STEPS, STEPS, UNDECIDED, Step
from eventcal.talks.steps import Edit, edit_as_seen, take_step
from eventcal.web.identity.current_user import caller, current_member
from eventcal.web.pages.me.layout import own_page
from eventcal.web.pages.me.talk_progress import grouped, progress_of
from eventcal.web.rendering.forms import Form, faults_of, said_after, typed_again, validate
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, handle_form, signed_in
from eventcal.web.rendering.talk_form import form_of, talk_choices, talk_fields
from eventcal.web.request.context import now, reading, unit_of_work
from eventcal.web.schemas.talks import TalkPatch

_PATCH = TalkPatch()


@pages.get("/me")
@signed_in
def me() -> Response:
    """Show a member their talks by what they wait for, in each group the newest first."""
    with reading() as session:
        paging = Paging(limit=LARGEST_LIMIT, cursor=request.args.get("cursor"))
        found = list_own_talks(session, caller(), paging=paging)
        page = own_page(
            template="me/talks.html",
            title=_("My talks"),
            member=current_member(session),
            groups=grouped(found.items, reasons_given(session, found.items), now=now()),
            next=found.next,
        )
        return answer_page(page)


@pages.get("/me/talks/<talk_id>")
@signed_in
def my_talk(talk_id: str) -> Response:
    """Show a member one of their talks: where it stands, what can be done, and the form to change it."""
    with reading() as session:
        talk = _own(session, talk_id)
        return answer_page(_page_of(session, talk, form_of(talk)))


@pages.get("/me/talks/<talk_id>/withdraw")
@signed_in
def withdrawing(talk_id: str) -> Response:
    """Ask whether a talk is to be withdrawn, and say what that means."""
    with reading() as session:
        talk = _own(session, talk_id)
        if talk.state not in STEPS[Step.WITHDRAW].sources:
            return redirect(url_for("pages.my_talk", talk_id=talk_id), HTTPStatus.SEE_OTHER)
        title = _("Withdraw this talk?")
        return answer_page(own_page(template="me/withdraw.html", title=title, talk=talk, is_public=is_public(talk)))


@pages.post("/me/talks/<talk_id>")
@signed_in
def change_my_talk(talk_id: str) -> Response:
    """Change a talk as typed, or take the step whose button was pressed."""

    def process() -> str:
        with unit_of_work() as session:
            done = _change(session, _own(session, talk_id))
        return url_for("pages.my_talk", talk_id=talk_id, done=done)

    return handle_form(process, render_form=partial(_render_error, talk_id), reraise=(NotFound,))


def _change(session: Session, talk: Talk) -> str:
    """Do what the form asks for. Returns what was done, as the page says it afterwards."""
    asked = request.form.get("do", "save")
    if asked in {step.value for step in SPEAKERS_STEPS}:
        take_step(session, talk, Step(asked), caller=caller(), reason=None, now=now())
        return asked
    fields = validate(_PATCH, talk_fields(request.form, whole=True))
    service.check_may_edit(talk, caller())
    edit = Edit(talk, request.form.get("revision", ""), fields)
    edit_as_seen(session, edit, caller=caller(), now=now())
    return "saved"


def _render_error(talk_id: str, session: Session, error: Refusal) -> Page:
    talk = _own(session, talk_id)
    form = typed_again(request.form, faults_of(error))
    # The page says that the talk has changed, so the form may now be saved over it.
    seen = talk.revision if isinstance(error, Stale) else form.value("revision")
    return _page_of(session, talk, form, seen=seen)


def _own(session: Session, talk_id: str) -> Talk:
    """Return a talk that the caller offered or gives. Raises NoSuchTalk, and NotFound for somebody else's."""
    talk = get_talk(session, talk_id, caller())
    if not is_own(talk, caller()):
        raise NotFound(Sentence("This is not one of your talks."))
    complete_event(session, talk.event)
    return talk


def _page_of(session: Session, talk: Talk, form: Form, *, seen: int | str | None = None) -> Page:
    """Return the page of a talk; `seen` is the revision that its form was made of, if not the one there is."""
    reason = reasons_given(session, [talk]).get(talk.id)
    taken = talk.event.call.kinds if talk.event.call else []
    return own_page(
        template="me/talk.html",
        title=talk.title,
        talk=talk,
        where=progress_of(talk, reason, now=now()),
        is_public=is_public(talk),
        form=form,
        seen=seen or talk.revision,
        editable=talk.state in UNDECIDED,
        steps=[step.value for step in sorted(SPEAKERS_STEPS) if talk.state in STEPS[step].sources],
        done=said_after(
            {
                "saved": _("It is saved."),
                "submitted": _("It is done."),
                Step.SUBMIT: _("It is submitted."),
                Step.CONFIRM: _("It is confirmed. Thank you!"),
                Step.WITHDRAW: _("It is withdrawn."),
            }
        ),
        **talk_choices(talk.event, dict.fromkeys([talk.kind.value, *taken]), talk.starts, talk.ends),
    )
