"""The submissions to an event and the page for deciding on several talks."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import urlencode

from flask import redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.enums import PUBLIC_STATUSES, Programme
from eventcal.events.models import Event
from eventcal.events.queries import get_event_for_reviewer
from eventcal.kit.errors import DomainError, FieldError, Message, raise_if_invalid
from eventcal.kit.pagination import MAX_LIMIT, PageRequest
from eventcal.talks import state_changes as talk_steps
from eventcal.talks import submission_queries
from eventcal.talks.enums import TalkState
from eventcal.talks.errors import BulkActionFailed
from eventcal.talks.models import Talk
from eventcal.talks.rules import ACTION_SOURCES, AWAITING_DECISION_STATES, ORGANISER_ACTIONS, TalkAction
from eventcal.web.http.urls import with_query
from eventcal.web.i18n import current_language_code, translate
from eventcal.web.identity.current_user import caller
from eventcal.web.pages.organise import labels, layout
from eventcal.web.rendering.dates import format_instant
from eventcal.web.rendering.forms import Form, field_errors, load_with_errors, normalise_newlines, rejected_form
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_rejected, form_view, login_required, page_response
from eventcal.web.request.context import now, settings
from eventcal.web.schemas.talks import StepIn

_REASON = StepIn()
_WAITS, _ALL = "waiting", "all"
_SUBMITTED_STATES = tuple(state for state in TalkState if state != TalkState.DRAFT)


@pages.get("/organise/<slug>")
@login_required
def submissions(slug: str) -> Response:
    with layout.open_event_session(slug, get_event=get_event_for_reviewer) as (session, event):
        selected, q = request.args.get("state", _WAITS), request.args.get("q", "").strip()
        states: dict[str, Sequence[TalkState]] = {state.value: (state,) for state in _SUBMITTED_STATES}
        states |= {_WAITS: tuple(AWAITING_DECISION_STATES), _ALL: _SUBMITTED_STATES}
        if selected not in states:
            selected = _WAITS
        paging = PageRequest(cursor=request.args.get("cursor"))
        result = submission_queries.list_event_submissions(session, event, states[selected], q=q, paging=paging)
        submitted = submission_queries.submission_times(session, result.items)
        steps = {step for talk in result.items for step in talk_steps.allowed_organiser_actions(talk, caller())}
        page = layout.render_section(
            event,
            section="submissions",
            template="submissions.html",
            title=_("Submissions"),
            asked=selected,
            q=q,
            filters=_state_filters(submission_queries.count_submissions_by_state(session, event)),
            talks=[
                labels.talk_row(
                    talk,
                    submitted=format_instant(submitted[talk.id], tzid=event.timezone),
                    open=bool(talk_steps.allowed_organiser_actions(talk, caller())),
                )
                for talk in result.items
            ],
            next=result.next_cursor,
            steps=[(step, labels.TALK_STEP_LABELS[step]) for step in ORGANISER_ACTIONS if step in steps],
            why_not=find_decision_denied_reason(event),
            is_public=event.status in PUBLIC_STATUSES,
            ticked=request.args.get("tick") == _ALL,
            nothing_ticked=request.args.get("done") == "nothing",
            done=find_decision_success_message(),
        )
        return page_response(page)


def find_decision_success_message() -> str | None:
    """Return the success message for the decision in the query string, or None if the query string has no decision."""
    done = request.args.get("done", "")
    number = layout.find_completed_count(done)
    return None if number is None else labels.find_step_success_message(done, number)


def find_decision_denied_reason(event: Event) -> str | None:
    """Return the reason why the current user cannot decide on the event's talks, or None if decisions are allowed."""
    if talk_steps.can_decide_on_talks(event, caller()):
        return None
    if not caller().can_organise(event.id):
        return str(_("You review this event: you read what was submitted, and its organisers decide."))
    if event.programme == Programme.LISTED:
        return str(_("This event is listed here by the community: a moderator decides which of its talks are shown."))
    return str(_("A moderator removed this event's text: only a moderator decides on its talks now."))


def _state_filters(counts: Mapping[TalkState, int]) -> list[tuple[str, str, int]]:
    """Return the state filters, each with its value, its display name and the number of matching talks."""
    waiting = sum(counts.get(state, 0) for state in AWAITING_DECISION_STATES)
    names = {state: translate(labels.TALK_STATE_LABELS[state]) for state in _SUBMITTED_STATES if state in counts}
    filters = [(state.value, name, counts[state]) for state, name in names.items()]
    return [(_WAITS, _("Waiting for a decision"), waiting), *filters, (_ALL, _("All of them"), sum(counts.values()))]


