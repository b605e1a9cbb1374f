"""Submitting talks: permissions, fields, speakers, reprises and deadlines."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.enums import EventStatus, Programme
from eventcal.events.errors import EventEnded
from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.kit.errors import FieldError, Invalid
from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.speakers.models import Speaker
from eventcal.talks.enums import TalkState
from eventcal.talks.errors import TalksClosed
from eventcal.talks.fields import TalkFields
from eventcal.talks.models import Talk, TalkStateChange
from eventcal.talks.queries import get_talk
from eventcal.talks.service import edit_talk, submit_talk
from tests.clocks import NOON
from tests.factories import (
    MODERATOR_CALLER,
    flush_and_expunge,
    make_caller,
    make_event,
    make_member,
    make_speaker,
    make_talk,
)

TITLE_ONLY = {"title": "Xen on ARM"}


def submit_to_reloaded_event(
    session: Session,
    event: Event,
    *,
    member: Member | None = None,
    now: datetime = NOON,
    **fields: Any,
) -> Talk:
    """Submit a talk at a freshly loaded event, as a member's request does."""
    member = member or make_member(session)
    flush_and_expunge(session)
    event = get_event(session, event.slug, MODERATOR_CALLER)
    caller = make_caller(member)
    return submit_talk(session, event, cast("TalkFields", TITLE_ONLY | fields), member=member, caller=caller, now=now)


def submission_errors(session: Session, event: Event, **fields: Any) -> list[FieldError]:
    """Return the errors with which the submission is rejected."""
    with pytest.raises(Invalid) as refusal:
        submit_to_reloaded_event(session, event, **fields)
    return list(refusal.value.errors)


def reload_talk(session: Session, talk: Talk) -> Talk:
    """Return the talk as the next request loads it."""
    flush_and_expunge(session)
    return get_talk(session, talk.id, MODERATOR_CALLER)


def tags_of(talk: Talk) -> list[str]:
    return [tag.tag for tag in talk.tags]


def speaker_names(talk: Talk) -> list[str]:
    return [speaker.name for speaker in talk.speakers]


def load_state_changes(session: Session, talk: Talk) -> list[tuple[str | None, str]]:
    rows = select(TalkStateChange).where(TalkStateChange.talk_id == talk.id).order_by(TalkStateChange.id)
    return [(step.from_state, step.to_state) for step in session.scalars(rows)]


# Submitting


def test_submitting_member_becomes_the_speaker(session: Session) -> None:
    member = make_member(session, name="Mihai Donțu", email="mihai@example.org")
    talk = submit_to_reloaded_event(session, make_event(session), member=member)
    assert (talk.state, talk.submitter_id, talk.kind, talk.published_at) == ("submitted", member.id, "talk", None)
    assert [(s.name, s.slug, s.email, s.member_id) for s in talk.speaker_rows] == [
        ("Mihai Donțu", "mihai-dontu", "mihai@example.org", member.id)
    ]
    assert load_state_changes(session, talk) == [(None, "submitted")]


def test_submitted_talk_stores_all_fields(session: Session) -> None:
    event = make_event(session, programme=Programme.LISTED, call=None, tracks=["Main", "Security"])
    fields: dict[str, Any] = {
        "abstract": "Ports",
        "kind": "lightning",
        "language": "de",
        "track": "Security",
        "duration_minutes": 15,
        "tags": ["arm", "xen"],
        "speakers": [{"name": "Stefano"}, {"name": "Don", "email": "don@example.org", "job_title": "Architect"}],
        "starts": "2026-06-11T10:00:00",
        "notes": "Projector, please",
    }
    talk = reload_talk(session, submit_to_reloaded_event(session, event, **fields))
    assert (talk.abstract, talk.kind, talk.language, talk.notes) == ("Ports", "lightning", "de", "Projector, please")
    assert talk.track is not None
    assert (talk.track.name, tags_of(talk), speaker_names(talk)) == ("Security", ["arm", "xen"], ["Stefano", "Don"])
    assert talk.speakers[1].job_title == "Architect"
    assert (talk.starts_at, talk.ends_at) == (
        datetime(2026, 6, 11, 8, tzinfo=UTC),
        datetime(2026, 6, 11, 8, 15, tzinfo=UTC),
    )


def test_draft_talk_is_stored_without_submission(session: Session) -> None:
    assert submit_to_reloaded_event(session, make_event(session), draft=True).state == TalkState.DRAFT


def test_validation_reports_all_errors_at_once(session: Session) -> None:
    event = make_event(session, call={"kinds": ["talk"]}, tracks=["Main"], rooms=["Hall"])
    faults = submission_errors(
        session,
        event,
        title="",
        kind="panel",
        track="Side",
        room="Hall",
        starts="2026-06-11T10:00:00",
        speakers=[{"slug": "nobody"}],
        reprise_of="nothing",
    )
    assert faults == [
        FieldError("/track", "is not a track of this event; its tracks are: Main"),
        FieldError("/room", "is set by the organisers; omit it"),
        FieldError("/starts", "is set by the organisers of a curated event; omit it"),
        FieldError("/speakers/0/slug", "refers to a speaker that does not exist: “nobody”"),
        FieldError("/reprise_of", "refers to a talk that does not exist: “nothing”"),
        FieldError("/kind", "is not accepted by this call for talks; it accepts: talk"),
        FieldError("/title", "is required unless `reprise_of` is set"),
    ]


