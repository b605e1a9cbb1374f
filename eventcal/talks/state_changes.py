"""Services for changing the state of talks, and for bulk changes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy.orm import Session

from eventcal.events.enums import Programme
from eventcal.events.errors import InvalidTransition
from eventcal.events.models import Event
from eventcal.events.queries import can_manage_event, check_can_manage_event, ensure_event_loaded
from eventcal.events.state_changes import publish_event
from eventcal.kit.errors import DomainError, FieldError, Forbidden, Invalid, Message, VersionConflict, raise_if_invalid
from eventcal.kit.translations import LANGUAGES, translate
from eventcal.members.caller import Caller
from eventcal.members.models import Member
from eventcal.members.permission_checks import check_moderator
from eventcal.members.service import check_email_confirmed
from eventcal.outbox.enums import MailKind
from eventcal.outbox.service import MailTopic, queue_mail
from eventcal.talks.errors import BulkActionFailed
from eventcal.talks.fields import TalkFields
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk, is_submitter_or_speaker, list_submitted_talk_ids
from eventcal.talks.rules import (
    ORGANISER_ACTIONS,
    SPEAKER_ACTIONS,
    TALK_TRANSITIONS,
    TalkAction,
    recompute_talk_columns,
)
from eventcal.talks.service import check_accepts_talks, edit_talk, record_state_change


@dataclass(frozen=True)
class BulkChoice:
    """A talk selected for a bulk change, with the revision that was shown to the user."""

    talk: Talk
    seen_revision: str


@dataclass(frozen=True)
class TalkEdit(BulkChoice):
    """Changes to a talk in a bulk edit. `errors` contains the field errors found while parsing the form."""

    fields: TalkFields
    errors: Sequence[FieldError] = ()


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
    TALK_TRANSITIONS[action].check(talk.state, InvalidTransition(detail))
    if action == TalkAction.SUBMIT:
        ensure_event_loaded(session, talk.event)
        check_accepts_talks(talk.event, caller=caller, now=now)
    from_state, talk.state = talk.state, TALK_TRANSITIONS[action].target
    record_state_change(session, talk, from_state, caller=caller, now=now, reason=reason)
    recompute_talk_columns(talk, now=now)
    submitter = session.get(Member, talk.submitter_id) if talk.submitter_id and action not in SPEAKER_ACTIONS else None
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
    return (
        Message("put on the waiting list") if action == TalkAction.WAITLIST else TALK_TRANSITIONS[action].target.label
    )


def check_can_decide_on_talks(event: Event, caller: Caller) -> None:
    """Raise NotSignedIn or Forbidden unless the caller is allowed to decide on the talks of this event."""
    if event.programme == Programme.LISTED:
        check_moderator(caller)
    else:
        check_can_manage_event(event, caller)


def can_decide_on_talks(event: Event, caller: Caller) -> bool:
    return caller.is_moderator if event.programme == Programme.LISTED else can_manage_event(event, caller)


def allowed_organiser_actions(talk: Talk, caller: Caller) -> tuple[TalkAction, ...]:
    if not can_decide_on_talks(talk.event, caller):
        return ()
    return tuple(step for step in ORGANISER_ACTIONS if talk.state in TALK_TRANSITIONS[step].sources)


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
    for one in choices:
        try:
            change(one)
        except (InvalidTransition, Invalid, VersionConflict) as error:
            refused[one.talk.id] = error
    if refused:
        raise BulkActionFailed(refused)


def _check_revision_seen(choice: BulkChoice, revision: int) -> None:
    if choice.seen_revision != str(revision):
        raise VersionConflict(Message("Someone else has changed this talk in the meantime."))
