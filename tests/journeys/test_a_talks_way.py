"""The life of a talk from registration to the calendar feeds, through a real server with the demo data."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import icalendar
import pytest

from tests.journeys.conftest import Server

SUMMIT = "xen-project-developer-summit-2014"
API = "/api/v1"


@pytest.fixture
def password(database_url: str, tmp_path: Path) -> str:
    """Load the demo data into the server's database and return the password of the demo organiser."""
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


def _sign_in(server: Server, email: str, password: str) -> dict[str, str]:
    """Sign in and return headers with an API token that has all scopes."""
    status, said, headers = server.ask_all("POST", f"{API}/auth/login", body={"email": email, "password": password})
    assert status == 200
    cookie = headers["Set-Cookie"].partition(";")[0]
    by_cookie = {"Cookie": cookie, "X-CSRF-Token": said["csrf_token"]}
    asked = {"name": "laptop", "scopes": ["submit", "organise"]}
    status, token = server.ask("POST", f"{API}/me/tokens", body=asked, headers=by_cookie)
    assert status == 201
    return {"Authorization": f"Bearer {token['token']}"}


def _entry(server: Server, talk_id: str) -> Any:  # noqa: ANN401 - icalendar is untyped
    """Return the talk's entry in the feed of the summit, parsed by icalendar."""
    status, text = server.ask("GET", f"/events/{SUMMIT}.ics")
    assert status == 200
    [entry] = [one for one in icalendar.Calendar.from_ical(text).events if talk_id in str(one["UID"])]
    return entry


def _change(server: Server, talk_id: str, fields: dict[str, Any], *, headers: dict[str, str]) -> int:
    _, _, said = server.ask_all("GET", f"{API}/talks/{talk_id}")
    matching = {**headers, "If-Match": said["ETag"]}
    return server.ask("PATCH", f"{API}/talks/{talk_id}", body=fields, headers=matching)[0]


def test_new_member_submits_a_talk_that_reaches_the_calendar_feeds(password: str, server: Server) -> None:
    ada = {"email": "ada@example.org", "name": "Ada Lovelace", "password": "analytical engine"}
    assert server.ask("POST", f"{API}/auth/register", body=ada)[0] == 201
    member = _sign_in(server, "ada@example.org", "analytical engine")
    organiser = _sign_in(server, "organiser@example.org", password)

    offered = {"title": "Xen on a pocket calculator", "kind": "bof", "track": "Birds of a Feather"}
    status, talk = server.ask("POST", f"{API}/events/{SUMMIT}/talks", body=offered, headers=member)
    assert (status, talk["state"]) == (201, "submitted")
    path = f"{API}/talks/{talk['id']}"
    assert server.ask("GET", path)[0] == 404

    assert server.ask("POST", f"{path}/accept", headers=organiser)[1]["state"] == "accepted"
    assert server.ask("GET", path)[0] == 404
    assert server.ask("POST", f"{path}/confirm", headers=organiser)[0] == 403
    assert server.ask("POST", f"{path}/confirm", headers=member)[1]["state"] == "confirmed"
    assert server.ask("GET", path)[1]["state"] == "confirmed"

    for room in ("Michigan A", "Michigan B"):
        assert server.ask("POST", f"{API}/events/{SUMMIT}/rooms", body={"name": room}, headers=organiser)[0] == 201
    day = server.ask("GET", f"{API}/events/{SUMMIT}")[1]["starts"]
    assert _change(server, talk["id"], {"starts": f"{day}T16:00", "room": "Michigan A"}, headers=organiser) == 200

    [listed] = server.ask("GET", f"{API}/events/{SUMMIT}/talks?q=calculator")[1]["items"]
    assert (listed["id"], listed["room"]) == (talk["id"], "Michigan A")
    before = _entry(server, talk["id"])
    assert str(before.start.tzinfo) == "America/Chicago"
    assert before.start.replace(tzinfo=None).isoformat() == f"{day}T16:00:00"
    assert (str(before["LOCATION"]), str(before["SUMMARY"])) == ("Michigan A, Chicago", offered["title"])

    assert _change(server, talk["id"], {"room": "Michigan B"}, headers=organiser) == 200
    after = _entry(server, talk["id"])
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] == before["SEQUENCE"] + 1
    assert after["LAST-MODIFIED"].dt > before["LAST-MODIFIED"].dt
    assert str(after["LOCATION"]) == "Michigan B, Chicago"


def test_talk_for_a_listed_event_is_published_by_a_single_accept_request(password: str, server: Server) -> None:
    moderator = _sign_in(server, "organiser@example.org", password)
    assert server.ask(
        "POST", f"{API}/auth/register", body={"email": "b@example.org", "name": "B", "password": "b" * 9}
    )[0]
    member = _sign_in(server, "b@example.org", "b" * 9)
    [earlier] = server.ask("GET", f"{API}/talks?q=xen4centos&event=centos-dojo-cincinnati-2014")[1]["items"]
    fest = server.ask("GET", f"{API}/events/southeast-linuxfest-2014")[1]

    offered = {"reprise_of": earlier["id"], "starts": f"{fest['starts']}T14:00"}
    status, talk = server.ask("POST", f"{API}/events/{fest['slug']}/talks", body=offered, headers=member)
    assert status == 201
    copied = ("title", "abstract", "speakers")
    assert [talk[name] for name in copied] == [earlier[name] for name in copied]

    status, public = server.ask("POST", f"{API}/talks/{talk['id']}/accept", headers=moderator)
    assert (status, public["reprise_of"], public["starts"]) == (200, earlier["id"], f"{fest['starts']}T14:00:00")
    assert talk["id"] in server.ask("GET", "/calendar.ics")[1]
