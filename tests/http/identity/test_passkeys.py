"""Passkeys: adding, signing in, removing, and every browser response that must be rejected."""

import json
from collections.abc import Iterator

import pytest
from flask import Flask

from eventcal.members.enums import Scope
from eventcal.members.models import Member, Passkey
from eventcal.web.identity import accounts
from eventcal.web.request.rate_limits import RateLimiter
from tests import http_app
from tests.browsing import Browser, browser_of
from tests.clocks import NOON, FixedClock
from tests.http.conftest import Street
from tests.http_app import PASSWORD, post, problem, rows, token_of, writing
from tests.pages import tree_of
from tests.second_factors import log_in, set_up
from tests.soft_key import ORIGIN, SoftKey

HOME = "/me/security"
NEW = f"{HOME}/passkeys/new"
WITH = "/login/passkey"


@pytest.fixture
def app(_walls: Flask, street: Street, database_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Yield the app at an HTTPS base URL with a host name, as browsers require for passkeys."""
    with street.lived_in(_walls, database_url, clock, base_url=ORIGIN) as app:
        yield app


@pytest.fixture
def ada(app: Flask) -> Browser:
    """Return Ada's browser, just signed in."""
    return Browser(http_app.signed_in(app).client, browser_of(app).at)


@pytest.fixture
def other(app: Flask) -> Browser:
    """Return a new browser without cookies."""
    return browser_of(app)


@pytest.fixture
def key(ada: Browser) -> SoftKey:
    """Add a passkey for Ada and return it."""
    return added(ada)


def asked(browser: Browser, path: str) -> str:
    """Return the WebAuthn options in the form at `path`."""
    browser.go(path)
    return asked_on(browser.at.text)


def asked_on(page: str) -> str:
    """Return the WebAuthn options in the form of this page."""
    [options] = [form.get("data-options", "") for form in tree_of(page).iter("form") if form.get("data-options")]
    return options


def added(browser: Browser, key: SoftKey | None = None, name: str = "My phone") -> SoftKey:
    key = key or SoftKey()
    answer = key.make(asked(browser, NEW))
    assert "The passkey is added." in browser.send(NEW, name=name, answer=answer)
    return key


def signs_in(browser: Browser, answer: str) -> bool:
    browser.send(WITH, answer=answer)
    here = browser.client.get("/api/v1/me").status_code == 200
    assert here or "This passkey was not taken." in browser.says()
    assert browser.at.status_code == (200 if here else 401)
    return here


def stored(app: Flask) -> Passkey:
    [only] = rows(app, Passkey)
    assert isinstance(only, Passkey)
    return only


# Adding


def test_added_passkey_is_stored_and_listed(app: Flask, ada: Browser) -> None:
    key = added(ada, name="My <b>phone</b>")
    row = stored(app)
    assert (row.credential_id, row.name, row.sign_count) == (key.credential_id, "My <b>phone</b>", 0)
    assert (row.created_at, row.last_used_at, row.transports) == (NOON, None, ["internal"])
    assert len(row.user_handle) == 64
    assert "My <b>phone</b>" in ada.says()
    assert "<b>phone" not in ada.at.text
    assert "Not used yet." in ada.says()


def test_passkey_options_come_from_settings_and_ignore_host_header(app: Flask, ada: Browser) -> None:
    cookie = ada.client.get_cookie("eventcal")
    assert cookie is not None
    elsewhere = {"Host": "evil.example", "Cookie": f"eventcal={cookie.value}"}
    known = json.loads(asked_on(app.test_client(use_cookies=False).get(NEW, headers=elsewhere).text))
    assert known["rp"] == {"id": "calendar.example.org", "name": "eventcal"}
    assert (known["user"]["name"], known["user"]["displayName"]) == ("ada@example.org", "Ada Lovelace")
    selection = known["authenticatorSelection"]
    assert (selection["residentKey"], selection["userVerification"]) == ("required", "required")
    assert known["attestation"] == "none"
    assert known["excludeCredentials"] == []


def test_second_passkey_has_same_user_handle_and_excludes_the_first(app: Flask, ada: Browser, key: SoftKey) -> None:
    options = json.loads(asked(ada, NEW))
    assert [one["transports"] for one in options["excludeCredentials"]] == [["internal"]]
    second = added(ada, name="My other phone")
    assert second.user_handle == key.user_handle
    assert len(rows(app, Passkey)) == 2


def test_passkey_cannot_be_added_twice(app: Flask, ada: Browser, key: SoftKey) -> None:
    assert "has a passkey here already" in ada.send(NEW, name="Again", answer=key.make(asked(ada, NEW)))
    assert ada.at.status_code == 409
    assert stored(app).name == "My phone"


def test_passkey_of_another_member_cannot_be_added(app: Flask, key: SoftKey) -> None:
    mallory = Browser(http_app.signed_in(app, "mallory@example.org").client, browser_of(app).at)
    stolen = SoftKey(credential_id=key.credential_id)
    mallory.send(NEW, name="Mine", answer=stolen.make(asked(mallory, NEW)))
    assert mallory.at.status_code == 409
    assert stored(app).user_handle == key.user_handle


def test_registration_challenge_cannot_be_reused(app: Flask, ada: Browser) -> None:
    options = asked(ada, NEW)
    held, cookie = ada.fields(NEW), ada.client.get_cookie("eventcal")
    assert cookie is not None
    ada.send(NEW, name="My phone", answer=SoftKey().make(options))
    # The old cookie, which held the challenge, does not help, not even with another key.
    ada.client.set_cookie("eventcal", cookie.value)
    answer = ada.client.post(NEW, data=held | {"name": "Again", "answer": SoftKey().make(options)})
    assert answer.status_code == 422
    assert stored(app).name == "My phone"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://calendar.example.org", f"{ORIGIN}:8443"])
def test_passkey_from_another_origin_is_not_added(app: Flask, ada: Browser, origin: str) -> None:
    answer = SoftKey().make(asked(ada, NEW), origin=origin)
    assert "This passkey was not taken." in ada.send(NEW, name="My phone", answer=answer)
    assert ada.at.status_code == 422
    assert rows(app, Passkey) == []


def test_passkey_for_another_site_or_without_user_verification_is_not_added(app: Flask, ada: Browser) -> None:
    ada.send(NEW, name="My phone", answer=SoftKey().make(asked(ada, NEW), site="evil.example"))
    assert ada.at.status_code == 422
    ada.send(NEW, name="My phone", answer=SoftKey(verifies=False).make(asked(ada, NEW)))
    assert ada.at.status_code == 422
    assert rows(app, Passkey) == []


@pytest.mark.parametrize(("length", "status"), [(1023, 303), (1024, 422), (60_000, 422)])
def test_credential_id_has_at_most_1023_bytes(app: Flask, ada: Browser, length: int, status: int) -> None:
    answer = SoftKey(credential_id=b"\xff" * length).make(asked(ada, NEW))
    sent = ada.client.post(NEW, data=ada.fields(NEW) | {"name": "Long", "answer": answer})
    assert sent.status_code == status
    assert len(rows(app, Passkey)) == (status == 303)


JUNK = [
    "",
    "null",
    "[]",
    "{}",
    "[" * 50_000,
    '{"id":"a","rawId":"a","type":"public-key","response":{"clientDataJSON":"a","attestationObject":"%"}}',
    '{"id":"YQ","rawId":"YQ","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"YQ"}}',
    '{"id":"YQ","rawId":"YQ","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"YQ"}}',
    '{"id":"YQ","rawId":"YQ","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"YQ","signature":"","userHandle":"%"}}',
    '{"id":1,"rawId":2,"type":[],"response":7}',
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
]


@pytest.mark.parametrize("answer", JUNK)
def test_malformed_response_adds_no_passkey_and_keeps_entered_name(app: Flask, ada: Browser, answer: str) -> None:
    asked(ada, NEW)
    ada.send(NEW, name="My phone", answer=answer)
    assert ada.at.status_code == 422
    assert ada.fields(NEW)["name"] == "My phone"
    assert rows(app, Passkey) == []


@pytest.mark.parametrize("answer", JUNK)
@pytest.mark.usefixtures("key")
def test_malformed_response_does_not_sign_in(other: Browser, answer: str) -> None:
    asked(other, "/login")
    assert not signs_in(other, answer)


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "two\nlines"])
def test_passkey_requires_valid_name(app: Flask, ada: Browser, name: str) -> None:
    ada.send(NEW, name=name, answer=SoftKey().make(asked(ada, NEW)))
    assert ada.at.status_code == 422
    assert 'id="name-fault-1"' in ada.at.text
    assert rows(app, Passkey) == []


