from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from eventcal.events.enums import EventStatus, Programme
from eventcal.events.queries import get_event
from eventcal.kit.database import Database
from eventcal.members.caller import OPERATOR
from eventcal.sponsors.models import Sponsorship
from eventcal.talks.delete_and_merge_referenced import merge_speakers
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk, TalkStateChange
from tests.clocks import NOON, FixedClock
from tests.datasets import (
    EVENT_RECORD,
    SPEAKER_RECORD,
    TALK_RECORD,
    list_all_rows,
    load_errors,
    load_sections,
    open_indexed_database,
)
from tests.factories import make_event, make_member, make_speaker, make_talk

SPONSOR_FIELDS = {"slug": "rackspace", "name": "Rackspace"}
TIER_FIELDS = {"name": "Gold", "capacity": 1}


@pytest.fixture
def calendar_database(database_url: str, clock: FixedClock) -> Iterator[Database]:
    calendar = open_indexed_database(database_url, clock)
    yield calendar
    calendar.engine.dispose()


def load_co_located_slugs(calendar: Database, slug: str) -> list[str]:
    with calendar.read_session() as session:
        event = get_event(session, slug, OPERATOR)
        return [row.other.slug for row in event.neighbours]


def load_talk_states(calendar: Database) -> dict[str, tuple[str, bool]]:
    """Return each talk's state and whether it is public."""
    with calendar.read_session() as session:
        return {talk.title: (talk.state, talk.published_at is not None) for talk in session.scalars(select(Talk))}


def load_state_changes(calendar: Database) -> list[tuple[str | None, str]]:
    with calendar.read_session() as session:
        return [
            (step.from_state, step.to_state)
            for step in session.scalars(select(TalkStateChange).order_by(TalkStateChange.id))
        ]


def load_event_status(calendar: Database, slug: str = "summit") -> str:
    with calendar.read_session() as session:
        event = get_event(session, slug, OPERATOR)
        return event.status


def load_sponsorship_states(calendar: Database) -> list[str]:
    with calendar.read_session() as session:
        return [row.state for row in session.scalars(select(Sponsorship).order_by(Sponsorship.created_at))]


def load_mail_payloads(calendar: Database) -> list[str]:
    with calendar.read_connection() as connection:
        return list(connection.execute(text("SELECT payload FROM outbox_messages")).scalars())


# Co-located events


def test_event_can_be_co_located_with_a_later_event_in_the_file(calendar_database: Database) -> None:
    load_sections(
        calendar_database,
        events=[
            {**EVENT_RECORD, "slug": "one", "co_located_with": ["three", "two"]},
            {**EVENT_RECORD, "slug": "two", "co_located_with": ["one", "three"]},
            {**EVENT_RECORD, "slug": "three", "co_located_with": ["one", "two"]},
        ],
    )
    assert load_co_located_slugs(calendar_database, "one") == ["three", "two"]
    assert load_co_located_slugs(calendar_database, "two") == ["one", "three"]
    assert load_co_located_slugs(calendar_database, "three") == ["one", "two"]


@pytest.mark.parametrize("other", [{}, {"co_located_with": []}, {"co_located_with": None}])
def test_co_location_given_for_one_event_applies_to_both(
    calendar_database: Database, clock: FixedClock, other: dict[str, Any]
) -> None:
    file = [{**EVENT_RECORD, "slug": "one", "co_located_with": ["two"]}, {**EVENT_RECORD, "slug": "two", **other}]
    load_sections(calendar_database, events=file)
    assert load_co_located_slugs(calendar_database, "one") == ["two"]
    assert load_co_located_slugs(calendar_database, "two") == ["one"]
    before = list_all_rows(calendar_database)
    clock.tick(60)
    load_sections(calendar_database, events=file)
    assert list_all_rows(calendar_database) == before