@pytest.mark.parametrize(
    ("times", "pointer"),
    [
        ({"starts": "2026-06-11"}, "/starts"),
        ({"starts": "2026-06-13T10:00:00"}, "/starts"),
        ({"ends": "2026-06-11T10:00:00"}, "/starts"),
        ({"starts": "2026-06-11T10:00:00", "ends": "2026-06-11T09:00:00"}, "/ends"),
        ({"starts": "soon"}, "/starts"),
    ],
)
def test_invalid_times_are_rejected(session: Session, times: dict[str, str], pointer: str) -> None:
    event = make_event(session, programme=Programme.LISTED)
    assert [fault.pointer for fault in submission_errors(session, event, **times)] == [pointer]


# Speakers


def test_speaker_is_matched_by_email(session: Session) -> None:
    don = make_speaker(session, name="Don Slutz", email="don@example.org")
    talk = submit_to_reloaded_event(
        session, make_event(session), speakers=[{"name": "Somebody else", "email": " Don@Example.ORG"}]
    )
    assert [(speaker.id, speaker.name) for speaker in talk.speaker_rows] == [(don.id, "Don Slutz")]


def test_confirmed_email_links_the_member_to_the_existing_speaker(session: Session) -> None:
    don = make_speaker(session, name="Don Slutz", email="don@example.org")
    member = make_member(session, email="don@example.org")
    assert submit_to_reloaded_event(session, make_event(session), member=member).speaker_rows[0].id == don.id
    assert session.get_one(Speaker, don.id).member_id == member.id


def test_unconfirmed_email_does_not_link_the_member_to_a_speaker(session: Session) -> None:
    don = make_speaker(session, email="don@example.org")
    submit_to_reloaded_event(
        session, make_event(session), member=make_member(session, email="don@example.org", confirmed_at=None)
    )
    assert session.get_one(Speaker, don.id).member_id is None


def test_member_is_the_same_speaker_in_all_their_talks(session: Session) -> None:
    member, event = make_member(session), make_event(session)
    talks = [submit_to_reloaded_event(session, event, member=member) for _ in range(2)]
    assert talks[0].speaker_rows[0].id == talks[1].speaker_rows[0].id


def test_speakers_with_the_same_name_get_unique_slugs(session: Session) -> None:
    talk = submit_to_reloaded_event(session, make_event(session), speakers=[{"name": "Ada"}, {"name": "Ada"}])
    assert [speaker.slug for speaker in talk.speakers] == ["ada", "ada-2"]


def test_hidden_speaker_is_not_found_by_slug(session: Session) -> None:
    make_speaker(session, slug="hidden")
    make_speaker(session, slug="grace", published_at=NOON)
    event = make_event(session)
    assert submission_errors(session, event, speakers=[{"slug": "grace"}, {"slug": "hidden"}]) == [
        FieldError("/speakers/1/slug", "refers to a speaker that does not exist: “hidden”")
    ]


def test_speaker_cannot_be_listed_twice(session: Session) -> None:
    make_speaker(session, slug="grace", email="grace@example.org", published_at=NOON)
    twice = [{"slug": "grace"}, {"name": "Grace", "email": "grace@example.org"}]
    assert submission_errors(session, make_event(session), speakers=twice) == [
        FieldError("/speakers/1", "is a duplicate; remove it")
    ]


# Reprises


def test_reprise_inherits_omitted_fields(session: Session) -> None:
    earlier = make_talk(
        session,
        make_event(session),
        title="Geek Empowerment",
        abstract="The heart",
        state=TalkState.CONFIRMED,
        speakers=[make_speaker(session, name="Russell")],
    )
    member = make_member(session)
    flush_and_expunge(session)
    event = get_event(session, make_event(session).slug, MODERATOR_CALLER)
    caller = make_caller(member)
    again = submit_talk(session, event, {"reprise_of": earlier.id}, member=member, caller=caller, now=NOON)
    again = reload_talk(session, again)
    assert again.reprise_of is not None
    assert (again.title, again.abstract, speaker_names(again), again.reprise_of.id) == (
        "Geek Empowerment",
        "The heart",
        ["Russell"],
        earlier.id,
    )


def test_hidden_talk_cannot_be_reprised(session: Session) -> None:
    hidden = make_talk(session, make_event(session))
    assert [fault.pointer for fault in submission_errors(session, make_event(session), reprise_of=hidden.id)] == [
        "/reprise_of"
    ]


def test_talk_cannot_be_a_reprise_of_itself(session: Session) -> None:
    talk = make_talk(session, make_event(session))
    with pytest.raises(Invalid):
        edit_talk(session, talk, {"reprise_of": talk.id}, caller=MODERATOR_CALLER, now=NOON)


# Events that accept no talks


def test_past_event_accepts_talks_from_moderators_only(session: Session) -> None:
    event = make_event(session, starts="2026-02-01", ends="2026-02-02")
    with pytest.raises(EventEnded):
        submit_to_reloaded_event(session, event)
    assert (
        submit_to_reloaded_event(session, event, member=make_member(session, role=Role.MODERATOR)).state
        == TalkState.SUBMITTED
    )


def test_recurring_event_accepts_talks_after_its_first_occurrence(session: Session) -> None:
    event = make_event(
        session,
        starts="2026-02-03",
        ends="2026-02-03",
        recurrence="FREQ=MONTHLY;BYDAY=1TU",
        programme=Programme.LISTED,
        call=None,
    )
    assert submit_to_reloaded_event(session, event, starts="2026-04-07T19:00:00").state == TalkState.SUBMITTED


@pytest.mark.parametrize("status", EventStatus)
def test_only_active_published_events_accept_talks(session: Session, status: EventStatus) -> None:
    event = make_event(session, status=status)
    if status in {EventStatus.TENTATIVE, EventStatus.CONFIRMED, EventStatus.POSTPONED}:
        assert submit_to_reloaded_event(session, event).state == TalkState.SUBMITTED
    else:
        with pytest.raises(TalksClosed, match=f"is {status} and does not accept talks"):
            submit_to_reloaded_event(session, event)