def test_adding_passkey_requires_csrf_token_and_recent_sign_in(
    app: Flask, ada: Browser, other: Browser, clock: FixedClock
) -> None:
    answer = SoftKey().make(asked(ada, NEW))
    held = ada.fields(NEW) | {"name": "My phone", "answer": answer}
    assert ada.client.post(NEW, data=held | {"csrf_token": "no"}).status_code == 403
    assert other.client.post(NEW, data=held).status_code == 401
    assert other.client.get(NEW).headers["Location"].startswith("/login?next=")
    token = token_of(http_app.signed_in(app), *Scope)
    assert app.test_client().post(NEW, data=held, headers=token).status_code == 403
    clock.tick(15 * 60)
    assert ada.client.post(NEW, data=held).headers["Location"].startswith("/me/security/again?next=")
    assert rows(app, Passkey) == []


# Signing in


def test_passkey_signs_in_and_redirects_to_next_page(
    app: Flask, other: Browser, key: SoftKey, clock: FixedClock
) -> None:
    clock.tick(60)
    assert json.loads(asked(other, f"/login?next={HOME}"))["allowCredentials"] == []
    other.send(WITH, answer=key.sign(asked(other, f"/login?next={HOME}")))
    assert other.at.request.path == HOME
    assert "Last used:" in other.says()
    row = stored(app)
    assert (row.sign_count, row.last_used_at) == (1, clock.now())


