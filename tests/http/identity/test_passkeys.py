"""Passkeys: adding, signing in, removing, and every browser response that must be rejected."""

import json
from collections.abc import Iterator

import pytest
from flask import Flask

from eventcal.members.enums import Scope
from eventcal.members.models import Member, Passkey
from eventcal.web.identity import accounts
from eventcal.web.request.request_counter import MemoryCounter
from tests import http_app
from tests.clocks import NOON, FixedClock
from tests.html_browser import HtmlBrowser, create_browser
from tests.html_pages import parse_html
from tests.http.conftest import AppRunner
from tests.http_app import PASSWORD, create_token_headers, list_rows, post_to_api, status_and_code, write_session
from tests.second_factors import log_in, set_up_app
from tests.virtual_authenticator import ORIGIN, VirtualAuthenticator

SECURITY_PATH = "/me/security"
NEW_PASSKEY_PATH = f"{SECURITY_PATH}/passkeys/new"
PASSKEY_LOGIN_PATH = "/login/passkey"


@pytest.fixture
def app(_shared_app: Flask, app_runner: AppRunner, database_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Yield the app at an HTTPS base URL with a host name, as browsers require for passkeys."""
    with app_runner.run(_shared_app, database_url, clock, base_url=ORIGIN) as app:
        yield app


@pytest.fixture
def member_browser(app: Flask) -> HtmlBrowser:
    """Return the browser of Ada, who has just authenticated again."""
    client = http_app.create_signed_in_client(app, reauthenticated=True).client
    return HtmlBrowser(client, create_browser(app).response)


@pytest.fixture
def new_browser(app: Flask) -> HtmlBrowser:
    """Return a new browser without cookies."""
    return create_browser(app)


@pytest.fixture
def authenticator(member_browser: HtmlBrowser) -> VirtualAuthenticator:
    """Add a passkey for Ada and return it."""
    return add_passkey(member_browser)


def webauthn_options_at(browser: HtmlBrowser, path: str) -> str:
    """Return the WebAuthn options in the form at `path`."""
    browser.visit(path)
    return webauthn_options_on(browser.response.text)


def webauthn_options_on(page: str) -> str:
    """Return the WebAuthn options in the form of this page."""
    [options] = [form.get("data-options", "") for form in parse_html(page).iter("form") if form.get("data-options")]
    return options


def add_passkey(
    browser: HtmlBrowser, key: VirtualAuthenticator | None = None, name: str = "My phone"
) -> VirtualAuthenticator:
    key = key or VirtualAuthenticator()
    answer = key.create_passkey(webauthn_options_at(browser, NEW_PASSKEY_PATH))
    assert "The passkey is added." in browser.submit_form(NEW_PASSKEY_PATH, name=name, answer=answer)
    return key


def can_sign_in(browser: HtmlBrowser, answer: str) -> bool:
    browser.submit_form(PASSKEY_LOGIN_PATH, answer=answer)
    here = browser.client.get("/api/v1/me").status_code == 200
    assert here or "This passkey was not taken." in browser.main_text()
    assert browser.response.status_code == (200 if here else 401)
    return here


def load_passkey(app: Flask) -> Passkey:
    [only] = list_rows(app, Passkey)
    assert isinstance(only, Passkey)
    return only


# Adding


def test_added_passkey_is_stored_and_listed(app: Flask, member_browser: HtmlBrowser) -> None:
    key = add_passkey(member_browser, name="My <b>phone</b>")
    row = load_passkey(app)
    assert (row.credential_id, row.name, row.sign_count) == (key.credential_id, "My <b>phone</b>", 0)
    assert (row.created_at, row.last_used_at, row.transports) == (NOON, None, ["internal"])
    assert len(row.user_handle) == 64
    assert "My <b>phone</b>" in member_browser.main_text()
    assert "<b>phone" not in member_browser.response.text
    assert "Not used yet." in member_browser.main_text()


def test_passkey_options_come_from_settings_and_ignore_host_header(app: Flask, member_browser: HtmlBrowser) -> None:
    cookie = member_browser.client.get_cookie("eventcal")
    assert cookie is not None
    elsewhere = {"Host": "evil.example", "Cookie": f"eventcal={cookie.value}"}
    known = json.loads(
        webauthn_options_on(app.test_client(use_cookies=False).get(NEW_PASSKEY_PATH, headers=elsewhere).text)
    )
    assert known["rp"] == {"id": "calendar.example.org", "name": "eventcal"}
    assert (known["user"]["name"], known["user"]["displayName"]) == ("ada@example.org", "Ada Lovelace")
    selection = known["authenticatorSelection"]
    assert (selection["residentKey"], selection["userVerification"]) == ("required", "required")
    assert known["attestation"] == "none"
    assert known["excludeCredentials"] == []


def test_second_passkey_has_same_user_handle_and_excludes_the_first(
    app: Flask, member_browser: HtmlBrowser, authenticator: VirtualAuthenticator
) -> None:
    options = json.loads(webauthn_options_at(member_browser, NEW_PASSKEY_PATH))
    assert [one["transports"] for one in options["excludeCredentials"]] == [["internal"]]
    second = add_passkey(member_browser, name="My other phone")
    assert second.user_handle == authenticator.user_handle
    assert len(list_rows(app, Passkey)) == 2


def test_passkey_cannot_be_added_twice(
    app: Flask, member_browser: HtmlBrowser, authenticator: VirtualAuthenticator
) -> None:
    assert "already has a passkey for this account" in member_browser.submit_form(
        NEW_PASSKEY_PATH,
        name="Again",
        answer=authenticator.create_passkey(webauthn_options_at(member_browser, NEW_PASSKEY_PATH)),
    )
    assert member_browser.response.status_code == 409
    assert load_passkey(app).name == "My phone"


def test_passkey_of_another_member_cannot_be_added(app: Flask, authenticator: VirtualAuthenticator) -> None:
    mallory = HtmlBrowser(
        http_app.create_signed_in_client(app, "mallory@example.org", reauthenticated=True).client,
        create_browser(app).response,
    )
    stolen = VirtualAuthenticator(credential_id=authenticator.credential_id)
    mallory.submit_form(
        NEW_PASSKEY_PATH, name="Mine", answer=stolen.create_passkey(webauthn_options_at(mallory, NEW_PASSKEY_PATH))
    )
    assert mallory.response.status_code == 409
    assert load_passkey(app).user_handle == authenticator.user_handle


def test_registration_challenge_cannot_be_reused(app: Flask, member_browser: HtmlBrowser) -> None:
    options = webauthn_options_at(member_browser, NEW_PASSKEY_PATH)
    held, cookie = member_browser.form_values(NEW_PASSKEY_PATH), member_browser.client.get_cookie("eventcal")
    assert cookie is not None
    member_browser.submit_form(NEW_PASSKEY_PATH, name="My phone", answer=VirtualAuthenticator().create_passkey(options))
    # The old cookie, which held the challenge, does not help, not even with another key.
    member_browser.client.set_cookie("eventcal", cookie.value)
    answer = member_browser.client.post(
        NEW_PASSKEY_PATH, data=held | {"name": "Again", "answer": VirtualAuthenticator().create_passkey(options)}
    )
    assert answer.status_code == 422
    assert load_passkey(app).name == "My phone"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://calendar.example.org", f"{ORIGIN}:8443"])
def test_passkey_from_another_origin_is_not_added(app: Flask, member_browser: HtmlBrowser, origin: str) -> None:
    answer = VirtualAuthenticator().create_passkey(webauthn_options_at(member_browser, NEW_PASSKEY_PATH), origin=origin)
    assert "This passkey was not taken." in member_browser.submit_form(NEW_PASSKEY_PATH, name="My phone", answer=answer)
    assert member_browser.response.status_code == 422
    assert list_rows(app, Passkey) == []


def test_passkey_for_another_site_or_without_user_verification_is_not_added(
    app: Flask, member_browser: HtmlBrowser
) -> None:
    member_browser.submit_form(
        NEW_PASSKEY_PATH,
        name="My phone",
        answer=VirtualAuthenticator().create_passkey(
            webauthn_options_at(member_browser, NEW_PASSKEY_PATH), site="evil.example"
        ),
    )
    assert member_browser.response.status_code == 422
    member_browser.submit_form(
        NEW_PASSKEY_PATH,
        name="My phone",
        answer=VirtualAuthenticator(verifies_user=False).create_passkey(
            webauthn_options_at(member_browser, NEW_PASSKEY_PATH)
        ),
    )
    assert member_browser.response.status_code == 422
    assert list_rows(app, Passkey) == []


@pytest.mark.parametrize(("length", "status"), [(1023, 303), (1024, 422), (60_000, 422)])
def test_credential_id_has_at_most_1023_bytes(
    app: Flask, member_browser: HtmlBrowser, length: int, status: int
) -> None:
    answer = VirtualAuthenticator(credential_id=b"\xff" * length).create_passkey(
        webauthn_options_at(member_browser, NEW_PASSKEY_PATH)
    )
    sent = member_browser.client.post(
        NEW_PASSKEY_PATH, data=member_browser.form_values(NEW_PASSKEY_PATH) | {"name": "Long", "answer": answer}
    )
    assert sent.status_code == status
    assert len(list_rows(app, Passkey)) == (status == 303)


INVALID_RESPONSES = [
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


@pytest.mark.parametrize("answer", INVALID_RESPONSES)
def test_malformed_response_adds_no_passkey_and_keeps_entered_name(
    app: Flask, member_browser: HtmlBrowser, answer: str
) -> None:
    webauthn_options_at(member_browser, NEW_PASSKEY_PATH)
    member_browser.submit_form(NEW_PASSKEY_PATH, name="My phone", answer=answer)
    assert member_browser.response.status_code == 422
    assert member_browser.form_values(NEW_PASSKEY_PATH)["name"] == "My phone"
    assert list_rows(app, Passkey) == []


@pytest.mark.parametrize("answer", INVALID_RESPONSES)
@pytest.mark.usefixtures("authenticator")
def test_malformed_response_does_not_sign_in(new_browser: HtmlBrowser, answer: str) -> None:
    webauthn_options_at(new_browser, "/login")
    assert not can_sign_in(new_browser, answer)


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "two\nlines"])
def test_passkey_requires_valid_name(app: Flask, member_browser: HtmlBrowser, name: str) -> None:
    member_browser.submit_form(
        NEW_PASSKEY_PATH,
        name=name,
        answer=VirtualAuthenticator().create_passkey(webauthn_options_at(member_browser, NEW_PASSKEY_PATH)),
    )
    assert member_browser.response.status_code == 422
    assert 'id="name-fault-1"' in member_browser.response.text
    assert list_rows(app, Passkey) == []


def test_adding_passkey_requires_csrf_token_and_recent_sign_in(
    app: Flask, member_browser: HtmlBrowser, new_browser: HtmlBrowser, clock: FixedClock
) -> None:
    answer = VirtualAuthenticator().create_passkey(webauthn_options_at(member_browser, NEW_PASSKEY_PATH))
    held = member_browser.form_values(NEW_PASSKEY_PATH) | {"name": "My phone", "answer": answer}
    assert member_browser.client.post(NEW_PASSKEY_PATH, data=held | {"csrf_token": "no"}).status_code == 403
    assert new_browser.client.post(NEW_PASSKEY_PATH, data=held).status_code == 401
    assert new_browser.client.get(NEW_PASSKEY_PATH).headers["Location"].startswith("/login?next=")
    token = create_token_headers(http_app.create_signed_in_client(app), Scope.ORGANISE)
    assert app.test_client().post(NEW_PASSKEY_PATH, data=held, headers=token).status_code == 403
    clock.tick(15 * 60)
    assert (
        member_browser.client.post(NEW_PASSKEY_PATH, data=held)
        .headers["Location"]
        .startswith("/me/security/again?next=")
    )
    assert list_rows(app, Passkey) == []


# Signing in


def test_passkey_signs_in_and_redirects_to_next_page(
    app: Flask, new_browser: HtmlBrowser, authenticator: VirtualAuthenticator, clock: FixedClock
) -> None:
    clock.tick(60)
    assert json.loads(webauthn_options_at(new_browser, f"/login?next={SECURITY_PATH}"))["allowCredentials"] == []
    new_browser.submit_form(
        PASSKEY_LOGIN_PATH,
        answer=authenticator.sign_challenge(webauthn_options_at(new_browser, f"/login?next={SECURITY_PATH}")),
    )
    assert new_browser.response.request.path == SECURITY_PATH
    assert "Last used:" in new_browser.main_text()
    row = load_passkey(app)
    assert (row.sign_count, row.last_used_at) == (1, clock.now())


def test_passkey_replaces_both_factors(
    new_browser: HtmlBrowser, member_browser: HtmlBrowser, authenticator: VirtualAuthenticator, clock: FixedClock
) -> None:
    set_up_app(member_browser, clock)
    assert "Your password is right." in log_in(new_browser)
    assert can_sign_in(new_browser, authenticator.sign_challenge(webauthn_options_at(new_browser, "/login")))


def test_passkey_without_signature_counter_signs_in_repeatedly(
    member_browser: HtmlBrowser, new_browser: HtmlBrowser
) -> None:
    key = add_passkey(member_browser, VirtualAuthenticator(reports_sign_count=False))
    for _ in range(2):
        assert can_sign_in(new_browser, key.sign_challenge(webauthn_options_at(new_browser, "/login")))


def test_sign_in_challenge_cannot_be_reused(app: Flask, member_browser: HtmlBrowser, new_browser: HtmlBrowser) -> None:
    key = add_passkey(member_browser, VirtualAuthenticator(reports_sign_count=False))
    options = webauthn_options_at(new_browser, "/login")
    held, cookie = new_browser.form_values(PASSKEY_LOGIN_PATH), new_browser.client.get_cookie("eventcal")
    assert cookie is not None
    answer = key.sign_challenge(options)
    assert can_sign_in(new_browser, answer)
    # A copy of the cookie made before it was used is useless, with the old response and with a new one.
    for late in (answer, key.sign_challenge(options)):
        thief = create_browser(app)
        thief.client.set_cookie("eventcal", cookie.value)
        assert thief.client.post(PASSKEY_LOGIN_PATH, data=held | {"answer": late}).status_code == 401
        assert thief.client.get("/api/v1/me").status_code == 401


def test_challenge_of_another_session_is_rejected(
    new_browser: HtmlBrowser, app: Flask, authenticator: VirtualAuthenticator
) -> None:
    theirs = webauthn_options_at(create_browser(app), "/login")
    webauthn_options_at(new_browser, "/login")
    assert not can_sign_in(new_browser, authenticator.sign_challenge(theirs))


def test_challenge_expires_after_an_hour(
    new_browser: HtmlBrowser, authenticator: VirtualAuthenticator, clock: FixedClock
) -> None:
    options = webauthn_options_at(new_browser, "/login")
    clock.tick(60 * 60)
    assert not can_sign_in(new_browser, authenticator.sign_challenge(options))
    # The error page contains a new challenge.
    assert can_sign_in(new_browser, authenticator.sign_challenge(webauthn_options_on(new_browser.response.text)))


def test_two_tabs_share_one_challenge(new_browser: HtmlBrowser, authenticator: VirtualAuthenticator) -> None:
    first = webauthn_options_at(new_browser, "/login")
    webauthn_options_at(new_browser, "/login")
    assert can_sign_in(new_browser, authenticator.sign_challenge(first))


@pytest.mark.parametrize("origin", ["https://evil.example", "http://calendar.example.org", f"{ORIGIN}:8443", "null"])
def test_signature_from_another_origin_is_rejected(
    new_browser: HtmlBrowser, authenticator: VirtualAuthenticator, origin: str
) -> None:
    assert not can_sign_in(
        new_browser, authenticator.sign_challenge(webauthn_options_at(new_browser, "/login"), origin=origin)
    )


def test_signature_for_another_site_is_rejected(new_browser: HtmlBrowser, authenticator: VirtualAuthenticator) -> None:
    assert not can_sign_in(
        new_browser, authenticator.sign_challenge(webauthn_options_at(new_browser, "/login"), site="evil.example")
    )


def test_host_header_does_not_change_passkey_options(app: Flask, authenticator: VirtualAuthenticator) -> None:
    client = app.test_client()
    other = HtmlBrowser(client, client.get("/login", base_url="http://evil.example/"))
    options = webauthn_options_on(other.response.text)
    assert json.loads(options)["rpId"] == "calendar.example.org"
    evil = VirtualAuthenticator(authenticator.credential_id, authenticator.private_key, authenticator.user_handle)
    held = other.form_values(PASSKEY_LOGIN_PATH)
    answer = evil.sign_challenge(options, origin="http://evil.example", site="evil.example")
    sent = client.post(PASSKEY_LOGIN_PATH, data=held | {"answer": answer}, base_url="http://evil.example/")
    assert sent.status_code == 401


def test_signature_counter_must_increase(
    app: Flask, new_browser: HtmlBrowser, authenticator: VirtualAuthenticator
) -> None:
    copy = VirtualAuthenticator(authenticator.credential_id, authenticator.private_key, authenticator.user_handle)
    for _ in range(3):
        assert can_sign_in(new_browser, authenticator.sign_challenge(webauthn_options_at(new_browser, "/login")))
    new_browser = create_browser(app)
    assert not can_sign_in(new_browser, copy.sign_challenge(webauthn_options_at(new_browser, "/login")))
    copy.sign_count = 2  # the next is 3, which was seen
    assert not can_sign_in(new_browser, copy.sign_challenge(webauthn_options_at(new_browser, "/login")))
    assert load_passkey(app).sign_count == 3
    assert can_sign_in(new_browser, authenticator.sign_challenge(webauthn_options_at(new_browser, "/login")))


def test_sign_in_without_user_verification_is_rejected(
    new_browser: HtmlBrowser, authenticator: VirtualAuthenticator
) -> None:
    authenticator.verifies_user = False
    assert not can_sign_in(new_browser, authenticator.sign_challenge(webauthn_options_at(new_browser, "/login")))


def test_unknown_passkey_is_rejected(new_browser: HtmlBrowser, authenticator: VirtualAuthenticator) -> None:
    unknown = VirtualAuthenticator(user_handle=authenticator.user_handle)
    assert not can_sign_in(new_browser, unknown.sign_challenge(webauthn_options_at(new_browser, "/login")))


def test_signature_of_another_private_key_is_rejected(
    new_browser: HtmlBrowser, authenticator: VirtualAuthenticator
) -> None:
    forged = VirtualAuthenticator(credential_id=authenticator.credential_id, user_handle=authenticator.user_handle)
    assert not can_sign_in(new_browser, forged.sign_challenge(webauthn_options_at(new_browser, "/login")))


def test_passkey_cannot_sign_in_another_member(
    app: Flask, new_browser: HtmlBrowser, authenticator: VirtualAuthenticator
) -> None:
    mallory = HtmlBrowser(
        http_app.create_signed_in_client(app, "mallory@example.org", reauthenticated=True).client,
        create_browser(app).response,
    )
    theirs = add_passkey(mallory)
    assert not can_sign_in(
        new_browser,
        theirs.sign_challenge(webauthn_options_at(new_browser, "/login"), userHandle=authenticator.user_handle),
    )
    assert not can_sign_in(
        new_browser, theirs.sign_challenge(webauthn_options_at(new_browser, "/login"), userHandle=b"")
    )
    assert can_sign_in(new_browser, theirs.sign_challenge(webauthn_options_at(new_browser, "/login")))
    new_browser.visit("/me/account")
    assert "mallory@example.org" in new_browser.main_text()


def test_passkey_of_inactive_member_is_rejected(
    app: Flask, new_browser: HtmlBrowser, authenticator: VirtualAuthenticator
) -> None:
    with write_session(app) as session:
        session.query(Member).one().active = False
    assert not can_sign_in(new_browser, authenticator.sign_challenge(webauthn_options_at(new_browser, "/login")))


def test_passkey_sign_in_requires_csrf_token(new_browser: HtmlBrowser, authenticator: VirtualAuthenticator) -> None:
    answer = authenticator.sign_challenge(webauthn_options_at(new_browser, "/login"))
    assert new_browser.client.post(PASSKEY_LOGIN_PATH, data={"answer": answer}).status_code == 403


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_passkey_sign_in_does_not_redirect_to_another_site(
    new_browser: HtmlBrowser, authenticator: VirtualAuthenticator, wanted: str
) -> None:
    held = {"answer": authenticator.sign_challenge(webauthn_options_at(new_browser, "/login"))} | {"next": wanted}
    answer = new_browser.client.post(PASSKEY_LOGIN_PATH, data=new_browser.form_values(PASSKEY_LOGIN_PATH) | held)
    assert answer.headers["Location"] == "/me"


@pytest.mark.usefixtures("authenticator")
def test_passkey_sign_in_is_limited_to_sixty_per_minute(app: Flask, new_browser: HtmlBrowser) -> None:
    webauthn_options_at(new_browser, "/login")
    held = new_browser.form_values(PASSKEY_LOGIN_PATH) | {"answer": "{}"}
    app.extensions["eventcal_limits"] = MemoryCounter()
    app.config["RATELIMIT_ENABLED"] = True
    try:
        statuses = [new_browser.client.post(PASSKEY_LOGIN_PATH, data=held).status_code for _ in range(61)]
    finally:
        app.config["RATELIMIT_ENABLED"] = False
    assert statuses == [401] * 60 + [429]


def test_passkey_confirms_identity_again(
    member_browser: HtmlBrowser, authenticator: VirtualAuthenticator, clock: FixedClock
) -> None:
    clock.tick(15 * 60)
    options = webauthn_options_at(member_browser, NEW_PASSKEY_PATH)
    assert member_browser.response.request.path == f"{SECURITY_PATH}/again"
    assert "Add a passkey" in member_browser.submit_form(
        PASSKEY_LOGIN_PATH, answer=authenticator.sign_challenge(options)
    )
    assert member_browser.response.request.path == NEW_PASSKEY_PATH


# Removing


def test_removed_passkey_cannot_sign_in(
    app: Flask, member_browser: HtmlBrowser, new_browser: HtmlBrowser, authenticator: VirtualAuthenticator
) -> None:
    path = f"{SECURITY_PATH}/passkeys/{load_passkey(app).id}"
    assert "Remove this passkey?" in member_browser.visit(path)
    assert member_browser.client.post(path).status_code == 403
    assert "The passkey is removed." in member_browser.submit_form(path)
    assert list_rows(app, Passkey) == []
    assert not can_sign_in(new_browser, authenticator.sign_challenge(webauthn_options_at(new_browser, "/login")))


@pytest.mark.usefixtures("authenticator")
def test_passkey_of_another_member_is_hidden(app: Flask) -> None:
    mallory = HtmlBrowser(
        http_app.create_signed_in_client(app, "mallory@example.org", reauthenticated=True).client,
        create_browser(app).response,
    )
    path = f"{SECURITY_PATH}/passkeys/{load_passkey(app).id}"
    mallory.visit(SECURITY_PATH)
    assert "My phone" not in mallory.response.text
    mallory.visit(NEW_PASSKEY_PATH)
    csrf = mallory.form_values(NEW_PASSKEY_PATH)["csrf_token"]
    assert mallory.client.get(path).status_code == 404
    assert mallory.client.post(path, data={"csrf_token": csrf}).status_code == 404
    assert load_passkey(app).name == "My phone"


def test_password_reset_by_email_removes_passkeys(
    app: Flask, new_browser: HtmlBrowser, authenticator: VirtualAuthenticator
) -> None:
    with app.test_request_context():
        token = accounts.reset_token(list_rows(app, Member)[0])
    form = {"token": token, "password": "another quiet bicycle"}
    assert post_to_api(app, "/auth/reset/confirm", form).status_code == 204
    assert not can_sign_in(new_browser, authenticator.sign_challenge(webauthn_options_at(new_browser, "/login")))


def test_password_change_keeps_passkeys(
    member_browser: HtmlBrowser, new_browser: HtmlBrowser, authenticator: VirtualAuthenticator
) -> None:
    member_browser.visit("/me/account")
    member_browser.submit_form("/me/account/password", password=PASSWORD, new_password="another quiet bicycle")
    assert can_sign_in(new_browser, authenticator.sign_challenge(webauthn_options_at(new_browser, "/login")))


@pytest.mark.usefixtures("authenticator")
def test_account_deletion_deletes_passkeys(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/me/account/delete")
    member_browser.submit_form("/me/account/delete", password=PASSWORD)
    assert (list_rows(app, Member), list_rows(app, Passkey)) == ([], [])


# Without browser support


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8000", "https://192.0.2.1", "http://calendar.example.org"])
def test_passkeys_are_not_offered_at_unsupported_base_url(
    app: Flask, app_runner: AppRunner, database_url: str, clock: FixedClock, *, base_url: str
) -> None:
    with app_runner.run(app, database_url, clock, base_url=base_url):
        ada = HtmlBrowser(
            http_app.create_signed_in_client(app, reauthenticated=True).client, create_browser(app).response
        )
        assert "passkeys need" in ada.visit(SECURITY_PATH)
        assert ada.client.get(NEW_PASSKEY_PATH).headers["Location"] == SECURITY_PATH
        other = create_browser(app)
        other.visit("/login")
        assert PASSKEY_LOGIN_PATH not in other.response.text
        csrf = other.form_values("/login")["csrf_token"]
        assert other.client.post(PASSKEY_LOGIN_PATH, data={"csrf_token": csrf, "answer": "{}"}).status_code == 401


@pytest.mark.usefixtures("authenticator")
def test_api_sign_in_does_not_reveal_passkeys(app: Flask) -> None:
    answer = post_to_api(app, "/auth/login", {"email": "ada@example.org", "password": "wrong horse"})
    assert status_and_code(answer) == (401, "sign-in-refused")
