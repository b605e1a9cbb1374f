"""Publishing, cancelling, redacting and deleting events."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from eventcal.events.enums import ACTIVE_STATUSES, EventStatus
from eventcal.events.errors import CannotDeletePublished, InvalidTransition
from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.events.rules import TOMBSTONE_PERIOD
from eventcal.events.state_changes import REDACTED_TEXT, cancel_event, publish_event, redact_event
from eventcal.kit.errors import Forbidden
from eventcal.talks.delete_and_merge_referenced import delete_event
from tests.clocks import NOON
from tests.factories import MODERATOR_CALLER, flush_and_expunge, make_event, make_organiser


def reload_event(session: Session, event: Event) -> Event:
    """Return the event as the next request loads it."""
    flush_and_expunge(session)
    return get_event(session, event.slug, MODERATOR_CALLER)


def tags_of(event: Event) -> list[str]:
    return [tag.tag for tag in event.tags]


def test_moderator_publishes_only_pending_events(session: Session) -> None:
    published = {}
    for status in EventStatus:
        event = make_event(session, status=status)
        try:
            published[status] = publish_event(session, event, caller=MODERATOR_CALLER).status
        except InvalidTransition:
            assert event.status == status
    assert published == {EventStatus.PENDING: EventStatus.CONFIRMED}


def test_organiser_may_not_publish_an_event(session: Session) -> None:
    event = make_event(session, status=EventStatus.PENDING)
    with pytest.raises(Forbidden):
        publish_event(session, event, caller=make_organiser(session, event))


def test_only_published_active_events_can_be_cancelled(session: Session) -> None:
    cancelled = set()
    for status in EventStatus:
        event = make_event(session, status=status)
        try:
            assert cancel_event(session, event, now=NOON).status == EventStatus.CANCELLED
            cancelled.add(status)
        except InvalidTransition:
            assert event.status == status
    assert cancelled == set(ACTIVE_STATUSES)


def test_cancelled_event_is_listed_until_thirty_days_after_its_end(session: Session) -> None:
    event = cancel_event(session, make_event(session), now=NOON)
    assert event.tombstone_until == event.ends_at + TOMBSTONE_PERIOD


def test_past_event_is_listed_for_thirty_days_after_cancellation(session: Session) -> None:
    event = make_event(session, starts="2026-01-10", ends="2026-01-10")
    assert cancel_event(session, event, now=NOON).tombstone_until == NOON + TOMBSTONE_PERIOD


def test_redacting_an_event_removes_all_its_text(session: Session) -> None:
    names = ("title", "summary", "description", "venue", "address", "city", "region", "online_url", "url")
    words: dict[str, Any] = dict.fromkeys(names, "spam")
    event = make_event(
        session,
        **words,
        registration_url="spam",
        series="spam",
        recurrence="FREQ=YEARLY",
        recurrence_overrides={"2027-06-10": {"title": "spam", "online_url": "https://spam.example"}},
        latitude=1.0,
        longitude=1.0,
        tags=["spam"],
        tracks=["spam", "spam 2"],
        rooms=["spam"],
        call={"note": "spam"},
    )
    event = reload_event(session, redact_event(session, event, caller=MODERATOR_CALLER, now=NOON))
    assert (event.title, event.status, event.redacted_at) == (REDACTED_TEXT, EventStatus.CANCELLED, NOON)
    assert event.call is not None
    written = [str(getattr(row, column.key)) for row in (event, event.call) for column in row.__table__.columns]
    parts = [track.name for track in event.tracks] + [room.name for room in event.rooms]
    assert [text for text in (*written, *tags_of(event), *parts) if "spam" in text] == []
    assert (event.latitude, event.longitude) == (None, None)
    assert event.tombstone_until == event.ends_at + TOMBSTONE_PERIOD


def test_redacted_unpublished_event_becomes_a_draft(session: Session) -> None:
    event = make_event(session, status=EventStatus.PENDING)
    assert redact_event(session, event, caller=MODERATOR_CALLER, now=NOON).status == EventStatus.DRAFT
    without_a_call = make_event(session, call=None)
    assert redact_event(session, without_a_call, caller=MODERATOR_CALLER, now=NOON).title == REDACTED_TEXT


def test_only_moderators_may_redact_an_event(session: Session) -> None:
    event = make_event(session)
    with pytest.raises(Forbidden):
        redact_event(session, event, caller=make_organiser(session, event), now=NOON)


def test_published_event_cannot_be_deleted(session: Session) -> None:
    deletable = set()
    for status in EventStatus:
        try:
            delete_event(session, make_event(session, status=status))
            deletable.add(status)
        except CannotDeletePublished:
            continue
    assert deletable == {EventStatus.DRAFT, EventStatus.PENDING}
