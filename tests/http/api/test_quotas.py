"""Quotas: how many tokens, feeds, pending events, undecided talks and enquiries a member may have at a time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from eventcal.members.enums import Role
from eventcal.members.models import AccessToken
from tests.api_client import ApiClient, ApiResponse, count_rows, create_session_client
from tests.factories import make_event, make_member, make_tier
from tests.html_browser import HtmlBrowser, create_browser
from tests.http_app import create_signed_in_client, write_session

pytestmark = pytest.mark.both_databases


@dataclass(frozen=True)
class QuotaCase:
    """How to create an object that a quota limits, and how to make room for another one."""

    limit: int
    create: Callable[[ApiClient], ApiResponse]
    make_room: Callable[[ApiClient, ApiClient, Any], ApiResponse]


def enquire(member: ApiClient) -> ApiResponse:
    [tier] = member.get("/events/summit/tiers").json["items"]
    return member.post("/events/summit/sponsorships", {"tier": tier["id"], "sponsor": {"name": "Acme"}})


TOKENS = QuotaCase(
    20,
    lambda member: member.post("/me/tokens", {"name": "a script", "scopes": ["read"]}),
    lambda member, _moderator, token: member.delete(f"/me/tokens/{token['id']}"),
)
EVENT = {"title": "Meetup", "timezone": "Europe/Berlin", "starts": "2026-06-10"}
CASES = {
    "tokens": TOKENS,
    "feeds": QuotaCase(
        20,
        lambda member: member.post("/me/feeds", {"name": "Phone"}),
        lambda member, _moderator, feed: member.delete(f"/me/feeds/{feed['id']}"),
    ),
    "pending events": QuotaCase(
        10,
        lambda member: member.post("/events", EVENT),
        lambda _member, moderator, event: moderator.post(f"/events/{event['slug']}/publish"),
    ),
    "undecided talks": QuotaCase(
        20,
        lambda member: member.post("/events/summit/talks", {"title": "Xen"}),
        lambda member, _moderator, talk: member.post(f"/talks/{talk['id']}/withdraw"),
    ),
    "enquiries": QuotaCase(
        5,
        enquire,
        lambda _member, moderator, enquiry: moderator.post(f"/sponsorships/{enquiry['id']}/confirm"),
    ),
}


@pytest.fixture(params=list(CASES.values()), ids=list(CASES))
def case(request: pytest.FixtureRequest) -> QuotaCase:
    found: QuotaCase = request.param
    return found


@pytest.fixture(autouse=True)
def _events(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="summit")
        make_tier(session, event)
        make_event(session, slug="other")


def sign_in(app: Flask, email: str = "ada@example.org", role: Role = Role.MEMBER) -> ApiClient:
    with write_session(app) as session:
        member = make_member(session, email=email, role=role)
    return create_session_client(app, member)


def test_quota_is_enforced_until_there_is_room(app: Flask, case: QuotaCase) -> None:
    ada, bob = sign_in(app), sign_in(app, "bob@example.org")
    moderator = sign_in(app, "mo@example.org", Role.MODERATOR)
    created = [case.create(ada) for _ in range(case.limit)]
    assert {answer.status for answer in created} == {201}
    refused = case.create(ada)
    assert refused.status_and_code == (409, "quota-exceeded")
    assert str(case.limit) in refused.json["detail"]
    assert case.create(bob).status == 201
    assert case.make_room(ada, moderator, created[3].json).status in {200, 204}
    assert case.create(ada).status == 201
    assert case.create(ada).status == 409


def test_only_the_quota_of_tokens_applies_to_moderators(app: Flask, case: QuotaCase) -> None:
    moderator = sign_in(app, role=Role.MODERATOR)
    statuses = [case.create(moderator).status for _ in range(case.limit + 1)]
    assert statuses == [201] * case.limit + [409 if case is TOKENS else 201]


def test_concurrent_requests_cannot_exceed_a_quota(app: Flask, case: QuotaCase) -> None:
    ada = sign_in(app)
    for _ in range(case.limit - 1):
        assert case.create(ada).status == 201
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: case.create(ada).status, range(4)))
    assert sorted(answers) == [201, 409, 409, 409]


def test_quotas_of_talks_and_enquiries_are_per_event(app: Flask) -> None:
    ada = sign_in(app)
    for _ in range(CASES["undecided talks"].limit):
        CASES["undecided talks"].create(ada)
    assert ada.post("/events/summit/talks", {"title": "Xen"}).status == 409
    assert ada.post("/events/other/talks", {"title": "Xen"}).status == 201


def test_page_shows_exceeded_quota(app: Flask) -> None:
    browser = HtmlBrowser(create_signed_in_client(app).client, create_browser(app).response)
    for _ in range(CASES["feeds"].limit + 1):
        browser.visit("/me/feeds")
        browser.submit_form("/me/feeds", name="Phone")
    assert browser.response.status_code == 409
    assert "You have 20 calendar addresses already." in browser.main_text()
    assert count_rows(app, AccessToken) == 0
