"""Use cases of those who decide: on several talks at once, and when and where each is; all or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from eventcal.events.errors import ForbiddenStep
from eventcal.events.models import Event
from eventcal.events.queries import decides_for
from eventcal.events.words import Programme
from eventcal.kit.refusals import Fault, Invalid, Refusal, Sentence, Stale, refuse_faults
from eventcal.members.caller import Caller
from eventcal.talks.errors import SomeRefused
from eventcal.talks.models import Talk
from eventcal.talks.rules import STEPS, Step
from eventcal.talks.service import edit_talk
from eventcal.talks.steps import take_step

ORGANISERS_STEPS = (Step.ACCEPT, Step.WAITLIST, Step.REJECT, Step.CANCEL)
"""The steps that are no speaker's, in the order in which they are offered."""


@dataclass(frozen=True)
class Choice:
    """A talk that was chosen, and the revision of it that whoever chose it has seen."""

    talk: Talk
    seen: str


@dataclass(frozen=True)
class Edit:
    """What is to change of a talk, and the revision of it that whoever wants so has seen.

    faults: what else they want, and cannot be.
    """

    talk: Talk
    fields: Mapping[str, Any]
    seen: str
    faults: Sequence[Fault] = ()


def decides_on_talks(event: Event, caller: Caller) -> bool:
    """Say whether the caller decides which talks this event takes: of a listed one, a moderator does."""
    return caller.moderates if event.programme == Programme.LISTED else decides_for(event, caller)


def open_steps(talk: Talk, caller: Caller) -> tuple[Step, ...]:
    """Return the steps of an organiser's that the caller may take this talk now."""
    if not decides_on_talks(talk.event, caller):
        return ()
    return tuple(step for step in ORGANISERS_STEPS if talk.state in STEPS[step].sources)


def may_change(talk: Talk, caller: Caller) -> bool:
    """Say whether the caller may change this talk as one who decides for its event; what was blanked, moderators do."""
    return decides_for(talk.event, caller) and (caller.moderates or talk.redacted_at is None)


def decide(
    session: Session, choices: Sequence[Choice], step: Step, *, caller: Caller, reason: str | None, now: datetime
) -> None:
    """Take each of these talks one step on.

    Raises Forbidden, and SomeRefused with every talk that has no such step, or changed since it was seen.
    """
    refused: dict[str, Refusal] = {}
    for choice in choices:
        try:
            _take(session, choice, step, caller=caller, reason=reason, now=now)
        except (ForbiddenStep, Stale) as refusal:
            refused[choice.talk.id] = refusal
    if refused:
        raise SomeRefused(refused)


def _take(session: Session, choice: Choice, step: Step, *, caller: Caller, reason: str | None, now: datetime) -> None:
    revision = choice.talk.revision
    take_step(session, choice.talk, step, caller=caller, reason=reason, now=now)
    _check_seen(choice.seen, revision)


def edit_each(session: Session, edits: Sequence[Edit], *, caller: Caller, now: datetime) -> None:
    """Change each of these talks, if it is still what was seen of it.

    Raises Forbidden, and SomeRefused with every talk that changed meanwhile or cannot be so.
    """
    refused: dict[str, Refusal] = {}
    for edit in edits:
        try:
            edit_as_seen(session, edit, caller=caller, now=now)
        except (Invalid, Stale) as refusal:
            refused[edit.talk.id] = refusal
    if refused:
        raise SomeRefused(refused)


def edit_as_seen(session: Session, edit: Edit, *, caller: Caller, now: datetime) -> None:
    """Change a talk, if it is still what was seen of it. Raises Forbidden, Stale, and Invalid with every fault."""
    _check_seen(edit.seen, edit.talk.revision)
    faults = list(edit.faults)
    try:
        edit_talk(session, edit.talk, edit.fields, caller=caller, now=now)
    except Invalid as refusal:
        faults += refusal.faults
    refuse_faults(faults)


def _check_seen(seen: str, revision: int) -> None:
    if seen != str(revision):
        raise Stale(Sentence("Somebody else changed this talk meanwhile."))
