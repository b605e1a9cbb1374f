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
from tests.factories import (
    MODERATOR_CALLER,
    flush_and_expunge,
    make_caller,
    make_event,
    make_member,
    make_organiser,
    make_speaker,
    make_talk,
)

ORGANISER_ACTIONS = sorted(set(TALK_TRANSITIONS) - SPEAKER_ACTIONS)


def apply_action(
    session: Session, talk: Talk, action: TalkAction, caller: Caller, *, reason: str | None = None
) -> Talk:
    """Take a step with a freshly loaded talk, as a request does."""
    flush_and_expunge(session)
    talk = get_talk(session, talk.id, MODERATOR_CALLER)
    return apply_talk_action(session, talk, action, caller=caller, reason=reason, now=NOON)


def load_state_changes(session: Session, talk: Talk) -> list[tuple[str | None, str, str | None, str | None]]:
    rows = select(TalkStateChange).where(TalkStateChange.talk_id == talk.id).order_by(TalkStateChange.id)
    return [(row.from_state, row.to_state, row.member_id, row.reason) for row in session.scalars(rows)]


def load_mail_payloads(session: Session) -> list[dict[str, str]]:
    return list(session.scalars(select(OutboxMessage.payload).order_by(OutboxMessage.id)))


# The transition table


@pytest.mark.parametrize("state", TalkState)
@pytest.mark.parametrize("programme", Programme)
def test_steps_follow_the_transition_table(session: Session, programme: Programme, state: TalkState) -> None:
    member, event = make_member(session), make_event(session, programme=programme)
    talks = {step: make_talk(session, event, state=state, submitter=member) for step in TALK_TRANSITIONS}
    went = {}
    for step, talk in talks.items():
        caller = make_caller(member) if step in SPEAKER_ACTIONS else MODERATOR_CALLER
        try:
            went[step] = apply_action(session, talk, step, caller).state
        except InvalidTransition as refused:
            assert refused.detail.startswith(f"A talk with the state “{state}” cannot be")  # noqa: PT017 - both outcomes are checked
            assert get_talk(session, talk.id, MODERATOR_CALLER).state == state
            assert load_state_changes(session, talk) == []
    assert went == {step: target for step, (sources, target) in TALK_TRANSITIONS.items() if state in sources}


# Permissions


def make_callers(session: Session, event: Event) -> tuple[dict[str, Caller], Member, Member]:
    """Return callers of every kind by role, and the submitter and the speaker among them."""
    submitter, speaker = make_member(session), make_member(session)
    callers = {
        "visitor": ANONYMOUS,
        "member": make_caller(make_member(session)),
        "reviewer": make_caller(make_member(session), reviews=[event]),
        "submitter": make_caller(submitter),
        "speaker": make_caller(speaker),
        "organiser": make_organiser(session, event),
        "moderator": MODERATOR_CALLER,
    }
    return callers, submitter, speaker


def callers_allowed(session: Session, event: Event, action: TalkAction) -> set[str]:
    callers, submitter, speaker = make_callers(session, event)
    on_stage = make_speaker(session, member=speaker)
    state = min(TALK_TRANSITIONS[action].sources)
    taken = set()
    for who, caller in callers.items():
        talk = make_talk(session, event, state=state, submitter=submitter, speakers=[on_stage])
        try:
            apply_talk_action(session, talk, action, caller=caller, reason=None, now=NOON)
            taken.add(who)
        except (Forbidden, Unauthenticated):
            assert talk.state == state
    return taken


@pytest.mark.parametrize("programme", Programme)
@pytest.mark.parametrize("step", sorted(SPEAKER_ACTIONS))
def test_only_submitter_and_speaker_may_submit_withdraw_and_confirm(
    session: Session, step: TalkAction, programme: Programme
) -> None:
    assert callers_allowed(session, make_event(session, programme=programme), step) == {"submitter", "speaker"}


@pytest.mark.parametrize("step", ORGANISER_ACTIONS)
def test_organisers_decide_for_a_curated_event(session: Session, step: TalkAction) -> None:
    event = make_event(session, programme=Programme.CURATED)
    assert callers_allowed(session, event, step) == {"organiser", "moderator"}


@pytest.mark.parametrize("step", ORGANISER_ACTIONS)
def test_only_moderators_decide_for_a_listed_event(session: Session, step: TalkAction) -> None:
    event = make_event(session, programme=Programme.LISTED)
    assert callers_allowed(session, event, step) == {"moderator"}


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
    caller = make_caller(member) if step in SPEAKER_ACTIONS else MODERATOR_CALLER
    assert apply_action(session, talk, step, caller).published_at == (NOON if public else None)


