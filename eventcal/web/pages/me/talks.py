"""A member's own pages: their talks and what becomes of them, each to be changed, withdrawn or confirmed."""

from http import HTTPStatus

from flask import redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.queries import complete_event
from eventcal.kit.paging import LARGEST_LIMIT, Paging
from eventcal.kit.refusals import NotFound, Refusal, Sentence
from eventcal.talks import service
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk, is_own, is_public, list_own_talks, reasons_given
from eventcal.talks.rules import SPEAKERS_STEPS, STEPS, UNDECIDED, Step
from eventcal.talks.steps import Edit, edit_as_seen, take_step
from eventcal.web.identity.current_user import caller, current_member
from eventcal.web.pages.me.layout import answer_own_page, form_view
from eventcal.web.pages.me.talk_progress import grouped, progress_of
from eventcal.web.rendering.forms import Form, said_after, validate
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import signed_in
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
        return answer_own_page(
            template="me/talks.html",
            title=_("My talks"),
            member=current_member(session),
            groups=grouped(found.items, reasons_given(session, found.items), now=now()),
            next=found.next,
        )


@pages.get("/me/talks/<talk_id>")
@signed_in
def my_talk(talk_id: str, form: Form | None = None, status: int = HTTPStatus.OK) -> Response:
    """Show a member one of their talks: where it stands, what can be done, and the form to change it."""
    with reading() as session:
        talk = _own(session, talk_id)
        reason = reasons_given(session, [talk]).get(talk.id)
        taken = talk.event.call.kinds if talk.event.call else []
        # If the talk has changed meanwhile, the page says so, and the form may now be saved over it.
        keeps_revision = form is not None and status != HTTPStatus.PRECONDITION_FAILED
        return answer_own_page(
            template="me/talk.html",
            title=talk.title,
            status=status,
            talk=talk,
            where=progress_of(talk, reason, now=now()),
            is_public=is_public(talk),
            form=form or form_of(talk),
            seen=(keeps_revision and request.form.get("revision")) or talk.revision,
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


@pages.get("/me/talks/<talk_id>/withdraw")
@signed_in
def withdrawing(talk_id: str) -> Response:
    """Ask whether a talk is to be withdrawn, and say what that means."""
    with reading() as session:
        talk = _own(session, talk_id)
        if talk.state not in STEPS[Step.WITHDRAW].sources:
            return redirect(url_for("pages.my_talk", talk_id=talk_id), HTTPStatus.SEE_OTHER)
        title = _("Withdraw this talk?")
        return answer_own_page(template="me/withdraw.html", title=title, talk=talk, is_public=is_public(talk))


@pages.post("/me/talks/<talk_id>")
@signed_in
@form_view(my_talk, catch=(Refusal,))
def change_my_talk(talk_id: str) -> str:
    """Change a talk as typed, or take the step whose button was pressed."""
    asked = request.form.get("do", "save")
    with unit_of_work() as session:
        talk = _own(session, talk_id)
        if asked in {step.value for step in SPEAKERS_STEPS}:
            take_step(session, talk, Step(asked), caller=caller(), reason=None, now=now())
            return url_for("pages.my_talk", talk_id=talk_id, done=asked)
        fields = validate(_PATCH, talk_fields(request.form, whole=True))
        service.check_may_edit(talk, caller())
        edit = Edit(talk, request.form.get("revision", ""), fields)
        edit_as_seen(session, edit, caller=caller(), now=now())
    return url_for("pages.my_talk", talk_id=talk_id, done="saved")


def _own(session: Session, talk_id: str) -> Talk:
    """Return a talk that the caller offered or gives. Raises NoSuchTalk, and NotFound for somebody else's."""
    talk = get_talk(session, talk_id, caller())
    if not is_own(talk, caller()):
        raise NotFound(Sentence("This is not one of your talks."))
    complete_event(session, talk.event)
    return talk
