"""The steps of a talk: every pair of state and step, who may take them, and their effects."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.enums import EventStatus, Programme
from eventcal.events.errors import InvalidTransition
from eventcal.events.models import Event
from eventcal.events.rules import TOMBSTONE_PERIOD
from eventcal.kit.errors import Forbidden, Unauthenticated
from eventcal.members.caller import ANONYMOUS, Caller
from eventcal.members.models import Member
from eventcal.outbox.models import OutboxMessage
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk, TalkStateChange
from eventcal.talks.queries import get_talk
from eventcal.talks.rules import GONE_STATES, SPEAKER_ACTIONS, TALK_TRANSITIONS, TalkAction
from eventcal.talks.state_changes import apply_talk_action
from tests.clocks import NOON
from tests.make import MODERATOR, caller_of, forget, make_event, make_member, make_organiser, make_speaker, make_talk

DECISIONS = sorted(set(TalkAction) - SPEAKER_ACTIONS)


def take(session: Session, talk: Talk, step: TalkAction, *, caller: Caller, reason: str | None = None) -> Talk:
    """Take a step with a freshly loaded talk, as a request does."""
    forget(session)
    talk = get_talk(session, talk.id, MODERATOR)
    return apply_talk_action(session, talk, step, caller=caller, reason=reason, now=NOON)


def history(session: Session, talk: Talk) -> list[tuple[str | None, str, str | None, str | None]]:
    rows = select(TalkStateChange).where(TalkStateChange.talk_id == talk.id).order_by(TalkStateChange.id)
    return [(row.from_state, row.to_state, row.member_id, row.reason) for row in session.scalars(rows)]


def mails(session: Session) -> list[dict[str, str]]:
    return list(session.scalars(select(OutboxMessage.payload).order_by(OutboxMessage.id)))


# The transition table


@pytest.mark.parametrize("state", TalkState)
@pytest.mark.parametrize("programme", Programme)
def test_steps_follow_the_transition_table(session: Session, programme: Programme, state: TalkState) -> None:
    member, event = make_member(session), make_event(session, programme=programme)
    talks = {step: make_talk(session, event, state=state, submitter=member) for step in TalkAction}
    went = {}
    for step, talk in talks.items():
        caller = caller_of(member) if step in SPEAKER_ACTIONS else MODERATOR
        try:
            went[step] = take(session, talk, step, caller=caller).state
        except InvalidTransition as refused:
            assert refused.detail.startswith(f"A talk that is {state} cannot be")  # noqa: PT017 - both outcomes are checked
            assert get_talk(session, talk.id, MODERATOR).state == state
            assert history(session, talk) == []
    assert went == {step: target for step, (sources, target) in TALK_TRANSITIONS.items() if state in sources}


# Permissions


def crowd(session: Session, event: Event) -> tuple[dict[str, Caller], Member, Member]:
    """Return callers of every kind by role, and the submitter and the speaker among them."""
    submitter, speaker = make_member(session), make_member(session)
    callers = {
        "visitor": ANONYMOUS,
        "member": caller_of(make_member(session)),
        "reviewer": caller_of(make_member(session), reviews=[event]),
        "submitter": caller_of(submitter),
        "speaker": caller_of(speaker),
        "organiser": make_organiser(session, event),
        "moderator": MODERATOR,
    }
    return callers, submitter, speaker


def who_takes(session: Session, event: Event, step: TalkAction) -> set[str]:
    callers, submitter, speaker = crowd(session, event)
    on_stage = make_speaker(session, member=speaker)
    state = min(TALK_TRANSITIONS[step].sources)
    taken = set()
    for who, caller in callers.items():
        talk = make_talk(session, event, state=state, submitter=submitter, speakers=[on_stage])
        try:
            apply_talk_action(session, talk, step, caller=caller, reason=None, now=NOON)
            taken.add(who)
        except (Forbidden, Unauthenticated):
            assert talk.state == state
    return taken


@pytest.mark.parametrize("programme", Programme)
@pytest.mark.parametrize("step", sorted(SPEAKER_ACTIONS))
def test_only_submitter_and_speaker_may_submit_withdraw_and_confirm(
    session: Session, step: TalkAction, programme: Programme
) -> None:
    assert who_takes(session, make_event(session, programme=programme), step) == {"submitter", "speaker"}


@pytest.mark.parametrize("step", DECISIONS)
def test_organisers_decide_for_a_curated_event(session: Session, step: TalkAction) -> None:
    event = make_event(session, programme=Programme.CURATED)
    assert who_takes(session, event, step) == {"organiser", "moderator"}


@pytest.mark.parametrize("step", DECISIONS)
def test_only_moderators_decide_for_a_listed_event(session: Session, step: TalkAction) -> None:
    event = make_event(session, programme=Programme.LISTED)
    assert who_takes(session, event, step) == {"moderator"}


# Effects


@pytest.mark.parametrize(
    ("programme", "step", "public"),
    [
        (Programme.CURATED, TalkAction.ACCEPT, False),
        (Programme.CURATED, TalkAction.CONFIRM, True),
        (Programme.LISTED, TalkAction.ACCEPT, True),
    ],
)
def test_talk_is_published_by_the_step_that_makes_it_public(
    session: Session, programme: Programme, step: TalkAction, *, public: bool
) -> None:
    member = make_member(session)
    talk = make_talk(
        session, make_event(session, programme=programme), state=min(TALK_TRANSITIONS[step].sources), submitter=member
    )
    talk.published_at = None
    caller = caller_of(member) if step in SPEAKER_ACTIONS else MODERATOR
    assert take(session, talk, step, caller=caller).published_at == (NOON if public else None)


@pytest.mark.parametrize("leave", [TalkAction.WITHDRAW, TalkAction.CANCEL])
def test_withdrawn_or_cancelled_public_talk_is_shown_as_cancelled(session: Session, leave: TalkAction) -> None:
    member, event = make_member(session), make_event(session)
    talk = make_talk(session, event, state=TalkState.CONFIRMED, submitter=member, starts="2026-06-11T10:00:00")
    caller = caller_of(member) if leave in SPEAKER_ACTIONS else MODERATOR
    talk = take(session, talk, leave, caller=caller)
    assert talk.ends_at is not None
    assert (talk.public_state, talk.published_at, talk.tombstone_until) == (
        TalkState.CANCELLED,
        NOON,
        talk.ends_at + TOMBSTONE_PERIOD,
    )


def test_cancelled_talk_without_times_is_listed_until_thirty_days_after_its_event(session: Session) -> None:
    talk = make_talk(session, make_event(session), state=TalkState.CONFIRMED)
    talk = take(session, talk, TalkAction.CANCEL, caller=MODERATOR)
    assert talk.tombstone_until == talk.event.ends_at + TOMBSTONE_PERIOD


def test_withdrawn_unpublished_talk_is_shown_as_withdrawn(session: Session) -> None:
    member = make_member(session)
    talk = make_talk(session, make_event(session), submitter=member)
    assert take(session, talk, TalkAction.WITHDRAW, caller=caller_of(member)).public_state == TalkState.WITHDRAWN


def test_public_talks_of_a_cancelled_event_are_shown_as_cancelled(session: Session) -> None:
    event = make_event(session, status=EventStatus.CANCELLED)
    public = make_talk(session, event, state=TalkState.CONFIRMED)
    hidden = make_talk(session, event, state=TalkState.ACCEPTED)
    assert (public.public_state, hidden.public_state) == (TalkState.CANCELLED, TalkState.ACCEPTED)


def test_only_withdrawn_and_cancelled_talks_become_tombstones(session: Session) -> None:
    event = make_event(session)
    assert {
        state for state in TalkState if make_talk(session, event, state=state).tombstone_until is not None
    } == GONE_STATES


def test_step_history_is_stored(session: Session) -> None:
    member, event = make_member(session), make_event(session)
    organiser = make_organiser(session, event)
    talk = make_talk(session, event, state=TalkState.DRAFT, submitter=member)
    ways: list[tuple[TalkAction, Caller, str | None]] = [
        (TalkAction.SUBMIT, caller_of(member), None),
        (TalkAction.WAITLIST, organiser, "Too many of them"),
        (TalkAction.ACCEPT, organiser, None),
        (TalkAction.CONFIRM, caller_of(member), None),
        (TalkAction.CANCEL, organiser, "The room burnt down"),
    ]
    for step, caller, reason in ways:
        take(session, talk, step, caller=caller, reason=reason)
    assert history(session, talk) == [
        ("draft", "submitted", member.id, None),
        ("submitted", "waitlisted", organiser.member_id, "Too many of them"),
        ("waitlisted", "accepted", organiser.member_id, None),
        ("accepted", "confirmed", member.id, None),
        ("confirmed", "cancelled", organiser.member_id, "The room burnt down"),
    ]


# Notifications


def test_submitter_is_notified_of_a_decision_with_its_reason(session: Session) -> None:
    member = make_member(session, email="ada@example.org")
    talk = make_talk(session, make_event(session, title="Xen Summit"), title="Xen on ARM", submitter=member)
    take(session, talk, TalkAction.REJECT, caller=MODERATOR, reason="We had three of these.")
    assert mails(session) == [
        {
            "to": "ada@example.org",
            "subject": "Xen on ARM: rejected / Xen on ARM: abgelehnt",
            "text": "“Xen on ARM” for Xen Summit has been rejected.\n\n"
            "„Xen on ARM“ für Xen Summit wurde abgelehnt.\n\nWe had three of these.",
        }
    ]


def without_submitter(session: Session) -> tuple[Talk, TalkAction, Caller]:
    return make_talk(session, make_event(session)), TalkAction.ACCEPT, MODERATOR


def of_somebody_who_left(session: Session) -> tuple[Talk, TalkAction, Caller]:
    member = make_member(session, active=False)
    return make_talk(session, make_event(session), submitter=member), TalkAction.ACCEPT, MODERATOR


def own_step(session: Session) -> tuple[Talk, TalkAction, Caller]:
    member = make_member(session)
    return make_talk(session, make_event(session), submitter=member), TalkAction.WITHDRAW, caller_of(member)


@pytest.mark.parametrize("case", [without_submitter, of_somebody_who_left, own_step])
def test_no_mail_is_sent_without_a_recipient(
    session: Session, case: Callable[[Session], tuple[Talk, TalkAction, Caller]]
) -> None:
    talk, step, caller = case(session)
    take(session, talk, step, caller=caller)
    assert mails(session) == []
