"""A scenario for the HTTP API: all unsafe operations, in an order that creates the objects for each operation."""

from collections.abc import Mapping
from typing import Any

from tests.comparison.application import PASSWORD, list_emails
from tests.comparison.recorder import Recorder, RecordingClient, get_json
from tests.images import make_image, make_two_colour_image

_PNG_HEADERS = {"Content-Type": "image/png"}
_NEW_PASSWORD = "another quiet bicycle"


def record_api_scenario(recorder: Recorder) -> None:
    """Record the scenario: accounts, an event with its parts, talks, speakers and sponsors."""
    visitor = recorder.create_client("visitor")
    people = {name: _register_member(recorder, name) for name in ("olga", "ann", "bob")}
    people["max"] = recorder.create_client("max").sign_in("max@example.org")
    _record_accounts(recorder, visitor)
    _record_tokens_and_feeds(people["ann"], people["bob"])
    _record_event(people)
    _record_rooms_tracks_tiers(people["olga"])
    talks = _record_talks(people)
    _record_speakers(people, talks["confirmed"])
    _record_sponsors(people)
    _record_deletions(people)
    _record_sessions(people["ann"])
    _record_members(people["max"], people["ann"])
    recorder.write_emails("in the end")


def find_emailed_token(recorder: Recorder, address: str, path: str) -> str:
    """Return the token that follows `path`, such as `/confirm?token=`, in the newest email to an address."""
    texts = [email.text for email in list_emails(recorder.app) if email.to == address and path in email.text]
    return texts[-1].partition(path)[2].split()[0]


def _register_member(recorder: Recorder, name: str) -> RecordingClient:
    """Return a client of a new member who has confirmed their email address and signed in."""
    person = recorder.create_client(name)
    address = f"{name}@example.org"
    registered = {"email": address, "password": PASSWORD, "name": f"{name.title()} Newcomer"}
    person.call_api("POST", "/auth/register", registered)
    token = find_emailed_token(recorder, address, "/confirm?token=")
    person.call_api("POST", "/auth/confirm", {"token": token, "password": PASSWORD})
    return person.sign_in(address)


def _record_accounts(recorder: Recorder, visitor: RecordingClient) -> None:
    registered = {"email": "zoe@example.org", "password": PASSWORD, "name": "Zoë"}
    visitor.call_api("POST", "/auth/register", {**registered, "password": "short"})
    visitor.call_api("POST", "/auth/register", registered)
    visitor.call_api("POST", "/auth/register", registered, label="known")
    visitor.call_api("POST", "/auth/confirm", {"email": "zoe@example.org"})
    visitor.call_api("POST", "/auth/confirm", {"token": "nonsense"})
    visitor.call_api("POST", "/auth/login", {"email": "zoe@example.org", "password": "wrong"})
    zoe = recorder.create_client("zoe").sign_in("zoe@example.org")
    zoe.call_api("POST", "/events/summit/talks", {"title": "Not confirmed yet"})
    zoe.call_api(
        "POST",
        "/auth/password",
        {"password": PASSWORD, "new_password": _NEW_PASSWORD},
        label="no CSRF",
        X_CSRF_Token="",
    )
    changed = zoe.call_api("POST", "/auth/password", {"password": PASSWORD, "new_password": _NEW_PASSWORD})
    zoe.headers = {"X-CSRF-Token": get_json(changed)["csrf_token"]}
    visitor.call_api("POST", "/auth/reset", {"email": "zoe@example.org"})
    visitor.call_api("POST", "/auth/reset", {"email": "nobody@example.org"}, label="unknown")
    token = find_emailed_token(recorder, "zoe@example.org", "/reset?token=")
    visitor.call_api("POST", "/auth/reset/confirm", {"token": token, "password": PASSWORD})
    visitor.call_api("POST", "/auth/reset/confirm", {"token": token, "password": PASSWORD}, label="used")
    zoe.call_api("GET", "/me", label="session over")
    zoe = recorder.create_client("zoe").sign_in("zoe@example.org")
    zoe.call_api("POST", "/auth/logout")
    zoe.call_api("GET", "/me", label="signed out")
    recorder.write_emails("after registering")


