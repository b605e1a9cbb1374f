"""Services that change the state of talks, by the transitions in rules.py, and that change several talks at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from eventcal.events.errors import InvalidTransition
from eventcal.events.models import Event
from eventcal.events.queries import check_decides, decides_for, ensure_event_loaded
from eventcal.events.words import Programme
from eventcal.kit.catalogue import in_every_language
from eventcal.kit.refusals import (
    DomainError,
    FieldError,
    Forbidden,
    Invalid,
    Message,
    VersionConflict,
    raise_if_invalid,
)
from eventcal.members.caller import Caller
from eventcal.members.models import Member
from eventcal.members.rules import check_moderator
from eventcal.members.service import check_confirmed
from eventcal.outbox.service import queue_mail
from eventcal.talks.errors import BulkActionFailed
from eventcal.talks.models import Talk
from eventcal.talks.queries import is_own
from eventcal.talks.rules import ORGANISERS_STEPS, SPEAKERS_STEPS, STEPS, Step, recompute_talk_columns
from eventcal.talks.service import check_window, edit_talk, note_step


@dataclass(frozen=True)
class BulkChoice:
    """A selected talk, with the revision that the user has seen."""

    talk: Talk
    seen: str


@dataclass(frozen=True)
class TalkEdit(BulkChoice):
    """Changes to a talk. `faults` are the field errors found when parsing the form."""

    fields: Mapping[str, Any]
    faults: Sequence[FieldError] = ()


Chosen = TypeVar("Chosen", bound=BulkChoice)


def take_step(session: Session, talk: Talk, step: Step, *, caller: Caller, reason: str | None, now: datetime) -> Talk:
    """Change the state of a talk, record it in the history, and email an organiser's decision to the submitter.

    Raises Forbidden if the caller may not take the step, InvalidTransition if it is not allowed in the talk's state,
    and for `submit` NotConfirmed, EventEnded or TalksClosed.
    """
    if step not in SPEAKERS_STEPS:
        check_decides_on_talks(talk.event, caller)
    elif not is_own(talk, caller):
        raise Forbidden(Message("Only the speaker or whoever submitted this talk may do this."))
    detail = Message("A talk that is %(state)s cannot be %(done)s.", state=talk.state.described, done=_done(step))
    STEPS[step].check(talk.state, InvalidTransition(detail))
    if step == Step.SUBMIT:
        check_confirmed(caller)
        ensure_event_loaded(session, talk.event)
        check_window(talk.event, caller=caller, now=now)
    from_state, talk.state = talk.state, STEPS[step].target
    note_step(session, talk, from_state, caller=caller, now=now, reason=reason)
    recompute_talk_columns(talk, now=now)
    submitter = session.get(Member, talk.submitter_id) if talk.submitter_id and step not in SPEAKERS_STEPS else None
    if submitter is not None and submitter.active:
        subject, text = decision_mail(talk, step, reason=reason)
        queue_mail(session, to=submitter.email, subject=subject, text=text, now=now)
    session.flush()
    return talk


def decision_mail(talk: Talk, step: Step, *, reason: str | None) -> tuple[str, str]:
    """Return subject and text of the email about a decision, in every language, as the recipient's is not known."""
    about: dict[str, object] = {"title": talk.title, "done": _done(step)}
    subject = Message("%(title)s: %(done)s", **about)
    text = Message("“%(title)s” for %(event)s has been %(done)s.", event=talk.event.title, **about)
    said = [*in_every_language(text), *([reason] if reason else [])]
    return " / ".join(in_every_language(subject)), "\n\n".join(said)


def _done(step: Step) -> str:
    return Message("put on the waiting list") if step == Step.WAITLIST else STEPS[step].target.described


def check_decides_on_talks(event: Event, caller: Caller) -> None:
    """Raise NotSignedIn or Forbidden unless the caller decides on this event's talks: moderators if it is listed."""
    if event.programme == Programme.LISTED:
        check_moderator(caller)
    else:
        check_decides(event, caller)


def decides_on_talks(event: Event, caller: Caller) -> bool:
    """Return whether the caller decides on the talks of this event; see `check_decides_on_talks`."""
    return caller.moderates if event.programme == Programme.LISTED else decides_for(event, caller)


def open_steps(talk: Talk, caller: Caller) -> tuple[Step, ...]:
    """Return the organiser steps that the caller may take with this talk now."""
    if not decides_on_talks(talk.event, caller):
        return ()
    return tuple(step for step in ORGANISERS_STEPS if talk.state in STEPS[step].sources)


def may_change(talk: Talk, caller: Caller) -> bool:
    """Return whether the caller may change this talk as an organiser. Redacted talks require a moderator."""
    return decides_for(talk.event, caller) and (caller.moderates or talk.redacted_at is None)


def decide(
    session: Session, choices: Sequence[BulkChoice], step: Step, *, caller: Caller, reason: str | None, now: datetime
) -> None:
    """Apply a step to each of these talks. Raises Forbidden, or BulkActionFailed with the error of each failed talk."""

    def take(choice: BulkChoice) -> None:
        revision = choice.talk.revision
        take_step(session, choice.talk, step, caller=caller, reason=reason, now=now)
        _check_seen(choice, revision)

    _change_each(choices, take)


def edit_each(session: Session, edits: Sequence[TalkEdit], *, caller: Caller, now: datetime) -> None:
    """Change each of these talks. Raises Forbidden, or BulkActionFailed with the error of each failed talk."""
    _change_each(edits, partial(edit_as_seen, session, caller=caller, now=now))


def edit_as_seen(session: Session, edit: TalkEdit, *, caller: Caller, now: datetime) -> None:
    """Change a talk that still has the revision the user saw.

    Raises Forbidden, VersionConflict, or Invalid with all errors.
    """
    _check_seen(edit, edit.talk.revision)
    faults = list(edit.faults)
    try:
        edit_talk(session, edit.talk, edit.fields, caller=caller, now=now)
    except Invalid as refusal:
        faults += refusal.faults
    raise_if_invalid(faults)


def _change_each(chosen: Iterable[Chosen], change: Callable[[Chosen], None]) -> None:
    refused: dict[str, DomainError] = {}
    for one in chosen:
        try:
            change(one)
        except (InvalidTransition, Invalid, VersionConflict) as refusal:
            refused[one.talk.id] = refusal
    if refused:
        raise BulkActionFailed(refused)


def _check_seen(choice: BulkChoice, revision: int) -> None:
    if choice.seen != str(revision):
        raise VersionConflict(Message("Somebody else changed this talk meanwhile."))
