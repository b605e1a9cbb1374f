"""Decisions about talks that need nothing but values: the table of steps, usual lengths, who may take a step."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from eventcal.events.words import Programme, TalkKind
from eventcal.kit.refusals import Transition
from eventcal.talks.words import TalkState


class Step(StrEnum):
    """What can be done to a talk; the word is the one in the URL."""

    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    CONFIRM = "confirm"
    ACCEPT = "accept"
    REJECT = "reject"
    WAITLIST = "waitlist"
    CANCEL = "cancel"


# Until then the submitter may still edit.
UNDECIDED = frozenset({TalkState.DRAFT, TalkState.SUBMITTED, TalkState.WAITLISTED})

# What waits for a decision.
WAITING = frozenset({TalkState.SUBMITTED, TalkState.WAITLISTED})

# What has a place in the programme, or is to have one.
SCHEDULED = frozenset({TalkState.ACCEPTED, TalkState.CONFIRMED})

GONE = frozenset({TalkState.WITHDRAWN, TalkState.CANCELLED})

STEPS: Mapping[Step, Transition[TalkState]] = {
    Step.SUBMIT: Transition(frozenset({TalkState.DRAFT}), TalkState.SUBMITTED),
    Step.WAITLIST: Transition(frozenset({TalkState.SUBMITTED}), TalkState.WAITLISTED),
    Step.ACCEPT: Transition(WAITING, TalkState.ACCEPTED),
    Step.REJECT: Transition(WAITING, TalkState.REJECTED),
    Step.CONFIRM: Transition(frozenset({TalkState.ACCEPTED}), TalkState.CONFIRMED),
    Step.WITHDRAW: Transition(UNDECIDED | SCHEDULED, TalkState.WITHDRAWN),
    Step.CANCEL: Transition(SCHEDULED, TalkState.CANCELLED),
}

# The steps that are the speaker's own; all others are the organisers'.
SPEAKERS_STEPS = frozenset({Step.SUBMIT, Step.WITHDRAW, Step.CONFIRM})

USUAL_MINUTES: Mapping[TalkKind, int] = {
    TalkKind.TALK: 45,
    TalkKind.KEYNOTE: 60,
    TalkKind.PANEL: 60,
    TalkKind.BOF: 60,
    TalkKind.POSTER: 60,
    TalkKind.LIGHTNING: 10,
    TalkKind.WORKSHOP: 120,
    TalkKind.TUTORIAL: 180,
}


def makes_public(programme: Programme, state: TalkState) -> bool:
    """Say whether a talk that comes to this state is public from then on."""
    if programme == Programme.LISTED:
        return state in {TalkState.ACCEPTED, TalkState.CONFIRMED}
    return state == TalkState.CONFIRMED


def length(kind: TalkKind, duration_minutes: int | None) -> timedelta:
    """Return how long a talk without an end is: what was said, else what is usual for its kind."""
    return timedelta(minutes=duration_minutes or USUAL_MINUTES[kind])
