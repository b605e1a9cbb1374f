"""Concurrent requests to the complete app: no data is lost, duplicated or oversold, and no request fails."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.enums import TeamRole
from eventcal.events.models import TeamMember
from eventcal.invitations.models import Invitation
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Star, Talk
from tests.api_client import (
    TEAM_PATH,
    ApiClient,
    ApiResponse,
    count_rows,
    create_member_client,
    create_talk,
    create_team_client,
    get_row,
    invite_team_member,
)
from tests.http_app import database_of

pytestmark = [pytest.mark.usefixtures("summit"), pytest.mark.both_databases]


def call_concurrently(*calls: Callable[[], ApiResponse]) -> list[ApiResponse]:
    """Make all calls at the same time, each in its own thread, and return the responses.

    A call is repeated while the server is overloaded, as clients do that obey the Retry-After header.
    """
    start = Barrier(len(calls))

    def call(make: Callable[[], ApiResponse]) -> ApiResponse:
        start.wait(timeout=30)
        answer = make()
        while answer.status == 503:
            answer = make()
        return answer

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


def _statuses(answers: Sequence[ApiResponse]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def test_concurrent_edits_of_one_version_succeed_once(app: Flask, organiser: ApiClient) -> None:
    other = create_team_client(app, "summit")
    path = f"/talks/{create_talk(app, 'summit', state=TalkState.CONFIRMED)}"
    for turn in range(5):
        etag = organiser.get(path).etag
        titles = [f"{turn} by one", f"{turn} by the other"]
        answers = call_concurrently(
            partial(organiser.patch, path, {"title": titles[0]}, if_match=etag),
            partial(other.patch, path, {"title": titles[1]}, if_match=etag),
        )
        assert sorted(answer.status for answer in answers) == [200, 412]
        [kept] = [title for title, answer in zip(titles, answers, strict=True) if answer.status == 200]
        assert organiser.get(path).json["title"] == kept


def test_concurrent_submissions_with_one_idempotency_key_create_one_talk(app: Flask, member: ApiClient) -> None:
    def submit() -> ApiResponse:
        return member.post("/events/summit/talks", {"title": "Once"}, Idempotency_Key="k-1")

    answers = call_concurrently(*[submit] * 10)
    # A request made while the first is in progress may get a 409 and has to be repeated.
    assert _statuses(answers).keys() <= {201, 409}
    assert {answer.status_and_code for answer in answers if answer.status == 409} <= {(409, "idempotency-in-progress")}
    assert len({answer.data for answer in answers if answer.status == 201}) == 1
    assert submit().status == 201
    assert count_rows(app, Talk) == 1


def test_tier_with_three_places_is_sold_three_times(
    app: Flask, moderator: ApiClient, organiser: ApiClient, anonymous: ApiClient
) -> None:
    tier = organiser.post("/events/summit/tiers", {"name": "Gold", "capacity": 3}).json["id"]
    # Moderators have no quota of enquiries.
    enquiries = [
        moderator.post("/events/summit/sponsorships", {"tier": tier, "sponsor": {"name": f"Acme {i}"}}).json["id"]
        for i in range(20)
    ]
    organisers = [organiser, create_team_client(app, "summit")]
    answers = call_concurrently(
        *(partial(organisers[i % 2].post, f"/sponsorships/{one}/confirm") for i, one in enumerate(enquiries))
    )
    assert _statuses(answers) == {200: 3, 409: 17}
    assert {answer.status_and_code for answer in answers if answer.status == 409} == {(409, "tier-full")}
    assert anonymous.get("/events/summit/tiers").item_values("taken") == [3]
    assert len(anonymous.get("/events/summit/sponsors").json["tiers"][0]["sponsors"]) == 3


def test_concurrent_state_changes_succeed_once(app: Flask, organiser: ApiClient) -> None:
    talk = create_talk(app, "summit")
    answers = call_concurrently(*[lambda: organiser.post(f"/talks/{talk}/accept")] * 5)
    assert _statuses(answers) == {200: 1, 409: 4}
    either = call_concurrently(
        lambda: organiser.post(f"/talks/{talk}/cancel"), lambda: organiser.patch(f"/talks/{talk}", {"title": "x"})
    )
    assert _statuses(either) == {200: 2}


def test_concurrent_requests_never_share_a_slug(app: Flask) -> None:
    members = [create_member_client(app) for _ in range(6)]
    least = {"title": "Same", "timezone": "UTC", "starts": "2026-09-01"}
    chosen = call_concurrently(*(partial(api.post, "/events", least | {"slug": "chosen"}) for api in members))
    assert _statuses(chosen) == {201: 1, 409: 5}
    made = call_concurrently(*(partial(api.post, "/events", least) for api in members))
    assert sorted(answer.json["slug"] for answer in made) == ["same", *(f"same-{i}" for i in range(2, 7))]


def test_concurrent_stars_of_one_talk_are_stored_once(app: Flask, member: ApiClient) -> None:
    talk = create_talk(app, "summit", state=TalkState.CONFIRMED)
    assert _statuses(call_concurrently(*[lambda: member.put(f"/me/stars/{talk}")] * 6)) == {204: 6}
    assert count_rows(app, Star) == 1


def test_concurrent_removals_leave_one_organiser(app: Flask, organiser: ApiClient) -> None:
    other = create_team_client(app, "summit")
    answers = call_concurrently(
        lambda: organiser.delete(f"/events/summit/team/{other.member_id}"),
        lambda: other.delete(f"/events/summit/team/{organiser.member_id}"),
    )
    # The second request comes from a former organiser or would remove the last one.
    assert sorted(answer.status for answer in answers) in ([204, 403], [204, 409])
    assert [api.get("/events/summit/team").status for api in (organiser, other)].count(200) == 1


def test_one_of_concurrent_answers_succeeds(app: Flask, organiser: ApiClient, member: ApiClient) -> None:
    path = f"/me/invitations/{invite_team_member(organiser)}"
    calls = [partial(member.post, f"{path}/{answer}") for answer in ("accept", "decline") * 3]
    assert Counter(answer.status for answer in call_concurrently(*calls)) == {200: 1, 409: 5}
    accepted = get_row(app, Invitation).state == "accepted"
    assert count_rows(app, TeamMember) == (2 if accepted else 1)


def test_concurrent_demotions_leave_one_organiser(app: Flask, organiser: ApiClient, member: ApiClient) -> None:
    member.post(f"/me/invitations/{invite_team_member(organiser, role='organiser')}/accept")
    invitation = invite_team_member(organiser, role="reviewer")
    answers = call_concurrently(
        lambda: member.post(f"/me/invitations/{invitation}/accept"),
        lambda: member.delete(f"{TEAM_PATH}/{organiser.member_id}"),
    )
    # The second request comes from a former organiser, would remove the last one, or accepts an invitation that has
    # expired with the rights of the member who sent it.
    assert sorted(answer.status for answer in answers) in ([200, 403], [200, 409], [204, 410])
    with database_of(app).read_session() as session:
        assert session.scalars(select(TeamMember.role)).all().count(TeamRole.ORGANISER) == 1


def test_reads_are_consistent_during_writes(app: Flask, organiser: ApiClient, anonymous: ApiClient) -> None:
    path = f"/talks/{create_talk(app, 'summit', state=TalkState.CONFIRMED, title='0', abstract='0')}"

    def write() -> ApiResponse:
        for i in range(1, 6):
            answer = organiser.patch(path, {"title": str(i), "abstract": str(i), "tags": [str(i)]})
        return answer

    def read() -> ApiResponse:
        for _ in range(15):
            answer = anonymous.get(path)
            assert answer.status == 200
            assert answer.json["title"] == answer.json["abstract"]
            assert answer.etag.split(".")[1] == str(answer.json["revision"])
            listed = anonymous.get("/events/summit/talks").json["items"][0]
            assert listed["title"] == listed["abstract"]
        return answer

    assert _statuses(call_concurrently(write, *[read] * 4)) == {200: 5}
    assert anonymous.get(path).json["title"] == "5"


def test_requests_beyond_pool_size_all_succeed(app: Flask, member: ApiClient, anonymous: ApiClient) -> None:
    calls = [lambda: anonymous.get("/talks?q=none"), lambda: member.post("/events/summit/talks", {"title": "x"})]
    answers = call_concurrently(*(calls * 15))
    assert _statuses(answers) == {200: 15, 201: 15}
    assert count_rows(app, Talk) == 15
    pool = database_of(app).engine.pool
    assert pool.status().endswith("Current Checked out connections: 0")