def _record_sessions(ann: RecordingClient) -> None:
    laptop = ann.recorder.create_client("laptop", User_Agent="Laptop/1.0").sign_in("ann@example.org")
    ann.recorder.create_client("tablet").sign_in("ann@example.org")
    sessions = get_json(ann.call_api("GET", "/me/sessions"))["items"]
    [other] = [one["id"] for one in sessions if one["user_agent"] == "Laptop/1.0"]
    ann.call_api("DELETE", f"/me/sessions/{other}", label="no CSRF", X_CSRF_Token="")
    ann.call_api("DELETE", f"/me/sessions/{other}")
    ann.call_api("DELETE", f"/me/sessions/{other}", label="ended")
    laptop.call_api("GET", "/me", label="ended")
    ann.call_api("DELETE", "/me/sessions")
    ann.call_api("GET", "/me/sessions", label="others ended")


def _record_members(moderator: RecordingClient, ann: RecordingClient) -> None:
    admin = ann.recorder.create_client("alan").sign_in("alan@example.org")
    zoe = f"/members/{get_json(admin.call_api('GET', '/members?q=zoe'))['items'][0]['id']}"
    ann.call_api("GET", "/members", label="no administrator")
    admin.call_api("GET", zoe)
    moderator.call_api("PATCH", zoe, {"confirmed": True})
    admin.call_api("PATCH", zoe, {"role": "moderator"})
    moderator.call_api("POST", f"{zoe}/suspend", label="another moderator")
    admin.call_api("PATCH", zoe, {"role": "member"})
    admin.call_api("POST", f"{zoe}/end-sessions")
    moderator.call_api("POST", f"{zoe}/suspend")
    moderator.call_api("POST", f"{zoe}/reinstate")


def _record_tokens_and_feeds(ann: RecordingClient, bob: RecordingClient) -> None:
    ann.call_api("GET", "/me")
    ann.call_api("PATCH", "/me", {"name": "Ann the First"})
    ann.call_api("PATCH", "/me", {"email": "x@example.org"})
    made = {"name": "A script", "scopes": ["read", "submit"], "expires_at": "2026-12-31T00:00:00Z"}
    token = get_json(ann.call_api("POST", "/me/tokens", made, Idempotency_Key="one"))
    ann.call_api("POST", "/me/tokens", made, label="again", Idempotency_Key="one")
    ann.call_api("POST", "/me/tokens", {**made, "name": "Another"}, label="other body", Idempotency_Key="one")
    ann.call_api("POST", "/me/tokens", {**made, "scopes": []})
    ann.call_api("GET", "/me/tokens")
    script = ann.recorder.create_client("script", Authorization=f"Bearer {token['token']}")
    script.call_api("GET", "/me")
    script.call_api("POST", "/me/tokens", made)
    ann.call_api("DELETE", f"/me/tokens/{token['id']}")
    script.call_api("GET", "/me", label="revoked")
    feed = get_json(ann.call_api("POST", "/me/feeds", {"name": "Phone"}))
    path = feed["url"].removeprefix(ann.recorder.base_url)
    ann.call_api("PUT", "/me/stars/confirmed")
    ann.call_api("PUT", "/me/stars/nobody")
    ann.call_api("GET", "/me/stars")
    ann.get(path)
    ann.call_api("GET", "/me/feeds")
    ann.call_api("DELETE", "/me/stars/confirmed")
    ann.get(path, label="empty")
    bob.call_api("DELETE", f"/me/feeds/{feed['id']}")
    ann.call_api("DELETE", f"/me/feeds/{feed['id']}")
    ann.get(path, label="revoked")


