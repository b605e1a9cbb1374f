"""A scenario through the HTTP API: every unsafe operation, in an order in which each finds what it needs."""

from collections.abc import Mapping
from typing import Any

from tests.comparison.application import PASSWORD, emails
from tests.comparison.recorder import Person, Recorder, json_of
from tests.images import halved, painted

_PNG = {"Content-Type": "image/png"}
_NEW_PASSWORD = "another quiet bicycle"


def record_api_scenario(recorder: Recorder) -> None:
    """Record the scenario: accounts, an event and its parts, talks, speakers and sponsors."""
    visitor = recorder.person("visitor")
    people = {name: _newcomer(recorder, name) for name in ("olga", "ann", "bob")}
    people["max"] = recorder.person("max").sign_in("max@example.org")
    _accounts(recorder, visitor)
    _own_things(people["ann"], people["bob"])
    _event(people)
    _parts(people["olga"])
    talks = _talks(people)
    _speakers(people, talks["confirmed"])
    _sponsors(people)
    _ends(people)
    _sessions(people["ann"])
    recorder.write_emails("in the end")


def emailed_token(recorder: Recorder, address: str, path: str) -> str:
    """Return the token in the newest email to somebody that links to `path`."""
    texts = [email.text for email in emails(recorder.app) if email.to == address and f"{path}?token=" in email.text]
    return texts[-1].partition("?token=")[2].split()[0]


def _newcomer(recorder: Recorder, name: str) -> Person:
    """Return somebody who registered, confirmed their address and signed in."""
    person = recorder.person(name)
    address = f"{name}@example.org"
    registered = {"email": address, "password": PASSWORD, "name": f"{name.title()} Newcomer"}
    person.api("POST", "/auth/register", registered)
    person.api("POST", "/auth/confirm", {"token": emailed_token(recorder, address, "/confirm")})
    return person.sign_in(address)


def _accounts(recorder: Recorder, visitor: Person) -> None:
    registered = {"email": "zoe@example.org", "password": PASSWORD, "name": "Zoë"}
    visitor.api("POST", "/auth/register", {**registered, "password": "short"})
    visitor.api("POST", "/auth/register", registered)
    visitor.api("POST", "/auth/register", registered, label="known")
    visitor.api("POST", "/auth/confirm", {"email": "zoe@example.org"})
    visitor.api("POST", "/auth/confirm", {"token": "nonsense"})
    visitor.api("POST", "/auth/login", {"email": "zoe@example.org", "password": "wrong"})
    zoe = recorder.person("zoe").sign_in("zoe@example.org")
    zoe.api("POST", "/events/summit/talks", {"title": "Not confirmed yet"})
    zoe.api(
        "POST",
        "/auth/password",
        {"password": PASSWORD, "new_password": _NEW_PASSWORD},
        label="no CSRF",
        X_CSRF_Token="",
    )
    changed = zoe.api("POST", "/auth/password", {"password": PASSWORD, "new_password": _NEW_PASSWORD})
    zoe.headers = {"X-CSRF-Token": json_of(changed)["csrf_token"]}
    visitor.api("POST", "/auth/reset", {"email": "zoe@example.org"})
    visitor.api("POST", "/auth/reset", {"email": "nobody@example.org"}, label="unknown")
    token = emailed_token(recorder, "zoe@example.org", "/reset")
    visitor.api("POST", "/auth/reset/confirm", {"token": token, "password": PASSWORD})
    visitor.api("POST", "/auth/reset/confirm", {"token": token, "password": PASSWORD}, label="used")
    zoe.api("GET", "/me", label="session over")
    zoe = recorder.person("zoe").sign_in("zoe@example.org")
    zoe.api("POST", "/auth/logout")
    zoe.api("GET", "/me", label="signed out")
    recorder.write_emails("after registering")


