"""Ending a member's sessions, by the buttons of the page that lists them."""

from http import HTTPStatus

from flask import redirect
from werkzeug.wrappers import Response

from eventcal.members.sessions import end_session, get_session
from eventcal.web.identity.current_user import (
    current_member_id,
    current_session_id,
    end_other_sessions,
    forget_session,
)
from eventcal.web.identity.permissions import current_member
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import signed_in
from eventcal.web.request.context import now, unit_of_work

_HOME = "/me/security"


@pages.post("/me/security/sessions")
@signed_in
def end_others() -> Response:
    """End every session of the member's but this one."""
    with unit_of_work() as session:
        end_other_sessions(session, current_member(session))
    return redirect(f"{_HOME}?done=sessions", HTTPStatus.SEE_OTHER)


@pages.post("/me/security/sessions/<session_id>")
@signed_in
def end_one(session_id: str) -> Response:
    """End one session of the member's; this one as signing out does."""
    with unit_of_work() as session:
        found = get_session(session, session_id, current_member_id(), now=now())
        end_session(session, found, now=now())
    if session_id == current_session_id():
        forget_session()
        return redirect("/", HTTPStatus.SEE_OTHER)
    return redirect(f"{_HOME}?done=session", HTTPStatus.SEE_OTHER)
