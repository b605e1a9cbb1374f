"""The talk page for organisers and reviewers: submission, history, available actions and edit form."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.events.queries import check_can_manage_event, get_event_for_reviewer
from eventcal.kit.errors import DomainError, FieldError, Unavailable, VersionConflict
from eventcal.members.permission_checks import check_moderator
from eventcal.talks import state_changes
from eventcal.talks.models import Talk
from eventcal.talks.queries import find_talk, is_public
from eventcal.talks.service import redact_talk
from eventcal.talks.submission_queries import get_submission, list_state_changes, submission_times, submitters_to_notify
from eventcal.web.i18n import translate
from eventcal.web.identity.current_user import caller
from eventcal.web.pages.organise import layout
from eventcal.web.pages.organise.labels import TALK_STATE_LABELS, TALK_STEP_LABELS, talk_row
from eventcal.web.pages.organise.submissions import find_decision_denied_reason, find_decision_success_message
from eventcal.web.rendering import forms, talk_form
from eventcal.web.rendering.dates import format_instant, format_times
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_rejected, form_view, login_required, page_response
from eventcal.web.request.context import now, unit_of_work
from eventcal.web.schemas.talks import TalkPatch

_PATCH = TalkPatch()
_TIME_FIELDS = ("starts", "ends")


@pages.get("/organise/<slug>/talks/<talk_id>")
@login_required
def submitted_talk(slug: str, talk_id: str) -> Response:
    with layout.open_event_session(slug, get_event=get_event_for_reviewer) as (session, event):
        talk = get_submission(session, event, talk_id, caller=caller())
        return page_response(_build_talk_page(session, event, talk, form=_build_organiser_talk_form(talk)))


def _render_talk_error(error: DomainError, slug: str, talk_id: str) -> Response:
    message = _("Somebody else changed this talk meanwhile. Look at what stands there now; if you save, yours will.")
    with layout.open_event_session(slug, get_event=get_event_for_reviewer) as (session, event):
        talk = get_submission(session, event, talk_id, caller=caller())
        data, errors = request.form.copy(), forms.field_errors(error)
        if isinstance(error, VersionConflict):
            # The page shows the current values, so that the user can submit the form again to overwrite them.
            data.setlist("revision", [str(talk.revision)])
            conflicts = forms.iter_differing_field_errors(_build_organiser_talk_form(talk).values, data)
            moved = [FieldError(conflict.pointer.removesuffix("_time"), conflict.detail) for conflict in conflicts]
            errors = (FieldError("", message), *moved)
        return answer_rejected(_build_talk_page(session, event, talk, form=forms.rejected_form(data, errors)), error)


@pages.post("/organise/<slug>/talks/<talk_id>")
@login_required
@form_view(_render_talk_error)
def save_talk(slug: str, talk_id: str) -> str:
    """Save changes to a talk unless another user has changed the talk since the form was rendered."""
    with layout.changing_event(slug, find=get_event_for_reviewer) as (session, event):
        check_can_manage_event(event, caller())
        talk = get_submission(session, event, talk_id, caller=caller())
        # Fields that were not edited in the form are left unchanged.
        before = _parse_organiser_talk_form(forms.FormData(_build_organiser_talk_form(talk).values))
        sent = _parse_organiser_talk_form(request.form)
        body = {name: value for name, value in sent.items() if name not in before or value != before[name]}
        edit = build_talk_edit(talk, body, request.form.get("revision", ""))
        state_changes.edit_talk_if_unchanged(session, edit, caller=caller(), now=now())
    return url_for("pages.submitted_talk", slug=slug, talk_id=talk_id, done="saved")


@pages.get("/organise/<slug>/talks/<talk_id>/redact")
@login_required
def confirm_redact_talk(slug: str, talk_id: str) -> Response:
    with layout.open_event_session(slug, get_event=get_event_for_reviewer) as (session, event):
        check_moderator(caller())
        talk = get_submission(session, event, talk_id, caller=caller())
        if talk.redacted_at is not None:
            return redirect(url_for("pages.submitted_talk", slug=slug, talk_id=talk_id), HTTPStatus.SEE_OTHER)
        values = {"talk": talk, "is_public": is_public(talk)}
        return layout.confirm_page(
            event, "submissions", "redact_talk.html", title=_("Remove this talk's text?"), **values
        )


@pages.post("/organise/<slug>/talks/<talk_id>/redact")
@login_required
@form_view(_render_talk_error, catch=(Unavailable,))
def redact_submitted_talk(slug: str, talk_id: str) -> str:
    """Erase the text of a talk. A public talk is shown as cancelled after its text has been erased."""
    with unit_of_work() as session:
        event = get_event_for_reviewer(session, slug, caller())
        redact_talk(session, get_submission(session, event, talk_id, caller=caller()), caller=caller(), now=now())
    return url_for("pages.submitted_talk", slug=slug, talk_id=talk_id, done="redacted")


def build_talk_edit(talk: Talk, body: Mapping[str, Any], revision: str) -> state_changes.TalkEdit:
    """Return a TalkEdit with the given revision, the valid fields of a request body, and the errors in the body."""
    fields, errors = forms.load_with_errors(_PATCH, body)
    if errors:
        invalid = {error.pointer.split("/")[1] for error in errors if error.pointer}
        # The end of a talk can only be validated together with its start.
        invalid |= set(_TIME_FIELDS) if invalid & set(_TIME_FIELDS) else set()
        fields, _none = forms.load_with_errors(
            _PATCH, {name: value for name, value in body.items() if name not in invalid}
        )
    return state_changes.TalkEdit(talk, revision, fields=fields, errors=tuple(errors))


def _parse_organiser_talk_form(data: forms.FormData) -> dict[str, Any]:
    body = talk_form.parse_talk_form(data, for_update=True)
    if "room" in data:
        body["room"] = data["room"] or None
    return body


def _build_organiser_talk_form(talk: Talk) -> forms.Form:
    room = talk.room.name if talk.room else ""
    return forms.Form({**talk_form.build_talk_form(talk).values, "room": room, "revision": str(talk.revision)})


def _build_talk_page(session: Session, event: Event, talk: Talk, *, form: forms.Form) -> Page:
    tzid, submitter = event.timezone, submitters_to_notify(session, [talk]).get(talk.id)
    kinds = dict.fromkeys([talk.kind.value, *talk_form.accepted_talk_kinds(event)])
    return layout.render_section(
        event,
        section="submissions",
        template="talk.html",
        title=talk.title,
        within=True,
        **talk_row(talk),
        when=format_times(talk),
        submitted=format_instant(submission_times(session, [talk])[talk.id], tzid=tzid),
        submitter=submitter.name if submitter else None,
        earlier=find_talk(session, talk.reprise_of_id, caller()) if talk.reprise_of_id else None,
        is_public=is_public(talk),
        history=[
            {
                "state": translate(TALK_STATE_LABELS[step.to_state]),
                "when": format_instant(step.created_at, tzid=tzid),
                "by": member.name if member else None,
                "reason": step.reason,
            }
            for step, member in list_state_changes(session, talk)
        ],
        steps=[(step, TALK_STEP_LABELS[step]) for step in state_changes.allowed_organiser_actions(talk, caller())],
        why_not=find_decision_denied_reason(event),
        can_redact=caller().is_moderator and talk.redacted_at is None,
        editable=state_changes.can_edit_talk_as_organiser(talk, caller()),
        form=form,
        done=forms.done_message({"saved": _("It is saved."), "redacted": _("Its text is removed everywhere.")})
        or find_decision_success_message(),
        kinds=talk_form.talk_kind_choices(kinds),
        tracks=talk_form.room_or_track_choices(event.tracks),
        rooms=talk_form.room_or_track_choices(event.rooms),
        days=forms.day_choices(event, talk.starts, talk.ends),
        zone=tzid,
    )