def _sessions(ann: Person) -> None:
    laptop = ann.recorder.person("laptop", User_Agent="Laptop/1.0").sign_in("ann@example.org")
    ann.recorder.person("tablet").sign_in("ann@example.org")
    sessions = json_of(ann.api("GET", "/me/sessions"))["items"]
    [other] = [one["id"] for one in sessions if one["user_agent"] == "Laptop/1.0"]
    ann.api("DELETE", f"/me/sessions/{other}", label="no CSRF", X_CSRF_Token="")
    ann.api("DELETE", f"/me/sessions/{other}")
    ann.api("DELETE", f"/me/sessions/{other}", label="ended")
    laptop.api("GET", "/me", label="ended")
    ann.api("DELETE", "/me/sessions")
    ann.api("GET", "/me/sessions", label="others ended")


def _own_things(ann: Person, bob: Person) -> None:
    ann.api("GET", "/me")
    ann.api("PATCH", "/me", {"name": "Ann the First"})
    ann.api("PATCH", "/me", {"email": "x@example.org"})
    made = {"name": "A script", "scopes": ["read", "submit"], "expires_at": "2026-12-31T00:00:00Z"}
    token = json_of(ann.api("POST", "/me/tokens", made, Idempotency_Key="one"))
    ann.api("POST", "/me/tokens", made, label="again", Idempotency_Key="one")
    ann.api("POST", "/me/tokens", {**made, "name": "Another"}, label="other body", Idempotency_Key="one")
    ann.api("POST", "/me/tokens", {**made, "scopes": []})
    ann.api("GET", "/me/tokens")
    script = ann.recorder.person("script", Authorization=f"Bearer {token['token']}")
    script.api("GET", "/me")
    script.api("POST", "/me/tokens", made)
    ann.api("DELETE", f"/me/tokens/{token['id']}")
    script.api("GET", "/me", label="revoked")
    feed = json_of(ann.api("POST", "/me/feeds", {"name": "Phone"}))
    path = feed["url"].removeprefix(ann.recorder.base_url)
    ann.api("PUT", "/me/stars/confirmed")
    ann.api("PUT", "/me/stars/nobody")
    ann.api("GET", "/me/stars")
    ann.get(path)
    ann.api("GET", "/me/feeds")
    ann.api("DELETE", "/me/stars/confirmed")
    ann.get(path, label="empty")
    bob.api("DELETE", f"/me/feeds/{feed['id']}")
    ann.api("DELETE", f"/me/feeds/{feed['id']}")
    ann.get(path, label="revoked")


def _event(people: Mapping[str, Person]) -> None:
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
    answer = olga.api("POST", "/events", event)
    olga.api("POST", "/events", {**event, "title": "Meanwhile", "slug": "unwanted"})
    ann.api("GET", "/events/gathering")
    olga.api("PATCH", "/events/gathering", {"summary": "Three days."}, label="no version")
    olga.api("PATCH", "/events/gathering", {"summary": "Three days."}, If_Match=answer.headers["ETag"])
    olga.api(
        "PATCH", "/events/gathering", {"summary": "Four days."}, label="old version", If_Match=answer.headers["ETag"]
    )
    olga.api("POST", "/events/gathering/publish")
    moderator.api("POST", "/events/gathering/publish")
    weekly = {
        "recurrence": "FREQ=WEEKLY;COUNT=5",
        "recurrence_overrides": {"2026-04-07T18:00:00": {"status": "cancelled"}},
    }
    times = {"timezone": "Europe/Berlin", "starts": "2026-03-31T18:00:00", "ends": "2026-03-31T20:00:00"}
    recurring = {"title": "Weekly", "slug": "every-week", **times, **weekly}
    moderator.api("POST", "/events", recurring)
    override = {"2026-04-14T18:00:00": {"starts": "2026-04-15T19:00:00"}, "2026-04-07T18:00:00": None}
    moderator.api("PATCH", "/events/every-week", {"recurrence_overrides": override}, If_Match="*")
    moderator.api("GET", "/events/every-week/occurrences")
    olga.api("DELETE", "/events/unwanted")
    olga.api("PUT", "/events/gathering/team", {"email": "ann@example.org", "role": "reviewer"})
    olga.api("PUT", "/events/gathering/team", {"email": "nobody@example.org", "role": "reviewer"})
    bob_id = json_of(bob.api("GET", "/me"))["id"]
    olga.api("PUT", f"/events/gathering/team/{bob_id}", {"role": "organiser"})
    olga.api("DELETE", f"/events/gathering/team/{bob_id}")
    olga.api("DELETE", f"/events/gathering/team/{json_of(olga.api('GET', '/me'))['id']}", label="the last")
    olga.api("GET", "/events/gathering/team")
    ann.api("GET", "/me", label="on a team")