def _record_event(people: Mapping[str, RecordingClient]) -> None:
    olga, ann, bob, moderator = (people[name] for name in ("olga", "ann", "bob", "max"))
    event = {
        "title": "A gathering, in spring",
        "slug": "gathering",
        "kind": "conference",
        "programme": "curated",
        "timezone": "Europe/Berlin",
        "starts": "2026-05-04",
        "ends": "2026-05-06",
        "description": "*Three* days.",
        "location": {"city": "Berlin", "country": "DE"},
        "tags": ["xen"],
        "call_for_talks": {"kinds": ["talk", "bof"], "note": "Please."},
    }
    answer = olga.call_api("POST", "/events", event)
    olga.call_api("POST", "/events", {**event, "title": "Meanwhile", "slug": "unwanted"})
    ann.call_api("GET", "/events/gathering")
    olga.call_api("PATCH", "/events/gathering", {"summary": "Three days."}, label="no version")
    olga.call_api("PATCH", "/events/gathering", {"summary": "Three days."}, If_Match=answer.headers["ETag"])
    olga.call_api(
        "PATCH", "/events/gathering", {"summary": "Four days."}, label="old version", If_Match=answer.headers["ETag"]
    )
    olga.call_api("POST", "/events/gathering/publish")
    moderator.call_api("POST", "/events/gathering/publish")
    weekly = {
        "recurrence": "FREQ=WEEKLY;COUNT=5",
        "recurrence_overrides": {"2026-04-07T18:00:00": {"status": "cancelled"}},
    }
    times = {"timezone": "Europe/Berlin", "starts": "2026-03-31T18:00:00", "ends": "2026-03-31T20:00:00"}
    recurring = {"title": "Weekly", "slug": "every-week", **times, **weekly}
    moderator.call_api("POST", "/events", recurring)
    override = {"2026-04-14T18:00:00": {"starts": "2026-04-15T19:00:00"}, "2026-04-07T18:00:00": None}
    moderator.call_api("PATCH", "/events/every-week", {"recurrence_overrides": override}, If_Match="*")
    moderator.call_api("GET", "/events/every-week/occurrences")
    olga.call_api("DELETE", "/events/unwanted")
    olga.call_api("PUT", "/events/gathering/team", {"email": "ann@example.org", "role": "reviewer"})
    olga.call_api("PUT", "/events/gathering/team", {"email": "nobody@example.org", "role": "reviewer"})
    [invitation] = get_json(ann.call_api("GET", "/me/invitations"))["items"]
    ann.call_api("POST", f"/me/invitations/{invitation['id']}/accept")
    ann.call_api("POST", f"/me/invitations/{invitation['id']}/decline")
    [invitation] = get_json(olga.call_api("GET", "/events/gathering/team"))["invitations"]
    olga.call_api("DELETE", f"/events/gathering/team/invitations/{invitation['id']}")
    bob_id = get_json(bob.call_api("GET", "/me"))["id"]
    olga.call_api("PUT", f"/events/gathering/team/{bob_id}", {"role": "organiser"}, label="not on the team")
    for step in ("decline", "accept"):
        olga.call_api("PUT", "/events/gathering/team", {"email": "bob@example.org", "role": "reviewer"})
        [invitation] = get_json(bob.call_api("GET", "/me/invitations"))["items"]
        bob.call_api("POST", f"/me/invitations/{invitation['id']}/{step}")
    olga.call_api("PUT", f"/events/gathering/team/{bob_id}", {"role": "organiser"})
    olga.call_api("DELETE", f"/events/gathering/team/{bob_id}")
    olga.call_api("DELETE", f"/events/gathering/team/{get_json(olga.call_api('GET', '/me'))['id']}", label="the last")
    olga.call_api("GET", "/events/gathering/team")
    ann.call_api("GET", "/me", label="on a team")


def _record_rooms_tracks_tiers(olga: RecordingClient) -> None:
    for kind, made, changed in (
        ("rooms", {"name": "Hall", "capacity": 100}, {"name": "Great hall", "capacity": None}),
        ("tracks", {"name": "Security", "colour": "#2a7f62"}, {"colour": "#000000"}),
        (
            "tiers",
            {"name": "Gold", "rank": 1, "price": {"amount": "100.00", "currency": "EUR"}, "capacity": 1},
            {"rank": 2},
        ),
    ):
        part = get_json(olga.call_api("POST", f"/events/gathering/{kind}", made))
        olga.call_api("POST", f"/events/gathering/{kind}", made, label="known")
        olga.call_api("PATCH", f"/{kind}/{part['id']}", changed)
        other = get_json(olga.call_api("POST", f"/events/gathering/{kind}", {"name": "Another"}))
        olga.call_api("DELETE", f"/{kind}/{other['id']}")
        olga.call_api("GET", f"/events/gathering/{kind}")


