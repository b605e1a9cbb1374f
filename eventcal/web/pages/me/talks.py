"""Pages for a member's talks: submission, progress, editing, withdrawal and confirmation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

import orjson
from flask import redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.enums import EventStatus, Programme
from eventcal.events.filter import Filter, Sort
from eventcal.events.queries import ensure_event_loaded, get_event
from eventcal.feeds.stored_json_queries import list_event_json
from eventcal.invitations.queries import list_own_invitations
from eventcal.kit.errors import Forbidden, Message, NotFound
from eventcal.kit.markdown import to_html
from eventcal.kit.pagination import MAX_LIMIT, PageRequest
from eventcal.members.service import check_email_confirmed
from eventcal.talks import service
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from eventcal.talks.queries import (
    get_talk,
    is_public,
    is_submitter_or_speaker,
    last_state_change_reasons,
    list_own_talks,
)
from eventcal.talks.rules import SPEAKER_ACTIONS, TALK_TRANSITIONS, UNDECIDED_STATES, TalkAction
from eventcal.talks.state_changes import (
    TalkEdit,
    allowed_speaker_actions,
    apply_talk_action,
    delete_draft,
    edit_talk_if_unchanged,
)
from eventcal.web.identity.current_user import SAFE_METHODS, caller, current_member
from eventcal.web.rendering import talk_form
from eventcal.web.rendering.dates import format_instant_utc
from eventcal.web.rendering.forms import Form, done_message, rejected_form, validate
from eventcal.web.rendering.labels import TEAM_ROLE_LABELS, submitter_talk_state_label
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import FORM_ERRORS, form_view, login_required, private_page_response, redisplay
from eventcal.web.request.context import now, read_session, unit_of_work
from eventcal.web.schemas.response_schema import Json
from eventcal.web.schemas.talks import TalkIn, TalkPatch

_PATCH = TalkPatch()
_OVER_GROUP = "over"
# Maps talk states to groups on the overview page. The default group is `_OVER_GROUP`.
_GROUP_BY_STATE: Mapping[TalkState, str] = {
    TalkState.ACCEPTED: "confirm",
    TalkState.DRAFT: "draft",
    TalkState.SUBMITTED: "decision",
    TalkState.WAITLISTED: "decision",
    TalkState.CONFIRMED: "programme",
}
_TALK = TalkIn()
_MOST_CALLS = 100


@dataclass(frozen=True, kw_only=True)
class TalkProgress:
    """The progress of a talk as text: its state, the reason for the state if one was given, and the next step."""

    talk: Talk
    state: str
    reason: str | None
    next: str
    to_confirm: bool


@pages.get("/me")
@login_required
def my_talks() -> Response:
    with read_session() as session:
        paging = PageRequest(limit=MAX_LIMIT, cursor=request.args.get("cursor"))
        page = list_own_talks(session, caller(), paging=paging)
        member = current_member(session)
        invitations = list_own_invitations(
            session, member=member, caller=caller(), paging=PageRequest(limit=MAX_LIMIT), now=now()
        )
        return private_page_response(
            template="me/talks.html",
            title=_("My talks"),
            member=member,
            invitations=[
                {"invitation": row, "role": TEAM_ROLE_LABELS[row.role], "expires": format_instant_utc(row.expires_at)}
                for row in invitations.items
            ],
            groups=group_by_next_step(page.items, last_state_change_reasons(session, page.items), now=now()),
            next=page.next_cursor,
            done=done_message({"declined": _("Invitation declined."), "deleted": _("Draft deleted.")}),
        )


@pages.get("/me/talks/<talk_id>")
@login_required
def my_talk(talk_id: str, form: Form | None = None, status: int = HTTPStatus.OK) -> Response:
    with read_session() as session:
        talk = _get_own_talk(session, talk_id)
        reason = last_state_change_reasons(session, [talk]).get(talk.id)
        kinds = talk.event.call.kinds if talk.event.call else []
        # After an edit conflict (status 412), the form submits the current revision, so saving the form again succeeds.
        keeps_revision = form is not None and status != HTTPStatus.PRECONDITION_FAILED
        return private_page_response(
            template="me/talk.html",
            title=talk.title,
            status=status,
            talk=talk,
            where=build_talk_progress(talk, reason, now=now()),
            is_public=is_public(talk),
            form=form or talk_form.build_talk_form(talk),
            seen=(keeps_revision and request.form.get("revision")) or talk.revision,
            editable=talk.state in UNDECIDED_STATES,
            steps=[step.value for step in allowed_speaker_actions(talk)],
            deletable=talk.state == TalkState.DRAFT and talk.submitter_id == caller().member_id,
            done=done_message(
                {
                    "saved": _("It is saved."),
                    "submitted": _("It is done."),
                    TalkAction.SUBMIT: _("It is submitted."),
                    TalkAction.CONFIRM: _("It is confirmed. Thank you!"),
                    TalkAction.WITHDRAW: _("It is withdrawn."),
                    TalkAction.REINSTATE: _("Talk reinstated."),
                }
            ),
            **talk_form.talk_form_choices(talk.event, dict.fromkeys([talk.kind.value, *kinds]), talk.starts, talk.ends),
        )


@pages.get("/me/talks/<talk_id>/withdraw")
@login_required
def confirm_withdraw_talk(talk_id: str) -> Response:
    with read_session() as session:
        talk = _get_own_talk(session, talk_id)
        if talk.state not in TALK_TRANSITIONS[TalkAction.WITHDRAW].sources:
            return redirect(url_for("pages.my_talk", talk_id=talk_id), HTTPStatus.SEE_OTHER)
        title = _("Withdraw this talk?")
        return private_page_response(template="me/withdraw.html", title=title, talk=talk, is_public=is_public(talk))


@pages.post("/me/talks/<talk_id>")
@login_required
@form_view(redisplay(my_talk), catch=(*FORM_ERRORS, Forbidden))
def change_my_talk(talk_id: str) -> str:
    """Save changes to a talk, or perform the action of the clicked button."""
    action = request.form.get("do", "save")
    with unit_of_work() as session:
        talk = _get_own_talk(session, talk_id)
        if action == "delete":
            delete_draft(session, talk, caller=caller())
            return url_for("pages.my_talks", done="deleted")
        if action in {step.value for step in (*SPEAKER_ACTIONS, TalkAction.REINSTATE)}:
            apply_talk_action(session, talk, TalkAction(action), caller=caller(), reason=None, now=now())
            return url_for("pages.my_talk", talk_id=talk_id, done=action)
        fields = validate(_PATCH, talk_form.parse_talk_form(request.form, for_update=True))
        service.check_can_edit_talk(talk, caller())
        edit = TalkEdit(talk, request.form.get("revision", ""), fields=fields)
        edit_talk_if_unchanged(session, edit, caller=caller(), now=now())
    return url_for("pages.my_talk", talk_id=talk_id, done="saved")


def _get_own_talk(session: Session, talk_id: str) -> Talk:
    """Return a talk that the caller submitted or presents, or raise NotFound."""
    talk = get_talk(session, talk_id, caller())
    if not is_submitter_or_speaker(talk, caller()):
        raise NotFound(Message("This is not one of your talks."))
    ensure_event_loaded(session, talk.event)
    return talk


def build_talk_progress(talk: Talk, reason: str | None, *, now: datetime) -> TalkProgress:
    """Return the progress of a talk. The talk's event must already be loaded."""
    group = _progress_group(talk, now)
    return TalkProgress(
        talk=talk,
        state=submitter_talk_state_label(talk.state),
        reason=reason,
        next=_next_step_text(talk, is_over=group == _OVER_GROUP),
        to_confirm=group == "confirm",
    )


