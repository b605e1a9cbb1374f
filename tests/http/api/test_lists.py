"""Lists through the API: pagination during inserts, a constant number of SQL statements, and strict parameters."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.enums import EventStatus, TeamRole
from eventcal.events.models import Event, Room, TeamMember, Track
from eventcal.events.queries import get_event
from eventcal.members.models import AccessToken, Member, PersonalFeed
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Star
from tests.api_client import ApiClient, create_session_client, get_row, list_all_items
from tests.clocks import NOON, FixedClock
from tests.factories import (
    MODERATOR_CALLER,
    make_event,
    make_member,
    make_speaker,
    make_sponsor,
    make_sponsorship,
    make_talk,
    make_team_invitation,
    make_tier,
)
from tests.http_app import database_of, write_session
from tests.sql_statements import record_statements

pytestmark = pytest.mark.both_databases

# Every list, the field that identifies its items, and its length after n calls of each helper below.
LISTS: dict[str, tuple[str, Callable[[int], int]]] = {
    "/events": ("slug", lambda n: 1 + n),
    "/events?status=pending": ("slug", lambda n: n),
    "/talks": ("id", lambda n: n),
    "/talks?sort=updated&scheduled=false&tag=xen": ("id", lambda n: n),
    "/events/busy/talks": ("id", lambda n: n),
    "/events/busy/talks?state=submitted": ("id", lambda n: n),
    "/events/busy/tracks": ("id", lambda n: n),
    "/events/busy/rooms": ("id", lambda n: n),
    "/events/busy/tiers": ("id", lambda n: n),
    "/events/busy/sponsorships": ("id", lambda n: n),
    "/speakers": ("slug", lambda n: n),
    "/me/events": ("slug", lambda n: n),
    "/me/sponsorships": ("id", lambda n: n),
    "/me/talks": ("id", lambda n: 2 * n),
    "/me/stars": ("id", lambda n: n),
    "/me/invitations": ("id", lambda n: n),
    "/me/tokens": ("id", lambda n: 1 + n),
    "/me/feeds": ("id", lambda n: n),
    "/changes": ("id", lambda n: 1 + 2 * n),
}
# Lists without pagination.
UNPAGED_LISTS = {f"/events/busy/{part}" for part in ("tracks", "rooms", "tiers")}


@pytest.fixture
def moderator_with_cookie(app: Flask, moderator: ApiClient) -> ApiClient:
    """Return a moderator with a session cookie, who may read every list."""
    return create_session_client(app, get_row(app, Member, id=moderator.member_id))


def _add_to_every_list(app: Flask, reader: ApiClient, numbers: range) -> None:
    """For each number, add one item to every list, all with the same timestamp."""
    with write_session(app) as session:
        if session.scalars(select(Event).where(Event.slug == "busy")).one_or_none() is None:
            make_event(session, slug="busy")
        busy = get_event(session, "busy", MODERATOR_CALLER)
        member = session.get_one(Member, reader.member_id)
        for number in numbers:
            _add_parts(session, busy, member, number)
            _add_talks(session, busy, member)
            _add_credentials(session, member, number)
            make_team_invitation(session, busy, email=f"invited-{number}@example.org")
            make_team_invitation(session, make_event(session, status=EventStatus.DRAFT), email=member.email)


def _add_parts(session: Session, busy: Event, member: Member, number: int) -> None:
    busy.tracks.append(Track(position=number, name=f"Track {number}"))
    busy.rooms.append(Room(position=number, name=f"Room {number}"))
    make_sponsorship(session, make_tier(session, busy), sponsor=make_sponsor(session), enquirer=member)
    session.add(TeamMember(event_id=busy.id, member_id=make_member(session).id, role=TeamRole.REVIEWER))
    parts: dict[str, Any] = {"tags": ["a", "b"], "tracks": ["T"], "rooms": ["R"]}
    event = make_event(session, **parts)
    session.add(TeamMember(event_id=event.id, member_id=member.id, role=TeamRole.REVIEWER))
    make_event(session, status=EventStatus.PENDING, **parts)


def _add_talks(session: Session, busy: Event, member: Member) -> None:
    speaker = make_speaker(session)
    earlier = None
    for state in (TalkState.CONFIRMED, TalkState.SUBMITTED):
        parts: dict[str, Any] = {"track": busy.tracks[-1].name, "room": busy.rooms[-1].name, "reprise_of": earlier}
        earlier = make_talk(session, busy, state=state, submitter=member, speakers=[speaker], tags=["xen"], **parts)
        if state == TalkState.CONFIRMED:
            session.add(Star(member_id=member.id, talk_id=earlier.id, starred_at=NOON))


def _add_credentials(session: Session, member: Member, number: int) -> None:
    digest = f"{number:064}"
    kept = {"member_id": member.id, "name": f"Device {number}", "created_at": NOON}
    expires_at = NOON + timedelta(days=90)
    session.add(
        AccessToken(token_hash=digest, scopes=["read"], granted_role=member.role, expires_at=expires_at, **kept)
    )
    session.add(PersonalFeed(secret_hash=digest, **kept))


def test_number_of_statements_does_not_depend_on_list_length(app: Flask, moderator_with_cookie: ApiClient) -> None:
    asked: list[dict[str, int]] = []
    for numbers in (range(1), range(1, 50)):
        _add_to_every_list(app, moderator_with_cookie, numbers)
        asked.append({})
        for path, (_key, length) in LISTS.items():
            with record_statements(database_of(app)) as seen:
                answer = moderator_with_cookie.get(
                    f"{path}{'&' if '?' in path else '?'}limit=200" if path not in UNPAGED_LISTS else path
                )
            assert (path, len(answer.json["items"])) == (path, length(numbers.stop))
            asked[-1][path] = len(seen)
        for path, fields in (("/events/busy", ["rooms"]), ("/events/busy/team", ["members", "invitations"])):
            with record_statements(database_of(app)) as seen:
                whole = moderator_with_cookie.get(path).json
            assert {len(whole[field]) for field in fields} == {numbers.stop}
            asked[-1][path] = len(seen)
    assert asked[0] == asked[1]


def test_pages_of_every_list_have_total_order(app: Flask, moderator_with_cookie: ApiClient) -> None:
    _add_to_every_list(app, moderator_with_cookie, range(7))
    for path, (key, length) in LISTS.items():
        whole = moderator_with_cookie.get(path)
        assert (path, len(whole.item_values(key)), whole.json["next"] is None) == (path, length(7), path != "/changes")
        if path not in UNPAGED_LISTS and path != "/changes":
            paged = list_all_items(moderator_with_cookie, f"{path}{'&' if '?' in path else '?'}limit=2")
            assert (path, [one[key] for one in paged]) == (path, whole.item_values(key))


def test_change_list_returns_every_change_exactly_once(
    app: Flask, moderator_with_cookie: ApiClient, anonymous: ApiClient
) -> None:
    met: list[tuple[str, str, int]] = []
    query = ""
    for turn in range(12):
        if turn < 6:
            _add_to_every_list(app, moderator_with_cookie, range(turn, turn + 1))
        answer = anonymous.get(f"/changes?limit=3{query}")
        assert len(answer.json["items"]) <= 3
        met += [(one["kind"], one["id"], one["revision"]) for one in answer.json["items"]]
        query = f"&since={answer.json['next']}"
    assert anonymous.get(f"/changes?limit=3{query}").json == {"items": [], "next": answer.json["next"]}
    assert len(met) == len(set(met))
    assert [revision for *_, revision in met] == sorted(revision for *_, revision in met)
    now = {(one["kind"], one["id"], one["revision"]) for one in anonymous.get("/changes").json["items"]}
    assert now <= set(met)


@pytest.mark.parametrize("sort", ["starts", "-starts", "updated"])
def test_paging_returns_each_row_once_during_inserts(app: Flask, anonymous: ApiClient, sort: str) -> None:
    def day(number: int) -> dict[str, Any]:
        # Some events have the same start, to test that the sort order is total.
        return {"starts": f"2026-06-0{1 + number % 3}", "ends": f"2026-06-0{1 + number % 3}"}

    with write_session(app) as session:
        old = {make_event(session, slug=f"old-{i}", **day(i)).slug for i in range(9)}
    met: list[str] = []
    answer = anonymous.get(f"/events?limit=2&sort={sort}")
    for turn in range(20):
        met += answer.item_values("slug")
        link = answer.headers.get("Link")
        if link is None:
            break
        with write_session(app) as session:
            make_event(session, slug=f"new-{turn}", **day(turn))
        answer = anonymous.get(link[1:].partition(">")[0])
    assert {slug for slug in met if slug.startswith("old")} == old
    assert len(met) == len(set(met))


def test_paging_skips_no_rows_after_deletion(app: Flask, moderator: ApiClient) -> None:
    with write_session(app) as session:
        for i in range(1, 6):
            make_event(session, slug=f"e-{i}", status=EventStatus.PENDING, starts=f"2026-06-0{i}", ends="2026-06-09")
    first = moderator.get("/events?status=pending&limit=2")
    assert first.item_values("slug") == ["e-1", "e-2"]
    assert moderator.delete("/events/e-2").status == 204
    link = first.headers["Link"][1:].partition(">")[0]
    assert [one["slug"] for one in list_all_items(moderator, link)] == ["e-3", "e-4", "e-5"]


@pytest.mark.parametrize("path", ["/events", "/talks", "/events/summit/talks"])
@pytest.mark.usefixtures("summit")
def test_invalid_list_parameters_are_all_reported(anonymous: ApiClient, path: str) -> None:
    query = (
        "from=2026-13-01&to=yesterday&kind=party,talk&country=Germany&scheduled=yes&cfp=closed&updated_since=now"
        "&sort=title&limit=0&cursor=%00&q=%0A&tag=&utm_source=x&state=open&language=english%20please&event=a&event="
    )
    faults = anonymous.get(f"{path}?{query}").errors
    assert faults.keys() == {
        *("?from", "?to", "?kind", "?country", "?scheduled", "?cfp", "?updated_since", "?sort", "?limit", "?cursor"),
        *("?q", "?tag", "?utm_source", "?state", "?language", "?event"),
    }
    assert faults["?limit"] == "must be between 1 and 200"
    assert faults["?utm_source"] == "is an unknown parameter; remove it"
    assert anonymous.get(f"{path}?from=2026-06-02&to=2026-06-01").errors == {"?to": "must not be before `from`"}


PAGED_LISTS = [path for path in (*LISTS, "/events/summit/sponsorships") if "busy" not in path]


@pytest.mark.usefixtures("summit")
def test_limit_must_be_integer_from_1_to_200(moderator_with_cookie: ApiClient) -> None:
    for limit in ("0", "201", "-1", "1.0", "%202", "1_0", "%D9%A3", "x", "", "1&limit=2"):
        for path in PAGED_LISTS:
            answer = moderator_with_cookie.get(f"{path}{'&' if '?' in path else '?'}limit={limit}")
            assert (path, limit, list(answer.errors)) == (path, limit, ["?limit"])


@pytest.mark.usefixtures("summit")
def test_invalid_cursor_is_rejected(moderator_with_cookie: ApiClient) -> None:
    for cursor in ("x", "W10", "bnVsbA", "WzIwMjZd", "a" * 3000, "%00", "=", "-_-", "", "0&{name}=0"):
        for path in PAGED_LISTS:
            name = "since" if path == "/changes" else "cursor"
            answer = moderator_with_cookie.get(f"{path}{'&' if '?' in path else '?'}{name}={cursor.format(name=name)}")
            assert (path, cursor, list(answer.errors)) == (path, cursor, [f"?{name}"])


@pytest.mark.usefixtures("summit")
def test_unknown_parameters_are_rejected_on_paths_without_parameters(moderator_with_cookie: ApiClient) -> None:
    for path in (
        *("/events/summit", "/events/summit/tracks", "/events/summit/rooms", "/events/summit/tiers"),
        *("/events/summit/sponsors", "/events/summit/team", "/me"),
    ):
        assert moderator_with_cookie.get(f"{path}?limit=2&x=1").errors == {
            "?limit": "is an unknown parameter; remove it",
            "?x": "is an unknown parameter; remove it",
        }


def test_lists_support_encodings_head_and_conditional_requests(
    app: Flask, anonymous: ApiClient, moderator_with_cookie: ApiClient
) -> None:
    _add_to_every_list(app, moderator_with_cookie, range(3))
    for path in ("/events", "/talks?tag=xen", "/events/busy/talks", "/speakers", "/changes", "/events/busy/tiers"):
        plain = anonymous.get(path)
        for coding in ("br", "zstd", "gzip"):
            coded = anonymous.get(path, Accept_Encoding=coding)
            assert (coded.headers["Content-Encoding"], coded.etag) == (coding, f'{plain.etag[:-1]}-{coding}"')
        head = anonymous.call("HEAD", path)
        assert (head.status, head.data, head.etag) == (200, b"", plain.etag)
        same = anonymous.get(path, If_None_Match=f'"x", W/{plain.etag}')
        assert (same.status, same.data, same.etag) == (304, b"", plain.etag)
        assert same.headers["Last-Modified"] == plain.headers["Last-Modified"]
        assert plain.headers["Access-Control-Allow-Origin"] == "*"


def test_list_of_open_calls_depends_on_current_time(app: Flask, anonymous: ApiClient, clock: FixedClock) -> None:
    with write_session(app) as session:
        make_event(session, slug="soon", talks_close_at="2026-03-01T14:00:00")
        make_event(session, slug="later", call={"opens": "2026-03-01T15:00:00"})
    seen = []
    for _ in range(3):
        answer = anonymous.get("/events?cfp=open", If_Modified_Since="Sun, 01 Mar 2026 12:30:00 GMT")
        seen.append(answer.item_values("slug"))
        clock.tick(timedelta(hours=1, seconds=1).total_seconds())
    assert seen == [["soon"], [], ["later"]]
