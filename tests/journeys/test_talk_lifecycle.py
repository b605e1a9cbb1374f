"""The life cycle of a talk from registration to the calendar feeds, with a server and the demo data."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import icalendar
import pytest

from tests.journeys.conftest import Server

SUMMIT_SLUG = "xen-project-developer-summit-2014"
API_PATH = "/api/v1"


@pytest.fixture
def organiser_password(database_url: str, tmp_path: Path) -> str:
    """Load the demo data and return the password of the demo organiser."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("EVENTCAL_")},
        "EVENTCAL_DATABASE_URL": database_url,
        "EVENTCAL_SECRET_KEY": "k" * 40,
        "EVENTCAL_INSTANCE": str(tmp_path),
    }
    command = [sys.executable, "-m", "eventcal.cli", "demo"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603 - constant command
    found = re.search(r"with the password (\S+)", run.stdout)
    assert found is not None
    return found[1]


def _create_token_headers(server: Server, email: str, password: str) -> dict[str, str]:
    """Sign in and return the Authorization header with an access token that has all scopes."""
    status, said, headers = server.request_with_headers(
        "POST", f"{API_PATH}/auth/login", body={"email": email, "password": password}
    )
    assert status == 200
    cookie = headers["Set-Cookie"].partition(";")[0]
    by_cookie = {"Cookie": cookie, "X-CSRF-Token": said["csrf_token"]}
    asked = {"name": "laptop", "scopes": ["submit", "organise"]}
    status, token = server.request("POST", f"{API_PATH}/me/tokens", body=asked, headers=by_cookie)
    assert status == 201
    return {"Authorization": f"Bearer {token['token']}"}


def _get_feed_entry(server: Server, talk_id: str) -> Any:  # noqa: ANN401 - icalendar is untyped
    """Return the entry of a talk in the feed of the summit, as parsed by icalendar."""
    status, text = server.request("GET", f"/events/{SUMMIT_SLUG}.ics")
    assert status == 200
    [entry] = [one for one in icalendar.Calendar.from_ical(text).events if talk_id in str(one["UID"])]
    return entry


def _patch_talk(server: Server, talk_id: str, fields: dict[str, Any], headers: dict[str, str]) -> int:
    _, _, said = server.request_with_headers("GET", f"{API_PATH}/talks/{talk_id}")
    matching = {**headers, "If-Match": said["ETag"]}
    while True:
        status, _, said = server.request_with_headers(
            "PATCH", f"{API_PATH}/talks/{talk_id}", body=fields, headers=matching
        )
        if status != 503:
            return status
        # An entry can be changed only once in a second.
        time.sleep(int(said["Retry-After"]))


def test_new_member_submits_a_talk_that_reaches_the_calendar_feeds(organiser_password: str, server: Server) -> None:
    ada = {"email": "ada@example.org", "name": "Ada Lovelace", "password": "analytical engine"}
    assert server.request("POST", f"{API_PATH}/auth/register", body=ada)[0] == 201
    member = _create_token_headers(server, "ada@example.org", "analytical engine")
    organiser = _create_token_headers(server, "organiser@example.org", organiser_password)

    offered = {"title": "Xen on a pocket calculator", "kind": "bof", "track": "Birds of a Feather"}
    status, talk = server.request("POST", f"{API_PATH}/events/{SUMMIT_SLUG}/talks", body=offered, headers=member)
    assert (status, talk["state"]) == (201, "submitted")
    path = f"{API_PATH}/talks/{talk['id']}"
    assert server.request("GET", path)[0] == 404

    assert server.request("POST", f"{path}/accept", headers=organiser)[1]["state"] == "accepted"
    assert server.request("GET", path)[0] == 404
    assert server.request("POST", f"{path}/confirm", headers=organiser)[0] == 403
    assert server.request("POST", f"{path}/confirm", headers=member)[1]["state"] == "confirmed"
    assert server.request("GET", path)[1]["state"] == "confirmed"

    for room in ("Michigan A", "Michigan B"):
        assert (
            server.request("POST", f"{API_PATH}/events/{SUMMIT_SLUG}/rooms", body={"name": room}, headers=organiser)[0]
            == 201
        )
    day = server.request("GET", f"{API_PATH}/events/{SUMMIT_SLUG}")[1]["starts"]
    assert _patch_talk(server, talk["id"], {"starts": f"{day}T16:00", "room": "Michigan A"}, organiser) == 200

    [listed] = server.request("GET", f"{API_PATH}/events/{SUMMIT_SLUG}/talks?q=calculator")[1]["items"]
    assert (listed["id"], listed["room"]) == (talk["id"], "Michigan A")
    before = _get_feed_entry(server, talk["id"])
    assert str(before.start.tzinfo) == "America/Chicago"
    assert before.start.replace(tzinfo=None).isoformat() == f"{day}T16:00:00"
    assert (str(before["LOCATION"]), str(before["SUMMARY"])) == (
        "Michigan A, Chicago, IL, United States",
        offered["title"],
    )

    assert _patch_talk(server, talk["id"], {"room": "Michigan B"}, organiser) == 200
    after = _get_feed_entry(server, talk["id"])
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] == before["SEQUENCE"] + 1
    assert after["LAST-MODIFIED"].dt > before["LAST-MODIFIED"].dt
    assert str(after["LOCATION"]) == "Michigan B, Chicago, IL, United States"


def test_talk_for_a_listed_event_is_published_by_a_single_accept_request(
    organiser_password: str, server: Server
) -> None:
    moderator = _create_token_headers(server, "organiser@example.org", organiser_password)
    assert server.request(
        "POST", f"{API_PATH}/auth/register", body={"email": "b@example.org", "name": "B", "password": "b" * 9}
    )[0]
    member = _create_token_headers(server, "b@example.org", "b" * 9)
    [earlier] = server.request("GET", f"{API_PATH}/talks?q=xen4centos&event=centos-dojo-cincinnati-2014")[1]["items"]
    fest = server.request("GET", f"{API_PATH}/events/southeast-linuxfest-2014")[1]

    offered = {"reprise_of": earlier["id"], "starts": f"{fest['starts']}T14:00"}
    status, talk = server.request("POST", f"{API_PATH}/events/{fest['slug']}/talks", body=offered, headers=member)
    assert status == 201
    copied = ("title", "abstract", "speakers")
    assert [talk[name] for name in copied] == [earlier[name] for name in copied]

    status, public = server.request("POST", f"{API_PATH}/talks/{talk['id']}/accept", headers=moderator)
    assert (status, public["reprise_of"], public["starts"]) == (200, earlier["id"], f"{fest['starts']}T14:00:00")
    assert talk["id"] in server.request("GET", "/calendar.ics")[1]