def test_removing_a_co_located_event_removes_both_links(calendar_database: Database) -> None:
    load_sections(
        calendar_database,
        events=[{**EVENT_RECORD, "slug": "one", "co_located_with": ["two"]}, {**EVENT_RECORD, "slug": "two"}],
    )
    load_sections(calendar_database, events=[{"slug": "one", "co_located_with": []}])
    assert load_co_located_slugs(calendar_database, "two") == []


def test_event_cannot_be_co_located_with_an_unpublished_event(calendar_database: Database) -> None:
    file = [{**EVENT_RECORD, "co_located_with": ["draft"]}, {**EVENT_RECORD, "slug": "draft", "status": "draft"}]
    assert load_errors(calendar_database, events=file) == [
        ("/events/0/co_located_with/0", "is not a public event: “draft”")
    ]


# Status of events


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        ("draft", "confirmed"),
        ("draft", "pending"),
        ("pending", "tentative"),
        ("pending", "confirmed"),
        ("tentative", "postponed"),
        ("confirmed", "cancelled"),
    ],
)
def test_event_takes_the_status_given_in_the_file(calendar_database: Database, before: str, wanted: str) -> None:
    load_sections(calendar_database, events=[{**EVENT_RECORD, "status": before}])
    load_sections(calendar_database, events=[{"slug": "summit", "status": wanted}])
    assert load_event_status(calendar_database) == wanted


@pytest.mark.parametrize(("before", "wanted"), [("cancelled", "confirmed"), ("confirmed", "draft")])
def test_event_status_change_outside_the_transition_table_is_rejected(
    calendar_database: Database, before: str, wanted: str
) -> None:
    load_sections(calendar_database, events=[{**EVENT_RECORD, "status": before}])
    [(pointer, _)] = load_errors(calendar_database, events=[{"slug": "summit", "status": wanted}])
    assert pointer == "/events/0/status"


def test_event_without_status_is_confirmed(calendar_database: Database) -> None:
    load_sections(calendar_database, events=[EVENT_RECORD])
    assert load_event_status(calendar_database) == EventStatus.CONFIRMED


# State of talks


def test_talks_are_published_by_the_programme_rule_of_their_event(calendar_database: Database) -> None:
    states = ["draft", "submitted", "accepted", "confirmed", "rejected"]
    events = [{**EVENT_RECORD, "slug": "curated"}, {**EVENT_RECORD, "slug": "listed", "programme": "listed"}]
    load_sections(
        calendar_database,
        speakers=[SPEAKER_RECORD],
        events=events,
        talks=[
            {**TALK_RECORD, "event": event["slug"], "title": f"{event['slug']} {state}", "state": state}
            for event in events
            for state in states
        ],
    )
    assert {title for title, (_, public) in load_talk_states(calendar_database).items() if public} == {
        "curated confirmed",
        "listed accepted",
        "listed confirmed",
    }


def test_talk_without_state_is_submitted(calendar_database: Database) -> None:
    load_sections(
        calendar_database, events=[EVENT_RECORD], talks=[{"event": "summit", "title": "Xen on ARM", "state": None}]
    )
    assert load_talk_states(calendar_database) == {"Xen on ARM": (TalkState.SUBMITTED, False)}
    assert load_state_changes(calendar_database) == [(None, "submitted")]


def test_talk_reaches_the_given_state_step_by_step(calendar_database: Database) -> None:
    with calendar_database.unit_of_work() as unit:
        event = make_event(unit.session, slug="summit")
        make_talk(unit.session, event, submitter=make_member(unit.session))
    load_sections(calendar_database, talks=[{"event": "summit", "title": "Xen on ARM", "state": "confirmed"}])
    assert load_talk_states(calendar_database) == {"Xen on ARM": (TalkState.CONFIRMED, True)}
    assert load_state_changes(calendar_database) == [("submitted", "accepted"), ("accepted", "confirmed")]
    assert len(load_mail_payloads(calendar_database)) == 1, "whoever offered it hears of the decision"