def _parts(olga: Person) -> None:
    for kind, made, changed in (
        ("rooms", {"name": "Hall", "capacity": 100}, {"name": "Great hall", "capacity": None}),
        ("tracks", {"name": "Security", "colour": "#2a7f62"}, {"colour": "#000000"}),
        (
            "tiers",
            {"name": "Gold", "rank": 1, "price": {"amount": "100.00", "currency": "EUR"}, "capacity": 1},
            {"rank": 2},
        ),
    ):
        part = json_of(olga.api("POST", f"/events/gathering/{kind}", made))
        olga.api("POST", f"/events/gathering/{kind}", made, label="known")
        olga.api("PATCH", f"/{kind}/{part['id']}", changed)
        other = json_of(olga.api("POST", f"/events/gathering/{kind}", {"name": "Another"}))
        olga.api("DELETE", f"/{kind}/{other['id']}")
        olga.api("GET", f"/events/gathering/{kind}")


def _talks(people: Mapping[str, Person]) -> dict[str, str]:
    """Record talks on every way through their states, and return identifiers by the last state."""
    olga, ann, bob, moderator = (people[name] for name in ("olga", "ann", "bob", "max"))
    made: dict[str, str] = {}

    def submit(title: str, **fields: Any) -> str:
        body = {"title": title, "abstract": "About **it**.", "kind": "talk", "tags": ["xen"], **fields}
        return str(json_of(bob.api("POST", "/events/gathering/talks", body))["id"])

    others = [{"name": "Carol Example", "email": "carol@example.org", "affiliation": "Example"}, {"slug": "ada"}]
    made["confirmed"] = submit("A talk to confirm", speakers=others, track="Security", duration_minutes=30)
    talk = f"/talks/{made['confirmed']}"
    ann.api("GET", talk, label="as a reviewer")
    people["max"].api("GET", "/events/gathering/talks?state=submitted")
    answer = bob.api("GET", talk)
    bob.api("PATCH", talk, {"title": "A better title", "abstract": None}, If_Match=answer.headers["ETag"])
    bob.api("PATCH", talk, {"title": "A worse title"}, label="old version", If_Match=answer.headers["ETag"])
    ann.api("POST", f"{talk}/accept", label="as a reviewer")
    olga.api("POST", f"{talk}/waitlist", {"reason": "Perhaps."})
    olga.api("POST", f"{talk}/accept", {"reason": "A very good one.\n\nCome!"})
    bob.api("PATCH", talk, {"title": "Too late"}, label="decided", If_Match="*")
    bob.api("POST", f"{talk}/confirm")
    placed = {"room": "Great hall", "starts": "2026-05-04T10:00:00", "slides_url": "https://slides.example/1"}
    olga.api("PATCH", talk, placed, If_Match="*")
    olga.api("PATCH", talk, {"room": "No such room", "starts": "2027-01-01T10:00:00"}, If_Match="*")
    draft = submit("A draft", draft=True)
    bob.api("POST", f"/talks/{draft}/submit")
    olga.api("POST", f"/talks/{draft}/reject", {"reason": "Too many drafts."})
    bob.api("POST", f"/talks/{draft}/submit", label="rejected")
    for state in ("withdrawn", "cancelled", "redacted"):
        made[state] = submit(f"A talk that is {state}")
        olga.api("POST", f"/talks/{made[state]}/accept")
        bob.api("POST", f"/talks/{made[state]}/confirm")
    bob.api("POST", f"/talks/{made['withdrawn']}/withdraw", {"reason": "Ill."})
    olga.api("POST", f"/talks/{made['cancelled']}/cancel", {"reason": "No room."})
    moderator.api("POST", f"/talks/{made['redacted']}/redact")
    bob.api("POST", "/events/gathering/talks", {"reprise_of": made["confirmed"], "notes": "Again."})
    bob.api("POST", "/events/hackday/talks", {"title": "Listed, with a time", "starts": "2026-05-02T10:00:00"})
    bob.api("GET", "/me/talks")
    bob.api("GET", "/events/gathering/talks")
    ann.api("PUT", f"/me/stars/{made['confirmed']}")
    return made


