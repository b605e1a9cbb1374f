"""The table of a talk's steps, what makes a talk public, and how long one is."""

from collections import deque
from datetime import timedelta

import pytest

from eventcal.events.words import Programme, TalkKind
from eventcal.talks.rules import GONE, SPEAKERS_STEPS, STEPS, UNDECIDED, USUAL_MINUTES, Step, length, makes_public
from eventcal.talks.words import TalkState

PUBLISHING = {
    Programme.CURATED: {TalkState.CONFIRMED},
    Programme.LISTED: {TalkState.ACCEPTED, TalkState.CONFIRMED},
}


def reached_from(first: TalkState) -> set[TalkState]:
    """Return every state that some steps lead to."""
    seen, waiting = {first}, deque([first])
    while waiting:
        state = waiting.popleft()
        following = {target for sources, target in STEPS.values() if state in sources} - seen
        seen |= following
        waiting.extend(following)
    return seen


def test_the_steps_are_those_that_were_promised() -> None:
    assert {(source, target) for sources, target in STEPS.values() for source in sources} == {
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


def test_every_step_stands_in_the_table() -> None:
    assert set(STEPS) == set(Step)


def test_every_state_can_be_reached_from_a_draft() -> None:
    assert reached_from(TalkState.DRAFT) == set(TalkState)


@pytest.mark.parametrize("state", [TalkState.REJECTED, TalkState.WITHDRAWN, TalkState.CANCELLED])
def test_no_step_leads_out_of_the_last_states(state: TalkState) -> None:
    assert reached_from(state) == {state}


def test_speakers_submit_withdraw_and_confirm_and_organisers_do_the_rest() -> None:
    assert {Step.SUBMIT, Step.WITHDRAW, Step.CONFIRM} == SPEAKERS_STEPS


def test_what_is_decided_on_and_what_is_gone_share_no_state() -> None:
    assert {TalkState.DRAFT, TalkState.SUBMITTED, TalkState.WAITLISTED} == UNDECIDED
    assert {TalkState.WITHDRAWN, TalkState.CANCELLED} == GONE


@pytest.mark.parametrize("programme", Programme)
def test_a_listed_talk_is_public_once_accepted_and_a_curated_one_once_confirmed(programme: Programme) -> None:
    assert {state for state in TalkState if makes_public(programme, state)} == PUBLISHING[programme]


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
def test_a_talk_is_as_long_as_is_usual_for_its_kind(kind: str, minutes: int) -> None:
    assert length(TalkKind(kind), None) == timedelta(minutes=minutes)


def test_every_kind_has_a_usual_length() -> None:
    assert set(USUAL_MINUTES) == set(TalkKind)


def test_what_was_said_goes_before_what_is_usual() -> None:
    assert length(TalkKind.TUTORIAL, 25) == timedelta(minutes=25)