def _record_talks(people: Mapping[str, RecordingClient]) -> dict[str, str]:
    """Record all state transitions of talks, and return the ids of the talks by their final state."""
    olga, ann, bob, moderator = (people[name] for name in ("olga", "ann", "bob", "max"))
    made: dict[str, str] = {}

    def submit(title: str, **fields: Any) -> str:
        body = {"title": title, "abstract": "About **it**.", "kind": "talk", "tags": ["xen"], **fields}
        return str(get_json(bob.call_api("POST", "/events/gathering/talks", body))["id"])

    others = [{"name": "Carol Example", "email": "carol@example.org", "affiliation": "Example"}, {"slug": "ada"}]
    made["confirmed"] = submit("A talk to confirm", speakers=others, track="Security", duration_minutes=30)
    talk = f"/talks/{made['confirmed']}"
    ann.call_api("GET", talk, label="as a reviewer")
    people["max"].call_api("GET", "/events/gathering/talks?state=submitted")
    answer = bob.call_api("GET", talk)
    bob.call_api("PATCH", talk, {"title": "A better title", "abstract": None}, If_Match=answer.headers["ETag"])
    bob.call_api("PATCH", talk, {"title": "A worse title"}, label="old version", If_Match=answer.headers["ETag"])
    ann.call_api("POST", f"{talk}/accept", label="as a reviewer")
    olga.call_api("POST", f"{talk}/waitlist", {"reason": "Perhaps."})
    olga.call_api("POST", f"{talk}/accept", {"reason": "A very good one.\n\nCome!"})
    bob.call_api("PATCH", talk, {"title": "Too late"}, label="decided", If_Match="*")
    bob.call_api("POST", f"{talk}/confirm")
    placed = {"room": "Great hall", "starts": "2026-05-04T10:00:00", "slides_url": "https://slides.example/1"}
    olga.call_api("PATCH", talk, placed, If_Match="*")
    olga.call_api("PATCH", talk, {"room": "No such room", "starts": "2027-01-01T10:00:00"}, If_Match="*")
    draft = submit("A draft", draft=True)
    bob.call_api("POST", f"/talks/{draft}/submit")
    olga.call_api("POST", f"/talks/{draft}/reject", {"reason": "Too many drafts."})
    bob.call_api("POST", f"/talks/{draft}/submit", label="rejected")
    for state in ("withdrawn", "cancelled", "redacted"):
        made[state] = submit(f"A talk that is {state}")
        olga.call_api("POST", f"/talks/{made[state]}/accept")
        bob.call_api("POST", f"/talks/{made[state]}/confirm")
    bob.call_api("POST", f"/talks/{made['withdrawn']}/withdraw", {"reason": "Ill."})
    olga.call_api("POST", f"/talks/{made['cancelled']}/cancel", {"reason": "No room."})
    for talk_id in (made["withdrawn"], made["cancelled"]):
        olga.call_api("POST", f"/talks/{talk_id}/reinstate")
    decided = {"step": "cancel", "talks": [made["withdrawn"], made["cancelled"]], "reason": "No room."}
    olga.call_api("POST", "/events/gathering/talks/decide", decided)
    olga.call_api("POST", "/events/gathering/talks/decide", decided, label="again")
    unwanted = submit("An unwanted draft", draft=True)
    moderator.call_api("GET", f"/talks/{unwanted}", label="a draft")
    bob.call_api("DELETE", f"/talks/{unwanted}")
    bob.call_api("DELETE", f"/talks/{made['confirmed']}", label="no draft")
    moderator.call_api("POST", f"/talks/{made['redacted']}/redact")
    bob.call_api("POST", "/events/gathering/talks", {"reprise_of": made["confirmed"], "notes": "Again."})
    bob.call_api("POST", "/events/hackday/talks", {"title": "Listed, with a time", "starts": "2026-05-02T10:00:00"})
    bob.call_api("GET", "/me/talks")
    bob.call_api("GET", "/events/gathering/talks")
    ann.call_api("PUT", f"/me/stars/{made['confirmed']}")
    return made