def group_by_next_step(
    talks: Iterable[Talk], reasons: Mapping[str, str], *, now: datetime
) -> list[tuple[str, Sequence[TalkProgress]]]:
    """Group talks by their next step, and return each group with its heading. Talks to be confirmed come first."""
    titles = {
        "confirm": _("To be confirmed by you"),
        "draft": _("Drafts"),
        "decision": _("Waiting for a decision"),
        "programme": _("In the programme"),
        _OVER_GROUP: _("Over"),
    }
    groups: dict[str, list[TalkProgress]] = {group: [] for group in titles}
    for talk in talks:
        groups[_progress_group(talk, now)].append(build_talk_progress(talk, reasons.get(talk.id), now=now))
    return [(title, groups[group]) for group, title in titles.items() if groups[group]]


def _progress_group(talk: Talk, now: datetime) -> str:
    # As on the listing page, talks on the current day (UTC) count as upcoming.
    is_past = talk.last_day < now.astimezone(UTC).date().isoformat()
    is_over = is_past or talk.event.status == EventStatus.CANCELLED
    return _OVER_GROUP if is_over else _GROUP_BY_STATE.get(talk.state, _OVER_GROUP)


def _next_step_text(talk: Talk, *, is_over: bool) -> str:
    if is_over and talk.state in _GROUP_BY_STATE:
        is_cancelled = talk.event.status == EventStatus.CANCELLED
        return _("The event was called off, and this talk with it.") if is_cancelled else _("The event is over.")
    listed, public = talk.event.programme == Programme.LISTED, is_public(talk)
    texts: Mapping[TalkState, str] = {
        TalkState.DRAFT: _("Submit it as long as talks are taken; until then nobody decides on it."),
        TalkState.SUBMITTED: _("A moderator looks at it, and publishes it if it fits; you need not do anything.")
        if listed
        else _("The organisers decide on it; what they decide stands here. You need not do anything."),
        TalkState.WAITLISTED: _("If a place becomes free, it can still be accepted. You need not do anything."),
        TalkState.ACCEPTED: _("Everybody can see it. Confirm that you will give it, or withdraw it.")
        if listed
        else _("Confirm that you will give it: only then it is in the programme."),
        TalkState.CONFIRMED: _("Everybody can see it. If you cannot give it after all, withdraw it.")
        if public
        else _("Everybody will see it once the event is public."),
        TalkState.REJECTED: _("It was not taken this time; you can submit it to another event."),
        TalkState.CANCELLED: _("The organisers called it off; who has it in the calendar sees it as cancelled.")
        if public
        else _("The organisers called it off."),
        TalkState.WITHDRAWN: _("You took it back; who has it in the calendar sees it as cancelled.")
        if public
        else _("You took it back; nobody decides on it any more."),
    }
    return texts[talk.state]


