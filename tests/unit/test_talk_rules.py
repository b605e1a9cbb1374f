"""The state transitions of a talk, when a talk becomes public, and its length."""

from collections import deque
from datetime import timedelta

import pytest

from eventcal.events.enums import Programme, TalkKind
from eventcal.talks.enums import TalkState
from eventcal.talks.rules import (
    ACTION_SOURCES,
    DEFAULT_MINUTES,
    GONE_STATES,
    SPEAKER_ACTIONS,
    TALK_TRANSITIONS,
    UNDECIDED_STATES,
    TalkAction,
    is_public_state,
    talk_duration,
)

PUBLIC_STATES = {
    Programme.CURATED: {TalkState.CONFIRMED},
    Programme.LISTED: {TalkState.ACCEPTED, TalkState.CONFIRMED},
}


def reachable_states(first: TalkState) -> set[TalkState]:
    """Return every state that is reachable from the first."""
    seen, waiting = {first}, deque([first])
    while waiting:
        state = waiting.popleft()
        following = {target for sources, target in TALK_TRANSITIONS.values() if state in sources} - seen
        seen |= following
        waiting.extend(following)
    return seen


def test_talk_has_the_specified_transitions() -> None:
    assert {(source, target) for sources, target in TALK_TRANSITIONS.values() for source in sources} == {
        ("draft", "submitted"),
        ("submitted", "accepted"),
        ("accepted", "confirmed"),
        ("submitted", "waitlisted"),
        ("waitlisted", "accepted"),
        ("submitted", "rejected"),
        ("waitlisted", "rejected"),
        ("draft", "withdrawn"),
        ("submitted", "withdrawn"),
        ("waitlisted", "withdrawn"),
        ("accepted", "withdrawn"),
        ("confirmed", "withdrawn"),
        ("accepted", "cancelled"),
        ("confirmed", "cancelled"),
    }


def test_every_step_has_a_transition() -> None:
    assert {*TALK_TRANSITIONS, TalkAction.REINSTATE} == set(ACTION_SOURCES) == set(TalkAction)


def test_every_state_is_reachable_from_draft() -> None:
    assert reachable_states(TalkState.DRAFT) == set(TalkState)


@pytest.mark.parametrize("state", [TalkState.REJECTED, TalkState.WITHDRAWN, TalkState.CANCELLED])
def test_final_state_has_no_transitions(state: TalkState) -> None:
    assert reachable_states(state) == {state}


def test_speakers_may_submit_withdraw_and_confirm() -> None:
    assert {TalkAction.SUBMIT, TalkAction.WITHDRAW, TalkAction.CONFIRM} == SPEAKER_ACTIONS


def test_undecided_and_gone_states_are_disjoint() -> None:
    assert {TalkState.DRAFT, TalkState.SUBMITTED, TalkState.WAITLISTED} == UNDECIDED_STATES
    assert {TalkState.WITHDRAWN, TalkState.CANCELLED} == GONE_STATES


@pytest.mark.parametrize("programme", Programme)
def test_listed_talk_is_public_once_accepted_and_curated_talk_once_confirmed(programme: Programme) -> None:
    assert {state for state in TalkState if is_public_state(programme, state)} == PUBLIC_STATES[programme]


@pytest.mark.parametrize(
    ("kind", "minutes"),
    [
        ("talk", 45),
        ("keynote", 60),
        ("panel", 60),
        ("bof", 60),
        ("poster", 60),
        ("lightning", 10),
        ("workshop", 120),
        ("tutorial", 180),
    ],
)
def test_talk_length_defaults_to_the_usual_length_of_its_kind(kind: str, minutes: int) -> None:
    assert talk_duration(TalkKind(kind), None) == timedelta(minutes=minutes)


def test_every_kind_has_a_usual_length() -> None:
    assert set(DEFAULT_MINUTES) == set(TalkKind)


def test_given_length_takes_precedence_over_the_usual_length() -> None:
    assert talk_duration(TalkKind.TUTORIAL, 25) == timedelta(minutes=25)