def _speakers(people: Mapping[str, Person], talk: str) -> None:
    bob, moderator = people["bob"], people["max"]
    moderator.api("GET", "/speakers/carol-example")
    answer = moderator.api("GET", "/speakers/ada")
    profile = {
        "bio": "Wrote *notes*.",
        "links": [{"title": "Home", "url": "https://ada.example/"}],
        "job_title": "Countess",
    }
    moderator.api("PATCH", "/speakers/ada", profile, If_Match=answer.headers["ETag"])
    moderator.api("PATCH", "/speakers/ada", profile, label="old version", If_Match=answer.headers["ETag"])
    bob.api("PATCH", "/speakers/ada", profile, If_Match="*")
    answer = moderator.call("PUT", "/api/v1/speakers/ada/photo", data=halved((300, 400)), headers=_PNG)
    shown: str = json_of(answer)["photo_url"]
    moderator.get(shown.removeprefix(moderator.recorder.base_url))
    moderator.api("GET", f"/talks/{talk}")
    moderator.api("DELETE", "/speakers/ada/photo")
    moderator.api("POST", "/speakers/grace/merge", {"other": "carol-example"})
    moderator.api("GET", "/speakers/carol-example", label="merged")


def _sponsors(people: Mapping[str, Person]) -> None:
    olga, ann, moderator = people["olga"], people["ann"], people["max"]
    tier = json_of(olga.api("GET", "/events/gathering/tiers"))["items"][0]["id"]
    company = {"name": "Company & Sons", "url": "https://company.example/", "description": "Makes *things*."}
    enquiry = json_of(
        ann.api("POST", "/events/gathering/sponsorships", {"tier": tier, "sponsor": company, "note": "Please."})
    )
    ann.api("POST", "/events/gathering/sponsorships", {"tier": tier, "sponsor": "citrix"})
    other = json_of(olga.api("POST", "/events/gathering/sponsorships", {"tier": tier, "sponsor": "rackspace"}))
    for person in (ann, olga):
        person.api("GET", f"/sponsorships/{enquiry['id']}", label=person.name)
    olga.api("POST", f"/sponsorships/{enquiry['id']}/confirm")
    olga.api("POST", f"/sponsorships/{other['id']}/confirm", label="full")
    olga.api("POST", f"/sponsorships/{other['id']}/cancel")
    slug = enquiry["sponsor"]["slug"]
    answer = moderator.api("GET", f"/sponsors/{slug}")
    moderator.api("PATCH", f"/sponsors/{slug}", {"name": "Company"}, If_Match=answer.headers["ETag"])
    logo = painted((900, 300), mode="RGBA", colour=(20, 20, 20, 160))
    moderator.call("PUT", f"/api/v1/sponsors/{slug}/logo", data=logo, headers=_PNG)
    moderator.api("DELETE", f"/sponsors/{slug}/logo")
    olga.api("DELETE", f"/tiers/{tier}", label="in use")
    olga.api("GET", "/events/gathering/sponsorships")
    olga.api("GET", "/events/gathering/sponsors")


def _ends(people: Mapping[str, Person]) -> None:
    """Record how events and accounts come to their end."""
    moderator = people["max"]
    moderator.api("POST", "/events/hackday/cancel")
    moderator.api("POST", "/events/hackday/cancel", label="again")
    moderator.api("POST", "/events/every-week/redact")
    people["olga"].api("DELETE", "/me", {"password": PASSWORD}, label="the last organiser")
    people["bob"].api("DELETE", "/me", {"password": "wrong"})
    people["bob"].api("DELETE", "/me", {"password": PASSWORD})
    people["bob"].api("GET", "/me", label="gone")