@pages.get("/organise/<slug>/decide")
@login_required
def confirm_decision(slug: str) -> Response:
    step = layout.get_step(request.args.get("do", ""), ORGANISER_ACTIONS)
    with layout.open_event_session(slug, get_event=talk_steps.get_event_to_decide) as (session, event):
        talks = _get_selected_talks(session, event, request.args.getlist("talk"))
        if not talks:
            return redirect(_return_url(slug, done="nothing"), HTTPStatus.SEE_OTHER)
        eligible_ids = _eligible_talk_ids(talks, step)
        errors = [
            labels.step_error_text(step, talk)
            for talk in talks
            # The selected talks might have changed since the page with the selection was loaded.
            if talk.id not in eligible_ids
            or request.args.get(_revision_field(talk), str(talk.revision)) != str(talk.revision)
        ]
        form = Form(faults={"": errors} if errors else {})
        page = _build_decision_page(session, event, step, talks=talks, selected_ids=eligible_ids, form=form)
        return page_response(page, status=HTTPStatus.CONFLICT if errors else HTTPStatus.OK)


def _render_decision_error(error: DomainError, slug: str) -> Response:
    """Return the page with the error messages. Selected talks remain selected if their state allows the action."""
    step, chosen, data = TalkAction(request.form["do"]), request.form.getlist("talk"), request.form.copy()
    with layout.open_event_session(slug, get_event=talk_steps.get_event_to_decide) as (session, event):
        talks = _get_selected_talks(session, event, request.form.getlist("shown") or chosen)
        failed = [talk for talk in talks if isinstance(error, BulkActionFailed) and talk.id in error.errors_by_talk]
        errors = [FieldError("", labels.step_error_text(step, talk)) for talk in failed] or field_errors(error)
        for talk in failed:
            # The page displays the current states of the talks, so the form can be submitted again.
            data.setlist(_revision_field(talk), [str(talk.revision)])
        ticked, form = _eligible_talk_ids(talks, step) & set(chosen), rejected_form(data, errors)
        page = _build_decision_page(session, event, step, talks=talks, selected_ids=ticked, form=form)
        return answer_rejected(page, error)


@pages.post("/organise/<slug>/decide")
@login_required
@form_view(_render_decision_error)
def decide_selected_talks(slug: str) -> str:
    """Apply an action to all selected talks in one transaction. The given reason is sent to the submitters."""
    step = layout.get_step(request.form.get("do", ""), ORGANISER_ACTIONS)
    with layout.changing_event(slug, find=talk_steps.get_event_to_decide) as (session, event):
        talks = _get_selected_talks(session, event, request.form.getlist("talk"))
        reason = normalise_newlines(request.form.get("reason", "")).strip() or None
        fields, errors = load_with_errors(_REASON, {"reason": reason})
        if not talks:
            errors.append(FieldError("", _("Choose at least one talk.")))
        raise_if_invalid(errors)
        choices = [talk_steps.BulkChoice(talk, request.form.get(_revision_field(talk), "")) for talk in talks]
        talk_steps.apply_action_to_talks(session, choices, step, caller=caller(), reason=fields["reason"], now=now())
    return _return_url(slug, done=step, number=str(len(talks)))


def _get_selected_talks(session: Session, event: Event, talk_ids: Sequence[str]) -> list[Talk]:
    too_many = Message("Decide on at most %(most)s talks at once.", most=MAX_LIMIT)
    return layout.get_talks_of_event(session, event, talk_ids, too_many_message=too_many)


def _eligible_talk_ids(talks: Sequence[Talk], step: TalkAction) -> set[str]:
    return {talk.id for talk in talks if talk.state in ACTION_SOURCES[step]}


def _revision_field(talk: Talk) -> str:
    return f"seen-{talk.id}"


def _return_url(slug: str, **query: str) -> str:
    params = request.values
    if params.get("back") == "talk" and "talk" in params:
        return with_query(url_for("pages.submitted_talk", slug=slug, talk_id=params["talk"]), urlencode(query))
    kept = {name: params[name] for name in ("state", "q") if params.get(name)}
    return with_query(url_for("pages.submissions", slug=slug), urlencode(kept | query))


def _build_decision_page(
    session: Session, event: Event, step: TalkAction, *, talks: Sequence[Talk], selected_ids: set[str], form: Form
) -> Page:
    eligible = [talk for talk in talks if talk.state in ACTION_SOURCES[step]]
    submitters, params = submission_queries.submitters_to_notify(session, eligible), request.values
    notified = [talk for talk in eligible if talk.id in submitters]
    return layout.render_section(
        event,
        section="submissions",
        template="decide.html",
        title=labels.step_confirmation_text(step, len(eligible) or len(talks)),
        within=True,
        step=step.value,
        button=labels.TALK_STEP_LABELS[step],
        talks=[
            labels.talk_row(talk, able=talk in eligible, seen=form.value(_revision_field(talk)) or str(talk.revision))
            for talk in talks
        ],
        ticked=selected_ids,
        can_do=bool(eligible),
        told=len(submitters),
        untold=len(eligible) - len(submitters),
        mail=talk_steps.render_decision_email(notified[0], step, reason=None, language=current_language_code())
        if notified
        else None,
        sends_mail=settings().mail_url is not None,
        # The query parameters of the page to which the redirect returns.
        way_back=[(name, params[name]) for name in ("state", "q", "back") if params.get(name)],
        leads_back=_return_url(event.slug),
        form=form,
    )
