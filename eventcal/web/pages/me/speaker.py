"""A member's own profile as a speaker: what the public reads of them, and their portrait."""

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.kit.refusals import NotFound, Sentence
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import find_by_member
from eventcal.web.identity.current_user import current_member_id
from eventcal.web.media import takes_up_to
from eventcal.web.rendering.forms import LARGEST_FORM, Form, said_after
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, own_page, signed_in
from eventcal.web.rendering.speaker_form import form_of_speaker, handle_speaker_form, speaker_values
from eventcal.web.request.context import reading


@pages.get("/me/speaker")
@signed_in
def my_profile() -> Response:
    """Show a member who they are to the public, to be changed; without a talk yet, when that will be."""
    with reading() as session:
        speaker = find_by_member(session, current_member_id())
        if speaker is None:
            return answer_page(own_page(template="me/no_speaker.html", title=_("Speaker profile")))
        return answer_page(_page(speaker, form_of_speaker(speaker)))


@pages.post("/me/speaker")
@takes_up_to(LARGEST_FORM)
@signed_in
def change_my_profile() -> Response:
    """Save a member's profile as typed."""
    return handle_speaker_form(_own, url_for("pages.my_profile"), render_form=_page)


def _own(session: Session) -> Speaker:
    speaker = find_by_member(session, current_member_id())
    if speaker is None:
        raise NotFound(Sentence("You have no speaker profile yet: it comes with your first talk."))
    return speaker


def _page(speaker: Speaker, form: Form) -> Page:
    return own_page(
        template="me/speaker.html",
        title=_("Speaker profile"),
        done=said_after({"saved": _("It is saved.")}),
        **speaker_values(speaker, form),
    )