def test_passkey_replaces_both_factors(other: Browser, ada: Browser, key: SoftKey, clock: FixedClock) -> None:
    set_up(ada, clock)
    assert "Your password is right." in log_in(other)
    assert signs_in(other, key.sign(asked(other, "/login")))


def test_passkey_without_signature_counter_signs_in_repeatedly(ada: Browser, other: Browser) -> None:
    key = added(ada, SoftKey(counts=False))
    for _ in range(2):
        assert signs_in(other, key.sign(asked(other, "/login")))


def test_sign_in_challenge_cannot_be_reused(app: Flask, ada: Browser, other: Browser) -> None:
    key = added(ada, SoftKey(counts=False))
    options = asked(other, "/login")
    held, cookie = other.fields(WITH), other.client.get_cookie("eventcal")
    assert cookie is not None
    answer = key.sign(options)
    assert signs_in(other, answer)
    # A copy of the cookie made before it was used is useless, with the old response and with a new one.
    for late in (answer, key.sign(options)):
        thief = browser_of(app)
        thief.client.set_cookie("eventcal", cookie.value)
        assert thief.client.post(WITH, data=held | {"answer": late}).status_code == 401
        assert thief.client.get("/api/v1/me").status_code == 401


def test_challenge_of_another_session_is_rejected(other: Browser, app: Flask, key: SoftKey) -> None:
    theirs = asked(browser_of(app), "/login")
    asked(other, "/login")
    assert not signs_in(other, key.sign(theirs))


def test_challenge_expires_after_an_hour(other: Browser, key: SoftKey, clock: FixedClock) -> None:
    options = asked(other, "/login")
    clock.tick(60 * 60)
    assert not signs_in(other, key.sign(options))
    # The error page contains a new challenge.
    assert signs_in(other, key.sign(asked_on(other.at.text)))


