"""An event's page: its content, its links, and when it changes."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from flask import Flask

from eventcal.events.enums import Attendance, EventStatus, Programme
from eventcal.events.models import CoLocation
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Tier
from eventcal.talks.enums import TalkState
from tests.clocks import FixedClock
from tests.factories import make_event, make_speaker, make_sponsor, make_sponsorship, make_talk, make_tier
from tests.feed_support.feed_client import fetch
from tests.html_pages import element_text, get_page
from tests.http_app import status_and_code, write_session

EVENT_PATH = "/events/summit"


def fetch_text(app: Flask, path: str = EVENT_PATH, **headers: str) -> str:
    """Return the text of the page on one line."""
    return element_text(find_main(get_page(app, path, **headers)))


def find_main(tree: Element) -> Element:
    main = next(tree.iter("main"), None)
    assert main is not None
    return main


def fetch_links(app: Flask, path: str = EVENT_PATH) -> dict[str, Element]:
    """Return the links on the page by URL."""
    return {link.get("href", ""): link for link in find_main(get_page(app, path)).iter("a")}


def fetch_facts(app: Flask, path: str = EVENT_PATH, **headers: str) -> dict[str, str]:
    """Return the facts on the page by name."""
    lists = [one for one in find_main(get_page(app, path, **headers)).iter("dl") if one.get("class") == "facts"]
    names = [element_text(one) for facts in lists for one in facts.iter("dt")]
    return dict(zip(names, [plain_text(one) for fetch_facts in lists for one in fetch_facts.iter("dd")], strict=True))


def plain_text(element: Element) -> str:
    """Return the text of an element with plain spaces and hyphens."""
    return element_text(element).replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{EN DASH}", "-")


def test_event_page_shows_all_known_facts(app: Flask) -> None:
    with write_session(app) as session:
        make_event(
            session,
            slug="summit",
            summary="Three days of Xen",
            description="All about *Xen*.",
            attendance=Attendance.HYBRID,
            venue="bcc",
            address="Alexanderstr. 11",
            city="Berlin",
            country="DE",
            latitude=52.5208,
            longitude=13.4163,
            url="https://summit.example.org/",
            online_url="https://live.example.org/",
            registration_url="https://tickets.example.org/",
            price_amount=249,
            price_currency="EUR",
            series="Xen summits",
            tags=["xen"],
            call=None,
        )
    assert fetch_facts(app) == {
        "When": "Wed, Jun 10, 2026 - Fri, Jun 12, 2026",
        "Where": "bcc, Alexanderstr. 11, Berlin, GermanyShow on OpenStreetMap",
        "Taking part": "In person and online",
        "Online": "https://live.example.org/",
        "Registration": "Register, €249.00",
        "Website": "https://summit.example.org/",
        "Tags": "xen",
    }
    assert "Deutschland" in fetch_text(app, Accept_Language="de")
    assert "Three days of Xen" in fetch_text(app)
    links = fetch_links(app)
    assert links["https://summit.example.org/"].get("rel") == "nofollow ugc noopener"
    assert links["https://tickets.example.org/"].get("rel") == "nofollow ugc noopener"
    assert {
        "https://www.openstreetmap.org/?mlat=52.520800&mlon=13.416300#map=17/52.520800/13.416300",
        "/?series=Xen%20summits",
        "/?tag=xen",
        "/subscribe?event=summit",
    } <= links.keys()


def test_free_event_is_labelled_free_of_charge(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit", price_amount=0, price_currency="EUR")
    assert fetch_facts(app)["Registration"] == "free of charge"


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (EventStatus.CANCELLED, "Cancelled"),
        (EventStatus.POSTPONED, "Postponed"),
        (EventStatus.TENTATIVE, "Not certain yet"),
        (EventStatus.CONFIRMED, ""),
    ],
)
def test_heading_contains_the_event_status(app: Flask, status: EventStatus, word: str) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit", status=status)
    heading = next(find_main(get_page(app, EVENT_PATH)).iter("h1"))
    assert element_text(heading) == f"Xen Summit {word}".strip()


def test_times_are_in_the_event_time_zone_or_the_requested_one(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit", starts="2026-06-10T18:00:00", ends="2026-06-10T20:00:00")
    assert fetch_facts(app)["When"] == "Wed, Jun 10, 2026, 6:00 PM-8:00 PM Europe/Berlin"
    assert fetch_facts(app, f"{EVENT_PATH}?tz=Asia/Tokyo", Accept_Language="de")["Wann"] == (
        "Do., 11. Juni 2026, 01:00-03:00 Asia/Tokyo"
    )


def test_page_of_an_unpublished_event_returns_404(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit", status=EventStatus.PENDING)
    answers = [fetch(app, path, Accept="application/json") for path in (EVENT_PATH, "/events/nothing")]
    assert [status_and_code(answer)[0] for answer in answers] == [404, 404]


def test_recurring_event_shows_its_rule_and_next_dates(app: Flask) -> None:
    with write_session(app) as session:
        make_event(
            session,
            slug="summit",
            starts="2026-01-06T16:00:00",
            ends="2026-01-06T17:00:00",
            recurrence="FREQ=MONTHLY;BYDAY=1TU;COUNT=5",
            recurrence_overrides={"2026-04-07T16:00:00": {"status": "cancelled"}},
        )
    known = fetch_facts(app)
    assert known["When"].startswith("Tue, Mar 3, 2026")
    assert known["Repeats"] == "Every month on the first TuesdayThe last time is on Tuesday, May 5, 2026"
    dates = next(
        one
        for one in find_main(get_page(app, EVENT_PATH)).iter("section")
        if element_text(one).startswith("Next dates")
    )
    assert [element_text(one)[:15] for one in dates.iter("li")] == [
        "Tue, Mar 3, 202",
        "Tue, Apr 7, 202",
        "Tue, May 5, 202",
    ]
    assert [element_text(one) for one in dates.iter("strong")] == ["Cancelled"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY;INTERVAL=2", "Every 2 days"),
        ("FREQ=WEEKLY;BYDAY=TU,TH", "Every week on Tuesday and Thursday"),
        ("FREQ=WEEKLY;INTERVAL=2", "Every 2 weeks"),
        ("FREQ=MONTHLY;BYDAY=-1TU", "Every month on the last Tuesday"),
        ("FREQ=YEARLY", "Every year"),
        ("FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=3,5", "By a rule of its own; see the next dates"),
    ],
)
def test_simple_recurrence_rules_are_described_in_words(app: Flask, rule: str, words: str) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit", starts="2026-03-31", ends="2026-03-31", recurrence=rule)
    assert fetch_facts(app)["Repeats"] == words


def test_open_call_shows_its_details_and_a_link_to_the_form(app: Flask) -> None:
    with write_session(app) as session:
        call = {"kinds": ["talk", "workshop"], "note": "Beginners are welcome."}
        make_event(session, slug="summit", call=call, talks_close_at="2026-04-30T18:00:00")
    text = fetch_text(app)
    assert "Open for talks; it closes in 60 days." in text
    assert "Thu, Apr 30, 2026" in text
    assert "Beginners are welcome." in text
    assert fetch_facts(app)["Takes"] == "Talk, Workshop"
    assert element_text(fetch_links(app)["/submit?event=summit"]) == "Submit a talk"


def test_call_that_is_not_open_has_no_link_to_the_form(app: Flask, clock: FixedClock) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit", call={"opens": "2026-04-01T09:00:00"}, talks_close_at="2026-04-30T18:00:00")
    assert "Not open yet." in fetch_text(app)
    assert {"Opens", "Closes"} <= fetch_facts(app).keys()
    assert "/submit?event=summit" not in fetch_links(app)
    clock.set_time(datetime(2026, 5, 1, 12, tzinfo=UTC))
    assert "It takes no more talks." in fetch_text(app)
    assert "Closed" in fetch_facts(app)
    assert "/submit?event=summit" not in fetch_links(app)


@pytest.mark.parametrize("fields", [{"status": EventStatus.CANCELLED}, {"call": None}])
def test_event_without_a_call_has_no_link_to_the_form(app: Flask, fields: dict[str, Any]) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit", **fields)
    assert "/submit?event=summit" not in fetch_links(app)


def test_listed_event_accepts_talks_without_a_call(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit", programme=Programme.LISTED, call=None)
    assert "Anybody can announce a talk here." in fetch_text(app)
    assert "/submit?event=summit" in fetch_links(app)


def test_call_closes_on_a_cached_page_at_the_exact_second(app: Flask, clock: FixedClock) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit", talks_close_at="2026-03-01T18:00:00+00:00")
    assert "it closes in 6 hours." in fetch_text(app)
    assert "Last-Modified" not in fetch(app, EVENT_PATH).headers
    clock.tick(6 * 3600)
    assert "/submit?event=summit" in fetch_links(app)
    clock.tick()
    assert "/submit?event=summit" not in fetch_links(app)


def test_remaining_days_decrease_at_midnight(app: Flask, clock: FixedClock) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit", talks_close_at="2026-03-04T01:00:00+00:00")
    assert "it closes in 3 days." in fetch_text(app)
    clock.set_time(datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC))
    assert "it closes in 3 days." in fetch_text(app)
    clock.tick()
    assert "it closes in 2 days." in fetch_text(app)


def test_programme_is_grouped_by_day_with_speakers_and_rooms(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="summit", rooms=["Room 1"], tracks=["Security"])
        grace = make_speaker(session, slug="grace", affiliation="US Navy")
        for day, title in (("11", "Second"), ("10", "First")):
            make_talk(
                session,
                event,
                id=title.lower(),
                title=title,
                state=TalkState.CONFIRMED,
                starts=f"2026-06-{day}T10:00:00",
                speakers=[grace],
                room="Room 1",
                track="Security",
            )
        make_talk(session, event, id="waiting", title="Waiting", state=TalkState.CONFIRMED)
        make_talk(session, event, id="secret", title="Offered", state=TalkState.SUBMITTED)
    programme = next(
        one for one in find_main(get_page(app, EVENT_PATH)).iter("section") if one.get("class") == "programme"
    )
    assert [element_text(one) for one in programme.iter("h3")] == [
        "Wednesday, June 10, 2026",
        "Thursday, June 11, 2026",
        "Line-up: the times are not known yet",
    ]
    talks = [plain_text(one) for one in programme.iter("li")]
    assert talks == [
        "10:00 AM-10:45 AM First Grace Hopper (US Navy) Room 1 · Security",
        "10:00 AM-10:45 AM Second Grace Hopper (US Navy) Room 1 · Security",
        "Waiting",
    ]
    assert {"/talks/first", "/talks/waiting", "/speakers/grace", "/events/summit/schedule"} <= fetch_links(app).keys()


def test_long_programme_is_truncated_and_links_to_the_schedule(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="summit")
        for number in range(51):
            starts = f"2026-06-10T{9 + number // 6:02}:{number % 6}0:00"
            make_talk(session, event, title=f"Talk {number}", state=TalkState.CONFIRMED, starts=starts)
        make_talk(session, event, title="Waiting", state=TalkState.CONFIRMED)
    text = fetch_text(app)
    assert ("Talk 49" in text, "Talk 50" in text, "Waiting" in text) == (True, False, False)
    assert "See the whole schedule" in text


def test_tiers_are_listed_with_price_benefits_and_whether_they_are_sold_out(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="summit")
        gold = make_tier(
            session, event, name="Gold", rank=1, price_amount=5000, price_currency="USD", benefits=["A booth", "A talk"]
        )
        full = make_tier(session, event, name="Platinum", rank=2, capacity=1)
        make_sponsorship(session, full, sponsor=make_sponsor(session, name="Citrix"), state=SponsorshipState.CONFIRMED)
    assert "Gold $5,000.00 A booth A talk Platinum sold out Citrix" in fetch_text(app)
    with write_session(app) as session:
        session.get_one(Tier, gold.id).price_amount = Decimal(0)
    assert "Gold free of charge" in fetch_text(app)


def test_tiers_without_sponsors_of_past_event_are_hidden(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="summit", starts="2025-06-10", ends="2025-06-11")
        make_tier(session, event, name="Gold", price_amount=5000, price_currency="USD")
    assert "Gold" not in fetch_text(app)


def test_confirmed_sponsors_are_listed_by_tier(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="summit")
        silver, gold = make_tier(session, event, name="Silver", rank=2), make_tier(session, event, name="Gold", rank=1)
        make_tier(session, event, name="Bronze", rank=3)
        for tier, name, url in ((silver, "Rackspace", None), (gold, "Citrix", "https://citrix.example.org/")):
            sponsor = make_sponsor(session, name=name, url=url)
            make_sponsorship(session, tier, sponsor=sponsor, state=SponsorshipState.CONFIRMED)
        make_sponsorship(session, gold, sponsor=make_sponsor(session, name="Waiting Inc."))
    sponsors = next(
        one for one in find_main(get_page(app, EVENT_PATH)).iter("section") if one.get("class") == "sponsors"
    )
    assert element_text(sponsors) == "Sponsors Gold Citrix Silver Rackspace Bronze"
    assert fetch_links(app)["https://citrix.example.org/"].get("rel") == "nofollow ugc noopener"


def test_public_co_located_events_are_linked(app: Flask) -> None:
    with write_session(app) as session:
        event, other = make_event(session, slug="summit"), make_event(session, slug="linuxcon", title="LinuxCon")
        hidden = make_event(session, slug="hidden", status=EventStatus.PENDING)
        event.neighbours = [CoLocation(other=other, position=0), CoLocation(other=hidden, position=1)]
    assert fetch_facts(app)["Together with"] == "LinuxCon"
    assert "/events/linuxcon" in fetch_links(app)


def test_event_page_links_to_its_feeds_in_the_head_and_the_body(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit")
    tree = get_page(app, EVENT_PATH)
    base = "http://127.0.0.1:8000/events/summit"
    offered = {one.get("href"): one.get("type") for one in tree.iter("link") if one.get("rel") == "alternate"}
    feeds = {
        f"{base}.ics": "text/calendar",
        f"{base}.atom": "application/atom+xml",
        f"{base}/schedule.xml": "application/vnd.c3voc.schedule+xml",
        f"{base}/schedule.json": "application/json",
    }
    assert feeds.items() <= offered.items()
    assert {url.removeprefix("http://127.0.0.1:8000") for url in feeds} <= fetch_links(app).keys()
    assert [fetch(app, url).status_code for url in feeds] == [200] * 4


def test_structured_data_escapes_user_text(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit", title="</script><b>Xen", city="Berlin", country="DE")
    tree = get_page(app, f"{EVENT_PATH}?tz=Asia/Tokyo")
    script = next(one for one in tree.iter("script") if one.get("type") == "application/ld+json")
    told = json.loads(script.text or "")
    assert (told["name"], told["startDate"], told["endDate"]) == ("</script><b>Xen", "2026-06-10", "2026-06-12")
    canonical = next(one.get("href") for one in tree.iter("link") if one.get("rel") == "canonical")
    assert canonical == told["url"] == "http://127.0.0.1:8000/events/summit"


def test_talk_page_contains_structured_data_of_the_talk_and_its_event(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="summit")
        starts = "2026-06-10T13:30:00"
        make_talk(session, event, id="talk", state=TalkState.CONFIRMED, starts=starts, speakers=[make_speaker(session)])
    script = next(
        one for one in get_page(app, "/talks/talk").iter("script") if one.get("type") == "application/ld+json"
    )
    told = json.loads(script.text or "")
    assert (told["startDate"], told["superEvent"]["name"]) == ("2026-06-10T13:30:00+02:00", "Xen Summit")
    assert [one["name"] for one in told["performer"]] == ["Grace Hopper"]


def test_event_page_returns_304_after_an_unrelated_change(app: Flask, clock: FixedClock) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit")
    first = fetch(app, EVENT_PATH)
    clock.tick(3600)
    assert fetch(app, EVENT_PATH, If_None_Match=first.headers["ETag"]).status_code == 304
    with write_session(app) as session:
        make_event(session, slug="another", now=clock.now() + timedelta(seconds=1))
    assert fetch(app, EVENT_PATH, If_None_Match=first.headers["ETag"]).status_code == 304