def _record_speakers(people: Mapping[str, RecordingClient], talk: str) -> None:
    bob, moderator = people["bob"], people["max"]
    moderator.call_api("GET", "/speakers/carol-example")
    answer = moderator.call_api("GET", "/speakers/ada")
    profile = {
        "bio": "Wrote *notes*.",
        "links": [{"title": "Home", "url": "https://ada.example/"}],
        "job_title": "Countess",
    }
    moderator.call_api("PATCH", "/speakers/ada", profile, If_Match=answer.headers["ETag"])
    moderator.call_api("PATCH", "/speakers/ada", profile, label="old version", If_Match=answer.headers["ETag"])
    bob.call_api("PATCH", "/speakers/ada", profile, If_Match="*")
    answer = moderator.request(
        "PUT", "/api/v1/speakers/ada/photo", data=make_two_colour_image((300, 400)), headers=_PNG_HEADERS
    )
    shown: str = get_json(answer)["photo_url"]
    moderator.get(shown.removeprefix(moderator.recorder.base_url))
    moderator.call_api("GET", f"/talks/{talk}")
    moderator.call_api("DELETE", "/speakers/ada/photo")
    moderator.call_api("POST", "/speakers/grace/merge", {"other": "carol-example"})
    moderator.call_api("GET", "/speakers/carol-example", label="merged")


def _record_sponsors(people: Mapping[str, RecordingClient]) -> None:
    olga, ann, moderator = people["olga"], people["ann"], people["max"]
    tier = get_json(olga.call_api("GET", "/events/gathering/tiers"))["items"][0]["id"]
    company = {"name": "Company & Sons", "url": "https://company.example/", "description": "Makes *things*."}
    enquiry = get_json(
        ann.call_api("POST", "/events/gathering/sponsorships", {"tier": tier, "sponsor": company, "note": "Please."})
    )
    ann.call_api("POST", "/events/gathering/sponsorships", {"tier": tier, "sponsor": "citrix"})
    other = get_json(olga.call_api("POST", "/events/gathering/sponsorships", {"tier": tier, "sponsor": "rackspace"}))
    for person in (ann, olga):
        person.call_api("GET", f"/sponsorships/{enquiry['id']}", label=person.name)
    olga.call_api("POST", f"/sponsorships/{enquiry['id']}/confirm")
    olga.call_api("POST", f"/sponsorships/{other['id']}/confirm", label="full")
    olga.call_api("POST", f"/sponsorships/{other['id']}/cancel")
    slug = enquiry["sponsor"]["slug"]
    answer = moderator.call_api("GET", f"/sponsors/{slug}")
    moderator.call_api("PATCH", f"/sponsors/{slug}", {"name": "Company"}, If_Match=answer.headers["ETag"])
    logo = make_image((900, 300), mode="RGBA", colour=(20, 20, 20, 160))
    moderator.request("PUT", f"/api/v1/sponsors/{slug}/logo", data=logo, headers=_PNG_HEADERS)
    moderator.call_api("DELETE", f"/sponsors/{slug}/logo")
    olga.call_api("DELETE", f"/tiers/{tier}", label="in use")
    olga.call_api("GET", "/events/gathering/sponsorships")
    ann.call_api("GET", "/me/sponsorships")
    olga.call_api("GET", "/me/events")
    olga.call_api("GET", "/events/gathering/sponsors")


def _record_deletions(people: Mapping[str, RecordingClient]) -> None:
    """Record the cancellation, erasure and deletion of events and accounts."""
    moderator = people["max"]
    moderator.call_api("POST", "/events/hackday/cancel")
    moderator.call_api("POST", "/events/hackday/cancel", label="again")
    moderator.call_api("POST", "/events/every-week/redact")
    people["olga"].call_api("DELETE", "/me", {"password": PASSWORD}, label="the last organiser")
    people["bob"].call_api("DELETE", "/me", {"password": "wrong"})
    people["bob"].call_api("DELETE", "/me", {"password": PASSWORD})
    people["bob"].call_api("GET", "/me", label="gone")