def _talk_form_response(
    form: Form | None = None, status: int = HTTPStatus.OK, *, preview: Json | None = None
) -> Response:
    """Return the response with the talk form for the requested event, or raise EventNotFound."""
    with read_session() as session:
        event = get_event(session, _requested_event_slug(), caller())
        return private_page_response(
            template="submit.html",
            title=_("Submit a talk"),
            status=status,
            event=event,
            form=form or talk_form.build_new_talk_form(event, kind=talk_form.accepted_talk_kinds(event)[0]),
            preview=preview,
            **talk_form.talk_form_choices(event, talk_form.accepted_talk_kinds(event)),
        )


def _requested_event_slug() -> str:
    return (request.args if request.method in SAFE_METHODS else request.form).get("event", "")


@pages.get("/submit")
@login_required
def submit_talk_form() -> Response:
    """Show the talk form for the event in the query string, or the list of events that accept talks."""
    if "event" in request.args:
        return _talk_form_response()
    with read_session() as session:
        paging = PageRequest(limit=_MOST_CALLS)
        page = list_event_json(session, Filter(accepting_talks=True), sort=Sort.STARTS, paging=paging, now=now())
    events = [orjson.loads(text) for text in page.items]
    return private_page_response(template="submit_where.html", title=_("Submit a talk"), events=events)


@pages.post("/submit")
@login_required
@form_view(redisplay(_talk_form_response), catch=(*FORM_ERRORS, Forbidden))
def submit_or_preview_talk() -> str | Response:
    """Submit a talk, save a draft or show a preview, depending on the clicked button."""
    check_email_confirmed(caller())
    fields, pressed = validate(_TALK, talk_form.parse_talk_form(request.form)), request.form.get("do")
    if pressed == "preview":
        preview = {**fields, "abstract_html": to_html(fields.get("abstract") or "")}
        return _talk_form_response(rejected_form(request.form), preview=preview)
    fields["draft"] = pressed == "draft"
    with unit_of_work() as session:
        event, member = get_event(session, _requested_event_slug(), caller()), current_member(session)
        talk = service.submit_talk(session, event, fields, member=member, caller=caller(), now=now())
        return url_for("pages.my_talk", talk_id=talk.id, done="submitted")
