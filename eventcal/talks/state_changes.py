"""Services for changing the state of talks, and for bulk changes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.enums import Programme
from eventcal.events.errors import InvalidTransition
from eventcal.events.models import Event
from eventcal.events.queries import (
    can_manage_event,
    check_can_manage_event,
    ensure_event_loaded,
    get_event_for_reviewer,
)
from eventcal.events.state_changes import publish_event
from eventcal.kit.errors import (
    DomainError,
    FieldError,
    Forbidden,
    Invalid,
    Message,
    VersionConflict,
    raise_if_invalid,
    require,
)
from eventcal.kit.translations import LANGUAGES, translate
from eventcal.members.caller import Caller
from eventcal.members.models import Member
from eventcal.members.permission_checks import check_moderator
from eventcal.members.service import check_email_confirmed
from eventcal.outbox.enums import MailKind
from eventcal.outbox.service import MailTopic, queue_mail
from eventcal.talks.enums import TalkState
from eventcal.talks.errors import BulkActionFailed, TalkNotFound
from eventcal.talks.fields import TalkFields
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk, is_submitter_or_speaker, list_submitted_talk_ids
from eventcal.talks.rules import (
    ACTION_SOURCES,
    ORGANISER_ACTIONS,
    SPEAKER_ACTIONS,
    TALK_TRANSITIONS,
    TalkAction,
    recompute_talk_columns,
)
from eventcal.talks.service import check_accepts_talks, edit_talk, record_state_change
from eventcal.talks.submission_queries import find_previous_state, list_submissions_by_id


@dataclass(frozen=True)
class BulkChoice:
    """A talk selected for a bulk change, with the revision that was shown to the user, or None for any revision."""

    talk: Talk
    seen_revision: str | None = None


@dataclass(frozen=True)
class TalkEdit(BulkChoice):
    """Changes to a talk in a bulk edit. `errors` contains the field errors found while parsing the form."""

    fields: TalkFields = field(kw_only=True)
    errors: Sequence[FieldError] = field(default=(), kw_only=True)


AnyChoice = TypeVar("AnyChoice", bound=BulkChoice)


def apply_talk_action(
    session: Session, talk: Talk, action: TalkAction, *, caller: Caller, reason: str | None, now: datetime
) -> Talk:
    """Apply an action to a talk, record the state change, and notify the submitter of an organiser's decision by email.

    Raises Forbidden or InvalidTransition. `submit` can also raise EmailNotConfirmed, EventEnded or TalksClosed.
    """
    check_can_apply_action(talk, action, caller)
    words = {"state": talk.state.label, "done": _action_label(action)}
    detail = Message("A talk with the state “%(state)s” cannot be %(done)s.", **words)
    if talk.state not in ACTION_SOURCES[action]:
        raise InvalidTransition(detail)
    if action == TalkAction.SUBMIT:
        ensure_event_loaded(session, talk.event)
        check_accepts_talks(talk.event, caller=caller, now=now)
    from_state, talk.state = talk.state, _get_target_state(session, talk, action)
    record_state_change(session, talk, from_state, caller=caller, now=now, reason=reason)
    recompute_talk_columns(talk, now=now)
    is_own_action = action in SPEAKER_ACTIONS or (
        from_state == TalkState.WITHDRAWN and is_submitter_or_speaker(talk, caller)
    )
    submitter = session.get(Member, talk.submitter_id) if talk.submitter_id and not is_own_action else None
    if submitter is not None and submitter.active:
        _queue_decision_email(session, talk, action, submitter=submitter, reason=reason, now=now)
    session.flush()
    return talk


def publish_event_with_talks(session: Session, event: Event, *, caller: Caller, now: datetime) -> Event:
    """Publish a pending listed event, and accept the talks that its proposer has submitted.

    Raises NotSignedIn, Forbidden, InvalidTransition, or Invalid if the event is curated.
    """
    check_moderator(caller)
    if event.programme != Programme.LISTED:
        detail = Message("is only possible for a listed event, because the team of a curated event selects the talks")
        raise Invalid(errors=[FieldError("/with_talks", detail)])
    publish_event(session, event, caller=caller)
    for talk_id in list_submitted_talk_ids(session, event, submitter_id=event.proposer_id):
        talk = get_talk(session, talk_id, caller)
        apply_talk_action(session, talk, TalkAction.ACCEPT, caller=caller, reason=None, now=now)
    return event


def get_talk_for_action(session: Session, talk_id: str, caller: Caller, *, action: TalkAction) -> Talk:
    """Return a talk to which the caller is allowed to apply the action.

    Raises TalkNotFound, NotSignedIn, Forbidden or EmailNotConfirmed.
    """
    talk = get_talk(session, talk_id, caller)
    check_can_apply_action(talk, action, caller)
    return talk


def check_can_apply_action(talk: Talk, action: TalkAction, caller: Caller) -> None:
    """Raise NotSignedIn, Forbidden or EmailNotConfirmed unless the caller is allowed to apply the action."""
    if action == TalkAction.REINSTATE and talk.state == TalkState.WITHDRAWN and is_submitter_or_speaker(talk, caller):
        return
    if action not in SPEAKER_ACTIONS:
        check_can_decide_on_talks(talk.event, caller)
    elif not is_submitter_or_speaker(talk, caller):
        raise Forbidden(Message("Only the submitter or a speaker of this talk may do this."))
    if action == TalkAction.SUBMIT:
        check_email_confirmed(caller)


def _queue_decision_email(
    session: Session, talk: Talk, action: TalkAction, *, submitter: Member, reason: str | None, now: datetime
) -> None:
    language = submitter.language or next(iter(LANGUAGES))
    subject, text = render_decision_email(talk, action, reason=reason, language=language)
    queue_mail(
        session,
        MailKind.DECISION,
        to=submitter.email,
        subject=subject,
        text=text,
        link_path=f"/me/talks/{talk.id}",
        about=MailTopic(event_id=talk.event_id, talk_id=talk.id),
        now=now,
    )


def render_decision_email(talk: Talk, action: TalkAction, *, reason: str | None, language: str) -> tuple[str, str]:
    """Return the subject and the text of the email about a decision, without the link to the talk."""
    about: dict[str, object] = {"title": talk.title, "done": _action_label(action)}
    said: list[str] = [Message("“%(title)s” for %(event)s has been %(done)s.", event=talk.event.title, **about)]
    if action == TalkAction.ACCEPT and talk.event.programme == Programme.CURATED:
        said.append(Message("Please confirm that you will give the talk. It is published when you have confirmed it."))
    if reason:
        said.append(reason)
    subject = translate(Message("%(title)s: %(done)s", **about), language)
    return subject, "\n\n".join(translate(sentence, language) for sentence in said)


def _action_label(action: TalkAction) -> str:
    if action == TalkAction.WAITLIST:
        return Message("put on the waiting list")
    return Message("reinstated") if action == TalkAction.REINSTATE else TALK_TRANSITIONS[action].target.label


def _get_target_state(session: Session, talk: Talk, action: TalkAction) -> TalkState:
    """Return the state after an action. Raises InvalidTransition if an erased talk is to be reinstated."""
    if action != TalkAction.REINSTATE:
        return TALK_TRANSITIONS[action].target
    previous = None if talk.redacted_at is not None else find_previous_state(session, talk)
    return require(previous, InvalidTransition(Message("The state of this talk before that is not known.")))


def check_can_decide_on_talks(event: Event, caller: Caller) -> None:
    """Raise NotSignedIn or Forbidden unless the caller is allowed to decide on the talks of this event."""
    if event.programme == Programme.LISTED:
        check_moderator(caller)
    else:
        check_can_manage_event(event, caller)


def get_event_to_decide(session: Session, slug: str, caller: Caller) -> Event:
    """Return an event on whose talks the caller may decide. Raises EventNotFound, NotSignedIn or Forbidden."""
    event = get_event_for_reviewer(session, slug, caller)
    check_can_decide_on_talks(event, caller)
    return event


def can_decide_on_talks(event: Event, caller: Caller) -> bool:
    return caller.is_moderator if event.programme == Programme.LISTED else can_manage_event(event, caller)


def allowed_organiser_actions(talk: Talk, caller: Caller) -> tuple[TalkAction, ...]:
    if not can_decide_on_talks(talk.event, caller):
        return ()
    actions = (step for step in ORGANISER_ACTIONS if talk.state in ACTION_SOURCES[step])
    return tuple(step for step in actions if step != TalkAction.REINSTATE or talk.redacted_at is None)


def allowed_speaker_actions(talk: Talk) -> tuple[TalkAction, ...]:
    """Return the actions of the submitter and the speakers, who may reinstate a withdrawn talk."""
    actions = tuple(step for step in sorted(SPEAKER_ACTIONS) if talk.state in ACTION_SOURCES[step])
    is_withdrawn = talk.state == TalkState.WITHDRAWN and talk.redacted_at is None
    return (*actions, TalkAction.REINSTATE) if is_withdrawn else actions


def delete_draft(session: Session, talk: Talk, *, caller: Caller) -> None:
    """Delete a talk that was never submitted. Raises Forbidden or InvalidTransition."""
    check_is_submitter(talk, caller)
    if talk.state != TalkState.DRAFT:
        detail = Message("Only a draft can be deleted. This talk is %(state)s.", state=talk.state.label)
        raise InvalidTransition(detail)
    # Other drafts of the submitter can be reprises of this one.
    for reprise in session.scalars(select(Talk).where(Talk.reprise_of_id == talk.id)):
        reprise.reprise_of_id = None
    session.delete(talk)
    session.flush()


def get_draft_to_delete(session: Session, talk_id: str, caller: Caller) -> Talk:
    """Return a talk that the caller submitted. Raises TalkNotFound or Forbidden."""
    talk = get_talk(session, talk_id, caller)
    check_is_submitter(talk, caller)
    return talk


def check_is_submitter(talk: Talk, caller: Caller) -> None:
    """Raise Forbidden unless the caller submitted the talk."""
    if caller.member_id is None or talk.submitter_id != caller.member_id:
        raise Forbidden(Message("Only the submitter may delete this draft."))


def can_edit_talk_as_organiser(talk: Talk, caller: Caller) -> bool:
    return can_manage_event(talk.event, caller) and (caller.is_moderator or talk.redacted_at is None)


def apply_action_to_talks(
    session: Session,
    choices: Sequence[BulkChoice],
    action: TalkAction,
    *,
    caller: Caller,
    reason: str | None,
    now: datetime,
) -> None:
    """Apply an action to several talks. Raises Forbidden, or BulkActionFailed with an error for each failed talk."""

    def apply_action(choice: BulkChoice) -> None:
        revision = choice.talk.revision
        apply_talk_action(session, choice.talk, action, caller=caller, reason=reason, now=now)
        _check_revision_seen(choice, revision)

    _change_all_or_fail(choices, apply_action)


def decide_on_talks(
    session: Session,
    event: Event,
    talk_ids: Sequence[str],
    *,
    action: TalkAction,
    caller: Caller,
    reason: str | None,
    now: datetime,
) -> list[Talk]:
    """Apply an action to submissions of an event. Raises NotSignedIn, Forbidden or BulkActionFailed."""
    check_can_decide_on_talks(event, caller)
    talks = list_submissions_by_id(session, event, talk_ids)
    known = {talk.id for talk in talks}
    unknown = {talk_id: TalkNotFound(talk_id) for talk_id in talk_ids if talk_id not in known}
    if unknown:
        found = [(position, unknown.get(talk_id)) for position, talk_id in enumerate(talk_ids)]
        errors = [FieldError(f"/talks/{position}", error.detail) for position, error in found if error is not None]
        raise BulkActionFailed(unknown, errors=errors)
    choices = [BulkChoice(talk) for talk in talks]
    apply_action_to_talks(session, choices, action, caller=caller, reason=reason, now=now)
    return talks


def edit_talks(session: Session, edits: Sequence[TalkEdit], *, caller: Caller, now: datetime) -> None:
    """Update several talks. Raises Forbidden, or BulkActionFailed with an error for each failed talk."""
    _change_all_or_fail(edits, partial(edit_talk_if_unchanged, session, caller=caller, now=now))


def edit_talk_if_unchanged(session: Session, edit: TalkEdit, *, caller: Caller, now: datetime) -> None:
    """Update a talk unless its revision has changed. Raises Forbidden, VersionConflict, or Invalid with all errors."""
    _check_revision_seen(edit, edit.talk.revision)
    errors = list(edit.errors)
    try:
        edit_talk(session, edit.talk, edit.fields, caller=caller, now=now)
    except Invalid as error:
        errors += error.errors
    raise_if_invalid(errors)


def _change_all_or_fail(choices: Iterable[AnyChoice], change: Callable[[AnyChoice], None]) -> None:
    refused: dict[str, DomainError] = {}
    errors: list[FieldError] = []
    for position, one in enumerate(choices):
        try:
            change(one)
        except (InvalidTransition, Invalid, VersionConflict) as error:
            refused[one.talk.id] = error
            errors.append(FieldError(f"/talks/{position}", error.detail))
    if refused:
        raise BulkActionFailed(refused, errors=errors)


def _check_revision_seen(choice: BulkChoice, revision: int) -> None:
    if choice.seen_revision not in {None, str(revision)}:
        raise VersionConflict(Message("Someone else has changed this talk in the meantime."))
