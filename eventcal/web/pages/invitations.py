"""Pages for answering invitations: the page behind the emailed link, and the form on the member's own page."""

from http import HTTPStatus
from urllib.parse import quote

from flask import redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.invitations.errors import InvitationAnswered, InvitationExpired
from eventcal.invitations.models import Invitation
from eventcal.invitations.queries import get_invitation_by_token, get_own_invitation
from eventcal.invitations.rules import check_can_answer
from eventcal.invitations.service import accept_invitation, decline_invitation
from eventcal.web.i18n import translate_error
from eventcal.web.identity.current_user import caller, check_csrf, current_member
from eventcal.web.identity.permissions import public
from eventcal.web.rendering.dates import format_instant_utc
from eventcal.web.rendering.labels import TEAM_ROLE_LABELS
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import login_required, secret_page_response
from eventcal.web.request.context import now, read_session, unit_of_work
from eventcal.web.request.rate_limits import count_email_token


@pages.get("/invitations/<token>")
@public
def invitation(token: str) -> Response:
    """Show an invitation. Only the member with the invited address can accept it; others see what to do first."""
    with read_session() as session:
        found = get_invitation_by_token(session, token)
        reader = current_member(session) if caller().is_signed_in else None
        return secret_page_response(
            template="invitation.html",
            title=_("Invitation"),
            status=HTTPStatus.OK,
            invitation=found,
            role=TEAM_ROLE_LABELS[found.role],
            expires=format_instant_utc(found.expires_at),
            closed=_find_closed_message(found),
            reader=reader,
            is_invited=reader is not None and reader.email_key == found.email_key,
            is_confirmed=caller().email_confirmed,
            next=quote(request.path, safe=""),
        )


@pages.post("/invitations/<token>")
@public
def answer_invitation_by_token(token: str) -> Response:
    """Accept an invitation as the signed-in member, or decline the invitation, which requires no account."""
    check_csrf()
    count_email_token()
    with unit_of_work() as session:
        return redirect(_answer(session, get_invitation_by_token(session, token)), HTTPStatus.SEE_OTHER)


@pages.post("/me/invitations/<invitation_id>")
@login_required
def answer_own_invitation(invitation_id: str) -> Response:
    with unit_of_work() as session:
        found = get_own_invitation(session, invitation_id, member=current_member(session), caller=caller())
        return redirect(_answer(session, found), HTTPStatus.SEE_OTHER)


def _find_closed_message(invitation: Invitation) -> str | None:
    """Return the reason why an invitation can no longer be answered, or None."""
    try:
        check_can_answer(invitation.state, invitation.expires_at, now=now())
    except (InvitationAnswered, InvitationExpired) as error:
        return translate_error(error)
    return None


def _answer(session: Session, invitation: Invitation) -> str:
    """Accept or decline an invitation, depending on the clicked button, and return the path of the next page."""
    if request.form.get("do") == "accept":
        accept_invitation(session, invitation, member=current_member(session), caller=caller(), now=now())
        return url_for("pages.submissions", slug=invitation.event.slug)
    decline_invitation(session, invitation, now=now())
    return url_for("pages.my_talks", done="declined") if caller().is_signed_in else request.path