@pytest.mark.parametrize("over", ["cancelled", "withdrawn", "rejected"])
def test_talk_in_a_final_state_cannot_be_reopened(calendar_database: Database, over: str) -> None:
    with calendar_database.unit_of_work() as unit:
        make_talk(unit.session, make_event(unit.session, slug="summit"), state=TalkState(over))
    file = [{"event": "summit", "title": "Xen on ARM", "state": "confirmed"}]
    assert load_errors(calendar_database, talks=file) == [
        ("/talks/0/state", f"cannot be changed from {over} to confirmed; omit it or use {over}")
    ]


def test_accepted_talk_becomes_public_when_its_event_becomes_listed(calendar_database: Database) -> None:
    load_sections(
        calendar_database,
        events=[EVENT_RECORD],
        talks=[{"event": "summit", "title": "Xen on ARM", "state": "accepted"}],
    )
    listed = [{"slug": "summit", "programme": "listed"}]
    load_sections(calendar_database, events=listed, talks=[{"event": "summit", "title": "Xen on ARM"}])
    assert load_talk_states(calendar_database) == {"Xen on ARM": (TalkState.ACCEPTED, True)}


def test_closed_call_and_past_event_do_not_prevent_loading_a_talk(calendar_database: Database) -> None:
    past = {**EVENT_RECORD, "starts": "2014-06-10", "ends": "2014-06-12", "call_for_talks": {"kinds": ["bof"]}}
    load_sections(calendar_database, events=[past], talks=[{"event": "summit", "title": "Xen on ARM", "kind": "talk"}])
    assert load_talk_states(calendar_database) == {"Xen on ARM": (TalkState.SUBMITTED, False)}


def test_title_shared_by_two_talks_refers_to_the_public_one(calendar_database: Database) -> None:
    with calendar_database.unit_of_work() as unit:
        event = make_event(unit.session, slug="summit")
        make_talk(unit.session, event)
        public = make_talk(unit.session, event, state=TalkState.CONFIRMED, now=NOON + timedelta(hours=1)).id
        make_talk(unit.session, event, state=TalkState.WITHDRAWN, published_at=NOON)
    load_sections(calendar_database, talks=[{"event": "summit", "title": "Xen on ARM", "abstract": "Words."}])
    with calendar_database.read_session() as session:
        assert session.scalars(select(Talk.id).where(Talk.abstract == "Words.")).all() == [public]


def test_talk_can_be_a_reprise_of_a_later_or_stored_talk(calendar_database: Database) -> None:
    again = {"event": "summit", "title": "Again", "reprise_of": {"event": "summit", "title": "First"}}
    load_sections(calendar_database, events=[EVENT_RECORD], talks=[again, {"event": "summit", "title": "First"}])
    load_sections(calendar_database, talks=[{**again, "title": "Once more"}])
    with calendar_database.read_session() as session:
        rows = dict(session.execute(select(Talk.title, Talk.reprise_of_id)).all())
        first = session.scalars(select(Talk.id).where(Talk.title == "First")).one()
    assert rows == {"First": None, "Again": first, "Once more": first}
    load_sections(calendar_database, talks=[{"event": "summit", "title": "Again", "reprise_of": None}])
    with calendar_database.read_session() as session:
        assert session.scalars(select(Talk.reprise_of_id).where(Talk.title == "Again")).one() is None


def test_talk_cannot_be_a_reprise_of_itself(calendar_database: Database) -> None:
    talk = {"event": "summit", "title": "Again", "reprise_of": {"event": "summit", "title": "Again"}}
    assert load_errors(calendar_database, events=[EVENT_RECORD], talks=[talk]) == [
        ("/talks/0/reprise_of", "a talk cannot be a repetition of itself; use the earlier talk")
    ]


# Speakers and sponsors


def test_record_of_a_merged_speaker_links_talks_to_the_remaining_speaker(calendar_database: Database) -> None:
    with calendar_database.unit_of_work() as unit:
        kept = make_speaker(unit.session, slug="countess", name="Ada King")
        merged = make_speaker(unit.session, slug="ada")
        merge_speakers(unit.session, kept, merged, caller=OPERATOR, now=unit.now)
    load_sections(calendar_database, speakers=[SPEAKER_RECORD], events=[EVENT_RECORD], talks=[TALK_RECORD])
    with calendar_database.read_session() as session:
        query = "SELECT slug, name FROM speakers JOIN talk_speakers ON speaker_id = id"
        assert session.execute(text(query)).all() == [("countess", "Ada King")]


