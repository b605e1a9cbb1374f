"""Blanking a talk that is spam, or says what it must not: moderators do, after a look at what will be gone."""

from http import HTTPStatus

from flask import redirect
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.events.queries import get_reviewed_event
from eventcal.members.rules import check_moderator
from eventcal.talks.queries import is_public
from eventcal.talks.service import redact_talk
from eventcal.talks.submissions import get_offered
from eventcal.web.identity.permissions import caller
from eventcal.web.pages.organise.layout import section_page
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import answer_page, signed_in
from eventcal.web.request.context import now, reading, unit_of_work


@pages.get("/organise/<slug>/talks/<talk_id>/redact")
@signed_in
def redacting_talk(slug: str, talk_id: str) -> Response:
    """Ask a moderator whether a talk's text is to be removed everywhere, and say what that means."""
    with reading() as session:
        event = get_reviewed_event(session, slug, caller())
        check_moderator(caller())
        talk = get_offered(session, event, talk_id, caller())
        if talk.redacted_at is not None:
            return redirect(f"/organise/{slug}/talks/{talk_id}", HTTPStatus.SEE_OTHER)
        title = _("Remove this talk's text?")
        page = section_page(
            event, template="redact_talk.html", title=title, within=True, talk=talk, is_public=is_public(talk)
        )
        return answer_page(page)


@pages.post("/organise/<slug>/talks/<talk_id>/redact")
@signed_in
def redact_now(slug: str, talk_id: str) -> Response:
    """Remove a talk's text everywhere; what is left of a public one stands as cancelled."""
    with unit_of_work() as session:
        event = get_reviewed_event(session, slug, caller())
        redact_talk(session, get_offered(session, event, talk_id, caller()), caller=caller(), now=now())
    return redirect(f"/organise/{slug}/talks/{talk_id}?done=redacted", HTTPStatus.SEE_OTHER)
