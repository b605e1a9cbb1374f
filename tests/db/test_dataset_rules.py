from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from eventcal.events.queries import get_event
from eventcal.events.words import EventStatus, Programme
from eventcal.kit.database import Database
from eventcal.members.caller import OPERATOR
from eventcal.sponsors.models import Sponsorship
from eventcal.talks.models import Talk, TalkStep
from eventcal.talks.removal import merge_speakers
from eventcal.talks.words import TalkState
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
    with calendar.reading() as session:
        event = get_event(session, slug, OPERATOR)
        return [row.other.slug for row in event.neighbours]


def talk_states(calendar: Database) -> dict[str, tuple[str, bool]]:
    """Give each talk's state, and whether the public knows of it."""
    with calendar.reading() as session:
        return {talk.title: (talk.state, talk.published_at is not None) for talk in session.scalars(select(Talk))}


def steps(calendar: Database) -> list[tuple[str | None, str]]:
    with calendar.reading() as session:
        return [(step.came_from, step.went_to) for step in session.scalars(select(TalkStep).order_by(TalkStep.id))]


def status(calendar: Database, slug: str = "summit") -> str:
    with calendar.reading() as session:
        event = get_event(session, slug, OPERATOR)
        return event.status


def sponsorships(calendar: Database) -> list[str]:
    with calendar.reading() as session:
        return [row.state for row in session.scalars(select(Sponsorship).order_by(Sponsorship.created_at))]


def mails(calendar: Database) -> list[str]:
    with calendar.connection() as connection:
        return list(connection.execute(text("SELECT payload FROM outbox_messages")).scalars())


# Events beside each other