def test_two_tabs_share_one_challenge(other: Browser, key: SoftKey) -> None:
    first = asked(other, "/login")
    asked(other, "/login")
    assert signs_in(other, key.sign(first))


@pytest.mark.parametrize("origin", ["https://evil.example", "http://calendar.example.org", f"{ORIGIN}:8443", "null"])
def test_signature_from_another_origin_is_rejected(other: Browser, key: SoftKey, origin: str) -> None:
    assert not signs_in(other, key.sign(asked(other, "/login"), origin=origin))


def test_signature_for_another_site_is_rejected(other: Browser, key: SoftKey) -> None:
    assert not signs_in(other, key.sign(asked(other, "/login"), site="evil.example"))


def test_host_header_does_not_change_passkey_options(app: Flask, key: SoftKey) -> None:
    client = app.test_client()
    other = Browser(client, client.get("/login", base_url="http://evil.example/"))
    options = asked_on(other.at.text)
    assert json.loads(options)["rpId"] == "calendar.example.org"
    evil = SoftKey(key.credential_id, key.private, key.user_handle)
    held = other.fields(WITH)
    answer = evil.sign(options, origin="http://evil.example", site="evil.example")
    sent = client.post(WITH, data=held | {"answer": answer}, base_url="http://evil.example/")
    assert sent.status_code == 401


def test_signature_counter_must_increase(app: Flask, other: Browser, key: SoftKey) -> None:
    copy = SoftKey(key.credential_id, key.private, key.user_handle)
    for _ in range(3):
        assert signs_in(other, key.sign(asked(other, "/login")))
    other = browser_of(app)
    assert not signs_in(other, copy.sign(asked(other, "/login")))
    copy.sign_count = 2  # the next is 3, which was seen
    assert not signs_in(other, copy.sign(asked(other, "/login")))
    assert stored(app).sign_count == 3
    assert signs_in(other, key.sign(asked(other, "/login")))


def test_sign_in_without_user_verification_is_rejected(other: Browser, key: SoftKey) -> None:
    key.verifies = False
    assert not signs_in(other, key.sign(asked(other, "/login")))


def test_unknown_passkey_is_rejected(other: Browser, key: SoftKey) -> None:
    unknown = SoftKey(user_handle=key.user_handle)
    assert not signs_in(other, unknown.sign(asked(other, "/login")))


def test_signature_of_another_private_key_is_rejected(other: Browser, key: SoftKey) -> None:
    forged = SoftKey(credential_id=key.credential_id, user_handle=key.user_handle)
    assert not signs_in(other, forged.sign(asked(other, "/login")))


def test_passkey_cannot_sign_in_another_member(app: Flask, other: Browser, key: SoftKey) -> None:
    mallory = Browser(http_app.signed_in(app, "mallory@example.org").client, browser_of(app).at)
    theirs = added(mallory)
    assert not signs_in(other, theirs.sign(asked(other, "/login"), userHandle=key.user_handle))
    assert not signs_in(other, theirs.sign(asked(other, "/login"), userHandle=b""))
    assert signs_in(other, theirs.sign(asked(other, "/login")))
    other.go("/me/account")
    assert "mallory@example.org" in other.says()


def test_passkey_of_inactive_member_is_rejected(app: Flask, other: Browser, key: SoftKey) -> None:
    with writing(app) as session:
        session.query(Member).one().active = False
    assert not signs_in(other, key.sign(asked(other, "/login")))


def test_passkey_sign_in_requires_csrf_token(other: Browser, key: SoftKey) -> None:
    answer = key.sign(asked(other, "/login"))
    assert other.client.post(WITH, data={"answer": answer}).status_code == 403


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_passkey_sign_in_does_not_redirect_to_another_site(other: Browser, key: SoftKey, wanted: str) -> None:
    held = {"answer": key.sign(asked(other, "/login"))} | {"next": wanted}
    answer = other.client.post(WITH, data=other.fields(WITH) | held)
    assert answer.headers["Location"] == "/me"


