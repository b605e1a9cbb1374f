"""Every list filter through HTTP, for events, talks, and the talks of one event."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from eventcal.events.enums import EventStatus, Programme
from eventcal.events.models import Event
from eventcal.talks.enums import TalkState
from tests.api_client import ApiClient, get_row, list_all_items
from tests.clocks import FixedClock
from tests.factories import make_event, make_speaker, make_talk
from tests.feed_support.feed_client import fetch_feed
from tests.http_app import write_session

pytestmark = pytest.mark.both_databases

ALL_EVENTS = ["berlin", "chicago", "gone", "meetup"]
ALL_TALKS = ["Arm", "Bof", "Gone", "Intro", "Keynote"]


@pytest.fixture
def calendar(app: Flask, clock: FixedClock) -> None:
    """Create four public events and five public talks, and a hidden one of each."""
    with write_session(app) as session:
        berlin = make_event(
            session,
            slug="berlin",
            title="Xen Summit",
            city="Berlin",
            country="DE",
            tags=["xen", "c++"],
            tracks=["ARM, and more"],
            rooms=["Säle & Räume"],
            series="summit",
        )
        chicago = make_event(
            session,
            slug="chicago",
            title="Plumbers",
            kind="workshop",
            city="Chicago",
            country="US",
            starts="2026-08-18",
            ends="2026-08-19",
            timezone="America/Chicago",
            talks_close_at="2026-03-01T11:00:00Z",
            tags=["xen"],
            status=EventStatus.TENTATIVE,
        )
        make_event(session, slug="hidden", title="Xen secret", city="Berlin", status=EventStatus.PENDING)
        gone = make_event(session, slug="gone", title="Cancelled", status=EventStatus.CANCELLED, kind="hackathon")
        _add_talks(session, berlin, chicago, gone=gone)
    clock.tick(3600)
    with write_session(app) as session:
        meetup = make_event(session, slug="meetup", title="Xen meetup", programme=Programme.LISTED, now=clock.now())
        make_talk(session, meetup, title="Intro", state=TalkState.ACCEPTED, language="de", now=clock.now())


def _add_talks(session: Session, berlin: Event, chicago: Event, *, gone: Event) -> None:
    ada = make_speaker(session, slug="ada", name="Ada Łovelace")
    scheduled: dict[str, Any] = {"starts": "2026-06-11T10:00:00", "track": "ARM, and more", "room": "Säle & Räume"}
    make_talk(session, berlin, title="Arm", state=TalkState.CONFIRMED, speakers=[ada], tags=["arm"], **scheduled)
    make_talk(session, berlin, title="Bof", state=TalkState.CONFIRMED, kind="bof", language="pt-BR", speakers=[ada])
    make_talk(session, chicago, title="Keynote", kind="keynote", state=TalkState.CONFIRMED, tags=["arm", "c++"])
    make_talk(session, gone, title="Gone", state=TalkState.CONFIRMED)
    make_talk(session, berlin, title="Secret", state=TalkState.ACCEPTED, speakers=[ada], tags=["arm"])


# The expected events and talks for each query; None if the query does not affect the list.
EXPECTED_BY_QUERY: dict[str, tuple[list[str] | None, list[str] | None]] = {
    "": (None, None),
    "from=2026-06-13": (["chicago"], ["Keynote"]),
    "to=2026-06-12": (["berlin", "gone", "meetup"], ["Arm", "Bof", "Gone", "Intro"]),
    "from=2026-06-12&to=2026-06-12": (["berlin", "gone", "meetup"], ["Bof", "Gone", "Intro"]),
    "from=2026-06-11&to=2026-06-11": (["berlin", "gone", "meetup"], ["Arm", "Bof", "Gone", "Intro"]),
    "q=xen": (["berlin", "chicago", "meetup"], []),
    "q=LOVE+a": ([], ["Arm", "Bof"]),
    "q=%25": (None, None),
    "q=": (None, None),
    "tag=xen": (["berlin", "chicago"], []),
    "tag=c%2B%2B": (["berlin"], ["Keynote"]),
    "tag=xen&tag=c%2B%2B": (["berlin"], []),
    "tag=arm&tag=c%2B%2B": ([], ["Keynote"]),
    "kind=workshop,hackathon": (["chicago", "gone"], []),
    "kind=bof&kind=keynote": ([], ["Bof", "Keynote"]),
    "country=de": (["berlin"], ["Arm", "Bof"]),
    "country=DE,US": (["berlin", "chicago"], ["Arm", "Bof", "Keynote"]),
    "city=Berlin": (["berlin"], ["Arm", "Bof"]),
    "event=berlin,chicago,hidden": (["berlin", "chicago"], ["Arm", "Bof", "Keynote"]),
    "track=ARM,+and+more": ([], ["Arm"]),
    "room=S%C3%A4le+%26+R%C3%A4ume": ([], ["Arm"]),
    "speaker=ada": ([], ["Arm", "Bof"]),
    "language=de,pt-BR": ([], ["Bof", "Intro"]),
    "language=PT": ([], ["Bof"]),
    "language=DE": ([], ["Intro"]),
    "language=pt-BR-x-a": ([], []),
    "status=tentative": (["chicago"], []),
    "state=confirmed": (["berlin", "meetup"], ["Arm", "Bof", "Keynote"]),
    "state=accepted": ([], ["Intro"]),
    "status=cancelled": (["gone"], ["Gone"]),
    "status=tentative&state=cancelled": (["chicago", "gone"], ["Gone"]),
    "series=summit": (["berlin"], ["Arm", "Bof"]),
    "cfp=open": (["berlin", "meetup"], ["Arm", "Bof", "Intro"]),
    "scheduled=true": (None, ["Arm"]),
    "scheduled=false": ([], ["Bof", "Gone", "Intro", "Keynote"]),
    "updated_since=2026-03-01T12:30:00Z": (["meetup"], ["Intro"]),
    "updated_since=2026-03-01T13:30:00%2B01:00": (["meetup"], ["Intro"]),
    "updated_since=2026-03-02": ([], []),
}


@pytest.mark.usefixtures("calendar")
def test_event_and_talk_lists_apply_each_filter(anonymous: ApiClient) -> None:
    seen = {
        query: (_listed_names(anonymous, "/events", query), _listed_names(anonymous, "/talks", query))
        for query in EXPECTED_BY_QUERY
    }
    assert seen == {
        query: (ALL_EVENTS if events is None else events, ALL_TALKS if talks is None else talks)
        for query, (events, talks) in EXPECTED_BY_QUERY.items()
    }


@pytest.mark.usefixtures("calendar")
def test_talks_of_event_are_filtered_like_all_talks(anonymous: ApiClient) -> None:
    berlin = {"Arm", "Bof"}
    for query, (_events, talks) in EXPECTED_BY_QUERY.items():
        expected = sorted(berlin & set(ALL_TALKS if talks is None else talks))
        assert (query, _listed_names(anonymous, "/events/berlin/talks", query)) == (query, expected)


@pytest.mark.usefixtures("calendar")
def test_feeds_and_lists_apply_filters_identically(app: Flask, anonymous: ApiClient) -> None:
    for query in EXPECTED_BY_QUERY:
        # Feeds omit unscheduled talks, except with `scheduled` or in feeds of a talk or a speaker.
        timed = query if "scheduled=" in query else f"{query}&scheduled=true"
        lists = {
            f"/calendar.ics?{query}": (f"/events?{query}", f"/talks?{timed}"),
            f"/calendar.ics?include=talks&{query}": (f"/talks?{timed}",),
            f"/calendar.ics?include=events&{query}": (f"/events?{query}",),
        }
        if "event=" not in query:
            lists[f"/events/berlin.ics?{query}"] = (f"/events?{query}&event=berlin", f"/events/berlin/talks?{timed}")
        if "speaker=" not in query:
            lists[f"/speakers/ada.ics?{query}"] = (f"/talks?{query}&speaker=ada",)
        for path, listed in lists.items():
            ids = {_uid_of(app, item) for one in listed for item in list_all_items(anonymous, one)}
            assert (path, _feed_uids(app, path)) == (path, ids)


@pytest.mark.usefixtures("calendar")
def test_feed_of_talk_contains_it_if_filtered_list_does(app: Flask, anonymous: ApiClient) -> None:
    for talk in list_all_items(anonymous, "/talks"):
        for query in EXPECTED_BY_QUERY:
            listed = [item["id"] for item in list_all_items(anonymous, f"/talks?{query}") if item["id"] == talk["id"]]
            found = _feed_uids(app, f"/talks/{talk['id']}.ics?{query}")
            assert (talk["title"], query, found) == (talk["title"], query, {f"talk-{id_}@127.0.0.1" for id_ in listed})


def _uid_of(app: Flask, item: dict[str, Any]) -> str:
    if "slug" in item:
        return f"event-{get_row(app, Event, slug=item['slug']).id}@127.0.0.1"
    return f"talk-{item['id']}@127.0.0.1"


def _feed_uids(app: Flask, path: str) -> set[str]:
    return {entry.text("UID") for entry in fetch_feed(app, path).events()}


@pytest.mark.usefixtures("calendar")
def test_lists_follow_sort_parameter(anonymous: ApiClient) -> None:
    order = {
        "starts": ["berlin", "chicago"],
        "-starts": ["chicago", "berlin"],
        "updated": ["chicago", "meetup"],
    }
    for sort, slugs in order.items():
        listed = anonymous.get(f"/events?sort={sort}").item_values("slug")
        assert [slug for slug in listed if slug in slugs] == slugs
    assert anonymous.get("/talks?sort=starts&event=berlin").item_values("title") == ["Bof", "Arm"]
    assert anonymous.get("/talks?sort=-starts&event=berlin").item_values("title") == ["Arm", "Bof"]


@pytest.mark.usefixtures("calendar")
def test_link_to_next_page_keeps_query(anonymous: ApiClient) -> None:
    first = anonymous.get("/talks?limit=1&speaker=ada&q=ada&sort=-starts")
    link = first.headers["Link"]
    assert link.startswith("<http://127.0.0.1:8000/api/v1/talks?")
    assert link.endswith('&limit=1&q=ada&sort=-starts&speaker=ada>; rel="next"')
    second = anonymous.get(link[1:].partition(">")[0])
    assert (first.item_values("title"), second.item_values("title"), second.json["next"]) == (["Arm"], ["Bof"], None)
    assert "Link" not in second.headers


def _listed_names(api: ApiClient, path: str, query: str) -> list[str]:
    return sorted(api.get(f"{path}?{query}").item_values("slug" if path == "/events" else "title"))