def test_sponsorship_takes_the_state_given_in_the_file(calendar_database: Database) -> None:
    held = {"sponsor": "rackspace", "tier": "Gold"}
    load_sections(
        calendar_database,
        sponsors=[SPONSOR_FIELDS],
        events=[{**EVENT_RECORD, "tiers": [TIER_FIELDS], "sponsorships": [held]}],
    )
    assert load_sponsorship_states(calendar_database) == ["enquiry"]
    for state in ("confirmed", "cancelled"):
        load_sections(calendar_database, events=[{"slug": "summit", "sponsorships": [{**held, "state": state}]}])
        assert load_sponsorship_states(calendar_database) == [state]
    for state in ("confirmed", "enquiry"):
        file = [{"slug": "summit", "sponsorships": [{**held, "state": state}]}]
        assert [pointer for pointer, _ in load_errors(calendar_database, events=file)] == ["/events/0/sponsorships/0"]


def test_file_cannot_oversell_a_tier(calendar_database: Database) -> None:
    held = [{"sponsor": slug, "tier": "Gold", "state": "confirmed"} for slug in ("rackspace", "citrix")]
    sponsors = [SPONSOR_FIELDS, {"slug": "citrix", "name": "Citrix"}]
    assert load_errors(
        calendar_database, sponsors=sponsors, events=[{**EVENT_RECORD, "tiers": [TIER_FIELDS], "sponsorships": held}]
    ) == [("/events/0/sponsorships/1", "The tier “Gold” has no free places (capacity: 1).")]


def test_past_event_can_have_sponsors(calendar_database: Database) -> None:
    past = {**EVENT_RECORD, "starts": "2014-06-10", "ends": "2014-06-12", "programme": Programme.LISTED.value}
    held = {"sponsor": "rackspace", "tier": "Gold", "state": "confirmed", "note": "Hosted it."}
    load_sections(
        calendar_database, sponsors=[SPONSOR_FIELDS], events=[{**past, "tiers": [TIER_FIELDS], "sponsorships": [held]}]
    )
    assert load_sponsorship_states(calendar_database) == ["confirmed"]


def test_repeated_part_of_an_event_is_reported(calendar_database: Database) -> None:
    twice = {"tracks": [{"name": "Main"}] * 2, "sponsorships": [{"sponsor": "rackspace", "tier": "Gold"}] * 2}
    assert load_errors(
        calendar_database, sponsors=[SPONSOR_FIELDS], events=[{**EVENT_RECORD, **twice, "tiers": [TIER_FIELDS]}]
    ) == [
        ("/events/0/sponsorships/1", "is a duplicate of /events/0/sponsorships/0"),
        ("/events/0/tracks/1/name", "is a duplicate of /events/0/tracks/0"),
    ]


def test_recurrence_overrides_are_validated(calendar_database: Database) -> None:
    yearly = {**EVENT_RECORD, "recurrence": "FREQ=YEARLY"}
    assert load_errors(
        calendar_database, events=[{**yearly, "recurrence_overrides": {"2027-06-11": {"title": "Other"}}}]
    ) == [
        (
            "/events/0/recurrence_overrides/2027-06-11",
            "is not an occurrence of the rule; the next occurrence is 2028-06-10",
        )
    ]
    assert load_errors(
        calendar_database, events=[{**yearly, "recurrence_overrides": {"a/b": {}, "2027-06-10": {"price": 1}}}]
    ) == [
        ("/events/0/recurrence_overrides/2027-06-10/price", "is not a known field; remove it"),
        (
            "/events/0/recurrence_overrides/a~1b",
            (
                "must be the original start of an occurrence: a date (2014-08-18) or local date-time "
                "(2014-06-04T13:30:00)"
            ),
        ),
    ]