def test_events_may_be_beside_one_that_comes_later_in_the_file(calendar: Database) -> None:
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
def test_it_is_enough_that_one_of_two_names_the_other(
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


def test_an_event_is_taken_from_beside_another_by_both_of_them(calendar: Database) -> None:
    load(calendar, events=[{**EVENT, "slug": "one", "co_located_with": ["two"]}, {**EVENT, "slug": "two"}])
    load(calendar, events=[{"slug": "one", "co_located_with": []}])
    assert neighbours(calendar, "two") == []


def test_no_event_is_beside_one_that_is_not_public(calendar: Database) -> None:
    file = [{**EVENT, "co_located_with": ["draft"]}, {**EVENT, "slug": "draft", "status": "draft"}]
    assert refused(calendar, events=file) == [("/events/0/co_located_with/0", "the event “draft” is not public")]


# How far along events are


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
def test_an_event_goes_to_the_status_that_the_file_gives(calendar: Database, before: str, wanted: str) -> None:
    load(calendar, events=[{**EVENT, "status": before}])
    load(calendar, events=[{"slug": "summit", "status": wanted}])
    assert status(calendar) == wanted


@pytest.mark.parametrize(("before", "wanted"), [("cancelled", "confirmed"), ("confirmed", "draft")])
def test_an_event_does_not_go_where_no_step_leads(calendar: Database, before: str, wanted: str) -> None:
    load(calendar, events=[{**EVENT, "status": before}])
    [(pointer, _)] = refused(calendar, events=[{"slug": "summit", "status": wanted}])
    assert pointer == "/events/0/status"


def test_an_event_that_says_nothing_of_its_status_is_public(calendar: Database) -> None:
    load(calendar, events=[EVENT])
    assert status(calendar) == EventStatus.CONFIRMED


# How far along talks are


def test_talks_are_public_by_the_rule_of_their_event(calendar: Database) -> None:
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


def test_a_talk_that_says_nothing_of_its_state_waits_for_a_decision(calendar: Database) -> None:
    load(calendar, events=[EVENT], talks=[{"event": "summit", "title": "Xen on ARM", "state": None}])
    assert talk_states(calendar) == {"Xen on ARM": (TalkState.SUBMITTED, False)}
    assert steps(calendar) == [(None, "submitted")]


def test_a_talk_goes_to_the_state_that_the_file_gives_step_by_step(calendar: Database) -> None:
    with calendar.unit_of_work() as unit:
        event = make_event(unit.session, slug="summit")
        make_talk(unit.session, event, submitter=make_member(unit.session))
    load(calendar, talks=[{"event": "summit", "title": "Xen on ARM", "state": "confirmed"}])
    assert talk_states(calendar) == {"Xen on ARM": (TalkState.CONFIRMED, True)}
    assert steps(calendar) == [("submitted", "accepted"), ("accepted", "confirmed")]
    assert len(mails(calendar)) == 1, "whoever offered it hears of the decision"


@pytest.mark.parametrize("over", ["cancelled", "withdrawn", "rejected"])
def test_a_talk_that_is_over_does_not_come_back(calendar: Database, over: str) -> None:
    with calendar.unit_of_work() as unit:
        make_talk(unit.session, make_event(unit.session, slug="summit"), state=TalkState(over))
    file = [{"event": "summit", "title": "Xen on ARM", "state": "confirmed"}]
    assert refused(calendar, talks=file) == [
        ("/talks/0/state", f"is {over} here already, and does not become confirmed; leave state out, or say {over}")
    ]


def test_a_talk_becomes_public_when_its_event_becomes_a_listed_one(calendar: Database) -> None:
    load(calendar, events=[EVENT], talks=[{"event": "summit", "title": "Xen on ARM", "state": "accepted"}])
    listed = [{"slug": "summit", "programme": "listed"}]
    load(calendar, events=listed, talks=[{"event": "summit", "title": "Xen on ARM"}])
    assert talk_states(calendar) == {"Xen on ARM": (TalkState.ACCEPTED, True)}


def test_calls_and_the_end_of_an_event_do_not_keep_a_talk_out(calendar: Database) -> None:
    past = {**EVENT, "starts": "2014-06-10", "ends": "2014-06-12", "call_for_talks": {"kinds": ["bof"]}}
    load(calendar, events=[past], talks=[{"event": "summit", "title": "Xen on ARM", "kind": "talk"}])
    assert talk_states(calendar) == {"Xen on ARM": (TalkState.SUBMITTED, False)}


def test_of_two_talks_with_one_title_the_file_means_the_one_that_the_public_knows(calendar: Database) -> None:
    with calendar.unit_of_work() as unit:
        event = make_event(unit.session, slug="summit")
        make_talk(unit.session, event)
        public = make_talk(unit.session, event, state=TalkState.CONFIRMED, now=NOON + timedelta(hours=1)).id
        make_talk(unit.session, event, state=TalkState.WITHDRAWN, published_at=NOON)
    load(calendar, talks=[{"event": "summit", "title": "Xen on ARM", "abstract": "Words."}])
    with calendar.reading() as session:
        assert session.scalars(select(Talk.id).where(Talk.abstract == "Words.")).all() == [public]


def test_a_talk_may_repeat_one_that_comes_later_in_the_file_or_is_here_already(calendar: Database) -> None:
    again = {"event": "summit", "title": "Again", "reprise_of": {"event": "summit", "title": "First"}}
    load(calendar, events=[EVENT], talks=[again, {"event": "summit", "title": "First"}])
    load(calendar, talks=[{**again, "title": "Once more"}])
    with calendar.reading() as session:
        rows = dict(session.execute(select(Talk.title, Talk.reprise_of_id)).all())
        first = session.scalars(select(Talk.id).where(Talk.title == "First")).one()
    assert rows == {"First": None, "Again": first, "Once more": first}
    load(calendar, talks=[{"event": "summit", "title": "Again", "reprise_of": None}])
    with calendar.reading() as session:
        assert session.scalars(select(Talk.reprise_of_id).where(Talk.title == "Again")).one() is None


def test_a_talk_does_not_repeat_itself(calendar: Database) -> None:
    talk = {"event": "summit", "title": "Again", "reprise_of": {"event": "summit", "title": "Again"}}
    assert refused(calendar, events=[EVENT], talks=[talk]) == [
        ("/talks/0/reprise_of", "a talk does not repeat itself; name the earlier one")
    ]


# People and organisations


def test_a_speaker_who_was_found_to_be_another_gives_that_one_talks_and_nothing_else(calendar: Database) -> None:
    with calendar.unit_of_work() as unit:
        kept = make_speaker(unit.session, slug="countess", name="Ada King")
        merged = make_speaker(unit.session, slug="ada")
        merge_speakers(unit.session, kept, merged, caller=OPERATOR, now=unit.now)
    load(calendar, speakers=[SPEAKER], events=[EVENT], talks=[TALK])
    with calendar.reading() as session:
        query = "SELECT slug, name FROM speakers JOIN talk_speakers ON speaker_id = id"
        assert session.execute(text(query)).all() == [("countess", "Ada King")]


def test_a_sponsorship_goes_to_the_state_that_the_file_gives(calendar: Database) -> None:
    held = {"sponsor": "rackspace", "tier": "Gold"}
    load(calendar, sponsors=[SPONSOR], events=[{**EVENT, "tiers": [TIER], "sponsorships": [held]}])
    assert sponsorships(calendar) == ["enquiry"]
    for state in ("confirmed", "cancelled"):
        load(calendar, events=[{"slug": "summit", "sponsorships": [{**held, "state": state}]}])
        assert sponsorships(calendar) == [state]
    for state in ("confirmed", "enquiry"):
        file = [{"slug": "summit", "sponsorships": [{**held, "state": state}]}]
        assert [pointer for pointer, _ in refused(calendar, events=file)] == ["/events/0/sponsorships/0"]


def test_a_tier_is_not_oversold_by_a_file(calendar: Database) -> None:
    held = [{"sponsor": slug, "tier": "Gold", "state": "confirmed"} for slug in ("rackspace", "citrix")]
    sponsors = [SPONSOR, {"slug": "citrix", "name": "Citrix"}]
    assert refused(calendar, sponsors=sponsors, events=[{**EVENT, "tiers": [TIER], "sponsorships": held}]) == [
        ("/events/0/sponsorships/1", "All 1 places of “Gold” are taken.")
    ]


def test_an_event_that_is_over_may_have_had_sponsors(calendar: Database) -> None:
    past = {**EVENT, "starts": "2014-06-10", "ends": "2014-06-12", "programme": Programme.LISTED.value}
    held = {"sponsor": "rackspace", "tier": "Gold", "state": "confirmed", "note": "Hosted it."}
    load(calendar, sponsors=[SPONSOR], events=[{**past, "tiers": [TIER], "sponsorships": [held]}])
    assert sponsorships(calendar) == ["confirmed"]


def test_a_repeated_part_of_an_event_is_named(calendar: Database) -> None:
    twice = {"tracks": [{"name": "Main"}] * 2, "sponsorships": [{"sponsor": "rackspace", "tier": "Gold"}] * 2}
    assert refused(calendar, sponsors=[SPONSOR], events=[{**EVENT, **twice, "tiers": [TIER]}]) == [
        ("/events/0/sponsorships/1", "is in this file already, at /events/0/sponsorships/0"),
        ("/events/0/tracks/1/name", "is in this file already, at /events/0/tracks/0"),
    ]


def test_an_override_of_an_occurrence_is_looked_at_like_everything_else(calendar: Database) -> None:
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
