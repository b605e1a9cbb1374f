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
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk, TalkStateChange
from eventcal.talks.removal import merge_speakers
from tests.clocks import NOON, FixedClock
from tests.datasets import EVENT, SPEAKER, TALK, everything, load, open_calendar, refused
from tests.make import make_event, make_member, make_speaker, make_talk

SPONSOR = {"slug": "rackspace", "name": "Rackspace"}
TIER = {"name": "Gold", "capacity": 1}


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[Database]:
    calendar = open_calendar(database_url, clock)
    yield calendar
    calendar.engine.dispose()


def neighbours(calendar: Database, slug: str) -> list[str]:
    with calendar.read_session() as session:
        event = get_event(session, slug, OPERATOR)
        return [row.other.slug for row in event.neighbours]


def talk_states(calendar: Database) -> dict[str, tuple[str, bool]]:
    """Return each talk's state and whether it is public."""
    with calendar.read_session() as session:
        return {talk.title: (talk.state, talk.published_at is not None) for talk in session.scalars(select(Talk))}


def steps(calendar: Database) -> list[tuple[str | None, str]]:
    with calendar.read_session() as session:
        return [
            (step.from_state, step.to_state)
            for step in session.scalars(select(TalkStateChange).order_by(TalkStateChange.id))
        ]


def status(calendar: Database, slug: str = "summit") -> str:
    with calendar.read_session() as session:
        event = get_event(session, slug, OPERATOR)
        return event.status


def sponsorships(calendar: Database) -> list[str]:
    with calendar.read_session() as session:
        return [row.state for row in session.scalars(select(Sponsorship).order_by(Sponsorship.created_at))]


def mails(calendar: Database) -> list[str]:
    with calendar.read_connection() as connection:
        return list(connection.execute(text("SELECT payload FROM outbox_messages")).scalars())


# Co-located events


def test_event_can_be_co_located_with_a_later_event_in_the_file(calendar: Database) -> None:
    load(
        calendar,
        events=[
            {**EVENT, "slug": "one", "co_located_with": ["three", "two"]},
            {**EVENT, "slug": "two", "co_located_with": ["one", "three"]},
            {**EVENT, "slug": "three", "co_located_with": ["one", "two"]},
        ],
    )
    assert neighbours(calendar, "one") == ["three", "two"]
    assert neighbours(calendar, "two") == ["one", "three"]
    assert neighbours(calendar, "three") == ["one", "two"]


@pytest.mark.parametrize("other", [{}, {"co_located_with": []}, {"co_located_with": None}])
def test_co_location_given_for_one_event_applies_to_both(
    calendar: Database, clock: FixedClock, other: dict[str, Any]
) -> None:
    file = [{**EVENT, "slug": "one", "co_located_with": ["two"]}, {**EVENT, "slug": "two", **other}]
    load(calendar, events=file)
    assert neighbours(calendar, "one") == ["two"]
    assert neighbours(calendar, "two") == ["one"]
    before = everything(calendar)
    clock.tick(60)
    load(calendar, events=file)
    assert everything(calendar) == before


def test_removing_a_co_located_event_removes_both_links(calendar: Database) -> None:
    load(calendar, events=[{**EVENT, "slug": "one", "co_located_with": ["two"]}, {**EVENT, "slug": "two"}])
    load(calendar, events=[{"slug": "one", "co_located_with": []}])
    assert neighbours(calendar, "two") == []


def test_event_cannot_be_co_located_with_an_unpublished_event(calendar: Database) -> None:
    file = [{**EVENT, "co_located_with": ["draft"]}, {**EVENT, "slug": "draft", "status": "draft"}]
    assert refused(calendar, events=file) == [("/events/0/co_located_with/0", "the event “draft” is not public")]


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
def test_event_takes_the_status_given_in_the_file(calendar: Database, before: str, wanted: str) -> None:
    load(calendar, events=[{**EVENT, "status": before}])
    load(calendar, events=[{"slug": "summit", "status": wanted}])
    assert status(calendar) == wanted


@pytest.mark.parametrize(("before", "wanted"), [("cancelled", "confirmed"), ("confirmed", "draft")])
def test_event_status_change_outside_the_transition_table_is_rejected(
    calendar: Database, before: str, wanted: str
) -> None:
    load(calendar, events=[{**EVENT, "status": before}])
    [(pointer, _)] = refused(calendar, events=[{"slug": "summit", "status": wanted}])
    assert pointer == "/events/0/status"


def test_event_without_status_is_confirmed(calendar: Database) -> None:
    load(calendar, events=[EVENT])
    assert status(calendar) == EventStatus.CONFIRMED


