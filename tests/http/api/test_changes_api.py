"""The list of changes: filters, expanded items, and items that became public."""

import pytest
from flask import Flask

from eventcal.talks.enums import TalkState
from tests.api_client import ApiClient
from tests.factories import make_event, make_talk
from tests.http_app import write_session

pytestmark = pytest.mark.both_databases


@pytest.fixture
def calendar(app: Flask) -> None:
    """Provide two events with a talk each."""
    with write_session(app) as session:
        for slug, talk in (("fest", "t1"), ("meetup", "t2")):
            event = make_event(session, slug=slug)
            make_talk(session, event, id=talk, state=TalkState.CONFIRMED)


def list_changes(client: ApiClient, query: str) -> list[tuple[str, str]]:
    """Return the kinds and ids of the changes."""
    return sorted((one["kind"], one["id"]) for one in client.get(f"/changes?{query}").json["items"])


@pytest.mark.usefixtures("calendar")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [("event", "fest"), ("event", "meetup"), ("talk", "t1"), ("talk", "t2")]),
        ("kind=event", [("event", "fest"), ("event", "meetup")]),
        ("kind=talk", [("talk", "t1"), ("talk", "t2")]),
        ("event=fest", [("event", "fest"), ("talk", "t1")]),
        ("event=fest&kind=talk", [("talk", "t1")]),
        ("event=unknown", []),
    ],
)
def test_changes_are_filtered_by_kind_and_event(
    anonymous: ApiClient, query: str, expected: list[tuple[str, str]]
) -> None:
    assert list_changes(anonymous, query) == expected


@pytest.mark.usefixtures("calendar")
def test_expanded_item_equals_the_resource(anonymous: ApiClient, moderator: ApiClient) -> None:
    assert moderator.post("/talks/t2/redact", {}).status == 200
    items = anonymous.get("/changes?expand=item").json["items"]
    found = {(one["kind"], one["id"]): one["item"] for one in items}
    assert found["talk", "t2"] is None
    for path, key in (("/talks/t1", ("talk", "t1")), ("/events/fest", ("event", "fest"))):
        assert found[key] == anonymous.get(path).json
    assert "item" not in anonymous.get("/changes").json["items"][0]


@pytest.mark.usefixtures("calendar")
def test_item_is_first_for_clients_that_have_not_seen_it(
    app: Flask, anonymous: ApiClient, moderator: ApiClient
) -> None:
    page = anonymous.get("/changes").json
    assert all(one["first"] for one in page["items"])
    moderator.patch("/talks/t1", {"title": "Else"}, if_match="*")
    with write_session(app) as session:
        make_event(session, slug="new")
    moderator.patch("/events/new", {"title": "Edited before it was read"}, if_match="*")
    later = anonymous.get(f"/changes?since={page['next']}").json
    assert {one["id"]: one["first"] for one in later["items"]} == {"t1": False, "fest": False, "new": True}


@pytest.mark.usefixtures("calendar")
def test_follower_of_a_filtered_list_skips_other_changes(anonymous: ApiClient, moderator: ApiClient) -> None:
    page = anonymous.get("/changes?event=fest&limit=1").json
    assert [one["id"] for one in page["items"]] != []
    moderator.patch("/talks/t2", {"title": "Else"}, if_match="*")
    last = anonymous.get(f"/changes?event=fest&since={page['next']}").json
    following = anonymous.get(f"/changes?event=fest&since={last['next']}").json
    assert following == {"items": [], "next": last["next"]}