@pytest.mark.parametrize("leave", [TalkAction.WITHDRAW, TalkAction.CANCEL])
def test_withdrawn_or_cancelled_public_talk_is_shown_as_cancelled(session: Session, leave: TalkAction) -> None:
    member, event = make_member(session), make_event(session)
    talk = make_talk(session, event, state=TalkState.CONFIRMED, submitter=member, starts="2026-06-11T10:00:00")
    caller = make_caller(member) if leave in SPEAKER_ACTIONS else MODERATOR_CALLER
    talk = apply_action(session, talk, leave, caller)
    assert talk.ends_at is not None
    assert (talk.public_state, talk.published_at, talk.tombstone_until) == (
        TalkState.CANCELLED,
        NOON,
        talk.ends_at + TOMBSTONE_PERIOD,
    )


def test_cancelled_talk_without_times_is_listed_until_thirty_days_after_its_event(session: Session) -> None:
    talk = make_talk(session, make_event(session), state=TalkState.CONFIRMED)
    talk = apply_action(session, talk, TalkAction.CANCEL, MODERATOR_CALLER)
    assert talk.tombstone_until == talk.event.ends_at + TOMBSTONE_PERIOD


def test_withdrawn_unpublished_talk_is_shown_as_withdrawn(session: Session) -> None:
    member = make_member(session)
    talk = make_talk(session, make_event(session), submitter=member)
    assert apply_action(session, talk, TalkAction.WITHDRAW, make_caller(member)).public_state == TalkState.WITHDRAWN


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
        (TalkAction.SUBMIT, make_caller(member), None),
        (TalkAction.WAITLIST, organiser, "Too many of them"),
        (TalkAction.ACCEPT, organiser, None),
        (TalkAction.CONFIRM, make_caller(member), None),
        (TalkAction.CANCEL, organiser, "The room burnt down"),
    ]
    for step, caller, reason in ways:
        apply_action(session, talk, step, caller, reason=reason)
    assert load_state_changes(session, talk) == [
        ("draft", "submitted", member.id, None),
        ("submitted", "waitlisted", organiser.member_id, "Too many of them"),
        ("waitlisted", "accepted", organiser.member_id, None),
        ("accepted", "confirmed", member.id, None),
        ("confirmed", "cancelled", organiser.member_id, "The room burnt down"),
    ]


# Notifications


@pytest.mark.parametrize(
    ("language", "subject", "text"),
    [
        (None, "Xen on ARM: rejected", "“Xen on ARM” for Xen Summit has been rejected."),
        ("en", "Xen on ARM: rejected", "“Xen on ARM” for Xen Summit has been rejected."),
        ("de", "Xen on ARM: abgelehnt", "„Xen on ARM“ für Xen Summit wurde abgelehnt."),
    ],
)
def test_submitter_is_notified_of_a_decision_in_their_language(
    session: Session, language: str | None, subject: str, text: str
) -> None:
    member = make_member(session, email="ada@example.org", language=language)
    talk = make_talk(session, make_event(session, title="Xen Summit"), title="Xen on ARM", submitter=member)
    apply_action(session, talk, TalkAction.REJECT, MODERATOR_CALLER, reason="We had three of these.")
    assert load_mail_payloads(session) == [
        {
            "to": "ada@example.org",
            "subject": subject,
            "text": f"{text}\n\nWe had three of these.",
            "link_path": f"/me/talks/{talk.id}",
        }
    ]


@pytest.mark.parametrize(("programme", "asks"), [(Programme.CURATED, True), (Programme.LISTED, False)])
def test_acceptance_asks_for_confirmation_if_it_is_required(
    session: Session, programme: Programme, *, asks: bool
) -> None:
    talk = make_talk(session, make_event(session, programme=programme), submitter=make_member(session))
    apply_action(session, talk, TalkAction.ACCEPT, MODERATOR_CALLER)
    [mail] = load_mail_payloads(session)
    assert ("Please confirm that you will give the talk." in mail["text"]) is asks


def make_talk_without_submitter(session: Session) -> tuple[Talk, TalkAction, Caller]:
    return make_talk(session, make_event(session)), TalkAction.ACCEPT, MODERATOR_CALLER


def make_talk_of_deleted_member(session: Session) -> tuple[Talk, TalkAction, Caller]:
    member = make_member(session, active=False)
    return make_talk(session, make_event(session), submitter=member), TalkAction.ACCEPT, MODERATOR_CALLER


def make_own_withdrawal(session: Session) -> tuple[Talk, TalkAction, Caller]:
    member = make_member(session)
    return make_talk(session, make_event(session), submitter=member), TalkAction.WITHDRAW, make_caller(member)


@pytest.mark.parametrize("case", [make_talk_without_submitter, make_talk_of_deleted_member, make_own_withdrawal])
def test_no_mail_is_sent_without_a_recipient(
    session: Session, case: Callable[[Session], tuple[Talk, TalkAction, Caller]]
) -> None:
    talk, step, caller = case(session)
    apply_action(session, talk, step, caller)
    assert load_mail_payloads(session) == []