@pytest.mark.usefixtures("key")
def test_passkey_sign_in_is_limited_to_sixty_per_minute(app: Flask, other: Browser) -> None:
    asked(other, "/login")
    held = other.fields(WITH) | {"answer": "{}"}
    app.extensions["eventcal_limits"] = RateLimiter(None)
    app.config["RATELIMIT_ENABLED"] = True
    try:
        statuses = [other.client.post(WITH, data=held).status_code for _ in range(61)]
    finally:
        app.config["RATELIMIT_ENABLED"] = False
    assert statuses == [401] * 60 + [429]


def test_passkey_confirms_identity_again(ada: Browser, key: SoftKey, clock: FixedClock) -> None:
    clock.tick(15 * 60)
    options = asked(ada, NEW)
    assert ada.at.request.path == f"{HOME}/again"
    assert "Add a passkey" in ada.send(WITH, answer=key.sign(options))
    assert ada.at.request.path == NEW


# Removing


def test_removed_passkey_cannot_sign_in(app: Flask, ada: Browser, other: Browser, key: SoftKey) -> None:
    path = f"{HOME}/passkeys/{stored(app).id}"
    assert "Remove this passkey?" in ada.go(path)
    assert ada.client.post(path).status_code == 403
    assert "The passkey is removed." in ada.send(path)
    assert rows(app, Passkey) == []
    assert not signs_in(other, key.sign(asked(other, "/login")))


@pytest.mark.usefixtures("key")
def test_passkey_of_another_member_is_hidden(app: Flask) -> None:
    mallory = Browser(http_app.signed_in(app, "mallory@example.org").client, browser_of(app).at)
    path = f"{HOME}/passkeys/{stored(app).id}"
    mallory.go(HOME)
    assert "My phone" not in mallory.at.text
    mallory.go(NEW)
    csrf = mallory.fields(NEW)["csrf_token"]
    assert mallory.client.get(path).status_code == 404
    assert mallory.client.post(path, data={"csrf_token": csrf}).status_code == 404
    assert stored(app).name == "My phone"


def test_password_reset_by_email_removes_passkeys(app: Flask, other: Browser, key: SoftKey) -> None:
    with app.test_request_context():
        token = accounts.reset_token(rows(app, Member)[0])
    form = {"token": token, "password": "another quiet bicycle"}
    assert post(app, "/auth/reset/confirm", form).status_code == 204
    assert not signs_in(other, key.sign(asked(other, "/login")))


def test_password_change_keeps_passkeys(ada: Browser, other: Browser, key: SoftKey) -> None:
    ada.go("/me/account")
    ada.send("/me/account/password", password=PASSWORD, new_password="another quiet bicycle")
    assert signs_in(other, key.sign(asked(other, "/login")))


@pytest.mark.usefixtures("key")
def test_account_deletion_deletes_passkeys(app: Flask, ada: Browser) -> None:
    ada.go("/me/account/delete")
    ada.send("/me/account/delete", password=PASSWORD)
    assert (rows(app, Member), rows(app, Passkey)) == ([], [])


# Without browser support


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8000", "https://192.0.2.1", "http://calendar.example.org"])
def test_passkeys_are_not_offered_at_unsupported_base_url(
    app: Flask, street: Street, database_url: str, clock: FixedClock, *, base_url: str
) -> None:
    with street.lived_in(app, database_url, clock, base_url=base_url):
        ada = Browser(http_app.signed_in(app).client, browser_of(app).at)
        assert "passkeys need" in ada.go(HOME)
        assert ada.client.get(NEW).headers["Location"] == HOME
        other = browser_of(app)
        other.go("/login")
        assert WITH not in other.at.text
        csrf = other.fields("/login")["csrf_token"]
        assert other.client.post(WITH, data={"csrf_token": csrf, "answer": "{}"}).status_code == 401


@pytest.mark.usefixtures("key")
def test_api_sign_in_does_not_reveal_passkeys(app: Flask) -> None:
    answer = post(app, "/auth/login", {"email": "ada@example.org", "password": "wrong horse"})
    assert problem(answer) == (401, "sign-in-refused")