# State of talks


def test_talks_are_published_by_the_programme_rule_of_their_event(calendar: Database) -> None:
    states = ["draft", "submitted", "accepted", "confirmed", "rejected"]
    events = [{**EVENT, "slug": "curated"}, {**EVENT, "slug": "listed", "programme": "listed"}]
    load(
        calendar,
        speakers=[SPEAKER],
        events=events,
        talks=[
            {**TALK, "event": event["slug"], "title": f"{event['slug']} {state}", "state": state}
            for event in events
            for state in states
        ],
    )
    assert {title for title, (_, public) in talk_states(calendar).items() if public} == {
        "curated confirmed",
        "listed accepted",
        "listed confirmed",
    }


def test_talk_without_state_is_submitted(calendar: Database) -> None:
    load(calendar, events=[EVENT], talks=[{"event": "summit", "title": "Xen on ARM", "state": None}])
    assert talk_states(calendar) == {"Xen on ARM": (TalkState.SUBMITTED, False)}
    assert steps(calendar) == [(None, "submitted")]


def test_talk_reaches_the_given_state_step_by_step(calendar: Database) -> None:
    with calendar.unit_of_work() as unit:
        event = make_event(unit.session, slug="summit")
        make_talk(unit.session, event, submitter=make_member(unit.session))
    load(calendar, talks=[{"event": "summit", "title": "Xen on ARM", "state": "confirmed"}])
    assert talk_states(calendar) == {"Xen on ARM": (TalkState.CONFIRMED, True)}
    assert steps(calendar) == [("submitted", "accepted"), ("accepted", "confirmed")]
    assert len(mails(calendar)) == 1, "whoever offered it hears of the decision"


@pytest.mark.parametrize("over", ["cancelled", "withdrawn", "rejected"])
def test_talk_in_a_final_state_cannot_be_reopened(calendar: Database, over: str) -> None:
    with calendar.unit_of_work() as unit:
        make_talk(unit.session, make_event(unit.session, slug="summit"), state=TalkState(over))
    file = [{"event": "summit", "title": "Xen on ARM", "state": "confirmed"}]
    assert refused(calendar, talks=file) == [
        ("/talks/0/state", f"is {over} here already, and does not become confirmed; leave state out, or say {over}")
    ]


def test_accepted_talk_becomes_public_when_its_event_becomes_listed(calendar: Database) -> None:
    load(calendar, events=[EVENT], talks=[{"event": "summit", "title": "Xen on ARM", "state": "accepted"}])
    listed = [{"slug": "summit", "programme": "listed"}]
    load(calendar, events=listed, talks=[{"event": "summit", "title": "Xen on ARM"}])
    assert talk_states(calendar) == {"Xen on ARM": (TalkState.ACCEPTED, True)}


def test_closed_call_and_past_event_do_not_prevent_loading_a_talk(calendar: Database) -> None:
    past = {**EVENT, "starts": "2014-06-10", "ends": "2014-06-12", "call_for_talks": {"kinds": ["bof"]}}
    load(calendar, events=[past], talks=[{"event": "summit", "title": "Xen on ARM", "kind": "talk"}])
    assert talk_states(calendar) == {"Xen on ARM": (TalkState.SUBMITTED, False)}


def test_title_shared_by_two_talks_refers_to_the_public_one(calendar: Database) -> None:
    with calendar.unit_of_work() as unit:
        event = make_event(unit.session, slug="summit")
        make_talk(unit.session, event)
        public = make_talk(unit.session, event, state=TalkState.CONFIRMED, now=NOON + timedelta(hours=1)).id
        make_talk(unit.session, event, state=TalkState.WITHDRAWN, published_at=NOON)
    load(calendar, talks=[{"event": "summit", "title": "Xen on ARM", "abstract": "Words."}])
    with calendar.read_session() as session:
        assert session.scalars(select(Talk.id).where(Talk.abstract == "Words.")).all() == [public]


def test_talk_can_be_a_reprise_of_a_later_or_stored_talk(calendar: Database) -> None:
    again = {"event": "summit", "title": "Again", "reprise_of": {"event": "summit", "title": "First"}}
    load(calendar, events=[EVENT], talks=[again, {"event": "summit", "title": "First"}])
    load(calendar, talks=[{**again, "title": "Once more"}])
    with calendar.read_session() as session:
        rows = dict(session.execute(select(Talk.title, Talk.reprise_of_id)).all())
        first = session.scalars(select(Talk.id).where(Talk.title == "First")).one()
    assert rows == {"First": None, "Again": first, "Once more": first}
    load(calendar, talks=[{"event": "summit", "title": "Again", "reprise_of": None}])
    with calendar.read_session() as session:
        assert session.scalars(select(Talk.reprise_of_id).where(Talk.title == "Again")).one() is None


def test_talk_cannot_be_a_reprise_of_itself(calendar: Database) -> None:
    talk = {"event": "summit", "title": "Again", "reprise_of": {"event": "summit", "title": "Again"}}
    assert refused(calendar, events=[EVENT], talks=[talk]) == [
        ("/talks/0/reprise_of", "a talk does not repeat itself; name the earlier one")
    ]


# Speakers and sponsors


def test_record_of_a_merged_speaker_links_talks_to_the_remaining_speaker(calendar: Database) -> None:
    with calendar.unit_of_work() as unit:
        kept = make_speaker(unit.session, slug="countess", name="Ada King")
        merged = make_speaker(unit.session, slug="ada")
        merge_speakers(unit.session, kept, merged, caller=OPERATOR, now=unit.now)
    load(calendar, speakers=[SPEAKER], events=[EVENT], talks=[TALK])
    with calendar.read_session() as session:
        query = "SELECT slug, name FROM speakers JOIN talk_speakers ON speaker_id = id"
        assert session.execute(text(query)).all() == [("countess", "Ada King")]


def test_sponsorship_takes_the_state_given_in_the_file(calendar: Database) -> None:
    held = {"sponsor": "rackspace", "tier": "Gold"}
    load(calendar, sponsors=[SPONSOR], events=[{**EVENT, "tiers": [TIER], "sponsorships": [held]}])
    assert sponsorships(calendar) == ["enquiry"]
    for state in ("confirmed", "cancelled"):
        load(calendar, events=[{"slug": "summit", "sponsorships": [{**held, "state": state}]}])
        assert sponsorships(calendar) == [state]
    for state in ("confirmed", "enquiry"):
        file = [{"slug": "summit", "sponsorships": [{**held, "state": state}]}]
        assert [pointer for pointer, _ in refused(calendar, events=file)] == ["/events/0/sponsorships/0"]


def test_file_cannot_oversell_a_tier(calendar: Database) -> None:
    held = [{"sponsor": slug, "tier": "Gold", "state": "confirmed"} for slug in ("rackspace", "citrix")]
    sponsors = [SPONSOR, {"slug": "citrix", "name": "Citrix"}]
    assert refused(calendar, sponsors=sponsors, events=[{**EVENT, "tiers": [TIER], "sponsorships": held}]) == [
        ("/events/0/sponsorships/1", "All 1 places of “Gold” are taken.")
    ]


def test_past_event_can_have_sponsors(calendar: Database) -> None:
    past = {**EVENT, "starts": "2014-06-10", "ends": "2014-06-12", "programme": Programme.LISTED.value}
    held = {"sponsor": "rackspace", "tier": "Gold", "state": "confirmed", "note": "Hosted it."}
    load(calendar, sponsors=[SPONSOR], events=[{**past, "tiers": [TIER], "sponsorships": [held]}])
    assert sponsorships(calendar) == ["confirmed"]


def test_repeated_part_of_an_event_is_reported(calendar: Database) -> None:
    twice = {"tracks": [{"name": "Main"}] * 2, "sponsorships": [{"sponsor": "rackspace", "tier": "Gold"}] * 2}
    assert refused(calendar, sponsors=[SPONSOR], events=[{**EVENT, **twice, "tiers": [TIER]}]) == [
        ("/events/0/sponsorships/1", "is in this file already, at /events/0/sponsorships/0"),
        ("/events/0/tracks/1/name", "is in this file already, at /events/0/tracks/0"),
    ]


def test_recurrence_overrides_are_validated(calendar: Database) -> None:
    yearly = {**EVENT, "recurrence": "FREQ=YEARLY"}
    assert refused(calendar, events=[{**yearly, "recurrence_overrides": {"2027-06-11": {"title": "Other"}}}]) == [
        (
            "/events/0/recurrence_overrides/2027-06-11",
            "is no occurrence of the rule; from that day on, the rule has 2028-06-10 first",
        )
    ]
    assert refused(calendar, events=[{**yearly, "recurrence_overrides": {"a/b": {}, "2027-06-10": {"price": 1}}}]) == [
        ("/events/0/recurrence_overrides/2027-06-10/price", "is not known here; leave it out"),
        (
            "/events/0/recurrence_overrides/a~1b",
            "must be a date or a local time to the second, as the rule has it: 2014-08-18 or 2014-06-04T13:30:00",
        ),
    ]
