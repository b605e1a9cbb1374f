"""TOTP as second factor: setup, sign-in, recovery codes, and the limits of the password alone."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask

from eventcal.members.enums import Scope
from eventcal.members.models import Member, RecoveryCode, TotpSecret
from eventcal.web.identity import accounts
from tests import http_app
from tests.browsing import Browser, browser_of
from tests.clocks import FixedClock
from tests.http_app import PASSWORD, call, json_of, post, problem, rows, token_of
from tests.pages import tree_of
from tests.second_factors import APP, App, log_in, set_up, shown_codes, shown_secret

ADA = {"email": "ada@example.org", "password": PASSWORD}
NEW_PASSWORD = "another quiet bicycle"


@pytest.fixture
def ada(app: Flask) -> Browser:
    """Return Ada's browser, just signed in."""
    return Browser(http_app.signed_in(app).client, browser_of(app).at)


@pytest.fixture
def phone(ada: Browser, clock: FixedClock) -> App:
    """Set up an authenticator app for Ada and return it."""
    return set_up(ada, clock)[0]


@pytest.fixture
def other(app: Flask) -> Browser:
    """Return a new browser without cookies."""
    return browser_of(app)


@pytest.fixture
def limited(app: Flask, phone: App) -> Iterator[None]:
    """Enable the rate limits after the authenticator app is set up."""
    del phone
    app.config["RATELIMIT_ENABLED"] = True
    yield
    app.config["RATELIMIT_ENABLED"] = False


def is_signed_in(browser: Browser) -> bool:
    return browser.client.get("/api/v1/me").status_code == 200


def login(app: Flask, **more: str) -> tuple[int, str]:
    answer = post(app, "/auth/login", ADA | more)
    return (200, "") if answer.status_code == 200 else problem(answer)


# Setting up


def test_first_correct_code_enables_second_factor(app: Flask, ada: Browser, clock: FixedClock) -> None:
    assert "Set up an authenticator app" in ada.go("/me/security")
    ada.go(APP)
    secret = shown_secret(ada)
    [link] = [one.get("href") for one in tree_of(ada.at.text).iter("a") if (one.get("href") or "").startswith("otp")]
    assert link == f"otpauth://totp/eventcal:ada@example.org?secret={secret.replace('-', '')}&issuer=eventcal"
    assert "<svg" in ada.at.text
    assert "style=" not in ada.at.text
    assert rows(app, Member)[0].name == "Ada Lovelace"
    says = ada.send(APP, code=App(secret, clock).code())
    assert "needs a code of your app" in says
    assert ada.at.headers["Cache-Control"] == "no-store"
    codes = shown_codes(ada)
    assert len(set(codes)) == 10
    assert all(re.fullmatch("([0-9a-z]{4}-){3}[0-9a-z]{4}", code) for code in codes)
    assert "10 recovery codes are left." in ada.go("/me/security")


def test_second_factor_is_not_enabled_by_wrong_code(app: Flask, ada: Browser, clock: FixedClock) -> None:
    ada.go(APP)
    secret = shown_secret(ada)
    assert "This code is wrong" in ada.send(APP, code=App(secret, clock).wrong_code())
    assert ada.at.status_code == 422
    assert shown_secret(ada) == secret
    assert login(app) == (200, "")
    # A reload shows the same secret, which may be in the app already.
    ada.go(APP)
    assert shown_secret(ada) == secret
    ada.send(APP, code="")
    assert ada.at.status_code == 422


def test_secret_and_recovery_codes_are_not_stored_in_plain_text(app: Flask, ada: Browser, clock: FixedClock) -> None:
    phone, codes = set_up(ada, clock)
    [totp] = rows_of_secrets(app)
    assert phone.secret.replace("-", "") not in totp.sealed
    hashes = {row.code_hash for row in rows(app, RecoveryCode)}
    assert len(hashes) == 10
    assert not hashes & {code.replace("-", "") for code in codes}


def rows_of_secrets(app: Flask) -> list[TotpSecret]:
    with http_app.database_of(app).read_session() as session:
        return list(session.query(TotpSecret))


def test_resent_setup_form_does_not_show_recovery_codes_again(app: Flask, ada: Browser, clock: FixedClock) -> None:
    ada.go(APP)
    held = ada.fields(APP) | {"code": App(shown_secret(ada), clock).code()}
    assert ada.client.post(APP, data=held).status_code == 201
    again = ada.client.post(APP, data=held)
    assert (again.status_code, again.headers["Location"]) == (303, "/me/security?done=before")
    assert len(rows_of_secrets(app)) == 1
    # A second app cannot be set up.
    assert ada.client.get(APP).headers["Location"] == "/me/security"


def test_setup_requires_csrf_token(app: Flask, ada: Browser, clock: FixedClock) -> None:
    ada.go(APP)
    held = ada.fields(APP) | {"code": App(shown_secret(ada), clock).code()}
    assert ada.client.post(APP, data=held | {"csrf_token": ""}).status_code == 403
    assert rows_of_secrets(app) == []


@pytest.mark.parametrize("path", ["/me/security", APP, f"{APP}/off", "/me/security/codes", "/me/security/again"])
def test_anonymous_user_is_redirected_to_sign_in(other: Browser, path: str) -> None:
    assert other.client.get(path).headers["Location"].startswith("/login?next=")


def test_access_token_cannot_use_security_pages(app: Flask) -> None:
    token = token_of(http_app.signed_in(app), *Scope)
    client = app.test_client()
    assert client.get("/me/security", headers=token).status_code == 403
    assert client.post(f"{APP}/off", headers=token, data={"proof": PASSWORD}).status_code == 403


# Confirming one's identity again


def test_idle_session_must_confirm_password_again(ada: Browser, clock: FixedClock) -> None:
    clock.tick(15 * 60)
    assert "Is it you?" in ada.go(APP)
    assert "is not your password" in ada.send("/me/security/again", password="wrong horse")
    assert ada.at.status_code == 422
    assert "Set up an authenticator app" in ada.send("/me/security/again", password=PASSWORD)
    assert ada.at.request.path == APP


def test_setup_form_sent_too_late_changes_nothing(app: Flask, ada: Browser, clock: FixedClock) -> None:
    ada.go(APP)
    held = ada.fields(APP)
    phone = App(shown_secret(ada), clock)
    clock.tick(15 * 60)
    late = ada.client.post(APP, data=held | {"code": phone.code()})
    assert late.headers["Location"] == "/me/security/again?next=%2Fme%2Fsecurity"
    assert rows_of_secrets(app) == []


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_password_confirmation_does_not_redirect_to_another_site(ada: Browser, wanted: str) -> None:
    ada.go("/me/security/again")
    held = ada.fields("/me/security/again")
    answer = ada.client.post("/me/security/again", data=held | {"password": PASSWORD, "next": wanted})
    assert answer.headers["Location"] == "/me/security"


# Signing in


def test_sign_in_with_code_redirects_to_next_page(phone: App, other: Browser) -> None:
    other.go("/login?next=/me/security")
    assert "Your password is right." in other.send("/login", **ADA)
    assert not is_signed_in(other)
    assert "Sign-in and security" in other.send("/login/code", code=phone.code())
    assert is_signed_in(other)


def test_code_may_contain_spaces(phone: App, other: Browser) -> None:
    log_in(other)
    code = phone.code()
    other.send("/login/code", code=f" {code[:3]} {code[3:]} ")
    assert is_signed_in(other)


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_app_clock_may_be_one_step_off(app: Flask, phone: App, clock: FixedClock, *, steps: int, taken: bool) -> None:
    clock.tick(300)
    assert login(app, code=phone.code(steps=steps)) == ((200, "") if taken else (401, "code-refused"))


def test_code_works_once(app: Flask, phone: App) -> None:
    code = phone.code()
    assert login(app, code=code) == (200, "")
    assert login(app, code=code) == (401, "code-refused")


def test_setup_code_cannot_be_used_to_sign_in(app: Flask, ada: Browser, clock: FixedClock) -> None:
    ada.go(APP)
    code = App(shown_secret(ada), clock).code()
    ada.send(APP, code=code)
    assert login(app, code=code) == (401, "code-refused")


def test_earlier_code_is_rejected_after_a_later_one(app: Flask, phone: App) -> None:
    assert login(app, code=phone.code(steps=1)) == (200, "")
    assert login(app, code=phone.code()) == (401, "code-refused")


def test_concurrent_sign_ins_with_one_code_succeed_once(app: Flask, phone: App) -> None:
    code, together = phone.code(), Barrier(2)

    def come(_: int) -> tuple[int, str]:
        together.wait()
        return login(app, code=code)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(come, range(2))) == [(200, ""), (401, "code-refused")]


@pytest.mark.parametrize(
    "code", ["", " ", "12345", "1234567", "abcdef", "\uff10\uff10\uff10\uff10\uff100", "<script>", "0" * 101, "\x00"]
)
@pytest.mark.usefixtures("phone")
def test_malformed_code_is_reported_beside_its_field(other: Browser, code: str) -> None:
    log_in(other)
    other.send("/login/code", code=code)
    assert other.at.status_code in {401, 422}
    assert 'id="code-fault-1"' in other.at.text
    assert "<script>" not in other.at.text
    assert not is_signed_in(other)


def test_recovery_code_signs_in_once_in_any_spelling(app: Flask, ada: Browser, clock: FixedClock) -> None:
    _, codes = set_up(ada, clock)
    assert login(app, code=codes[0]) == (200, "")
    assert login(app, code=codes[0]) == (401, "code-refused")
    assert login(app, code=codes[1].upper().replace("-", " ").replace("0", "O").replace("1", "l")) == (200, "")
    assert "8 recovery codes are left." in ada.go("/me/security")


@pytest.mark.usefixtures("phone")
def test_code_of_another_member_is_rejected(app: Flask, clock: FixedClock) -> None:
    mallory = Browser(http_app.signed_in(app, "mallory@example.org").client, browser_of(app).at)
    theirs, codes = set_up(mallory, clock)
    assert login(app, code=theirs.code()) == (401, "code-refused")
    assert login(app, code=codes[0]) == (401, "code-refused")
    assert len(rows(app, RecoveryCode)) == 20


# Pending sign-in


@pytest.mark.usefixtures("phone")
def test_pending_sign_in_cannot_use_other_routes(app: Flask, other: Browser) -> None:
    log_in(other)
    for path in ("/me", "/me/security", APP, f"{APP}/off", "/submit"):
        assert other.client.get(path).headers["Location"].startswith("/login?next="), path
    csrf = other.fields("/login/code")["csrf_token"]
    for path in ("/me/security/again", f"{APP}/off", "/me/security/codes", APP, "/me/account/password"):
        answer = other.client.post(path, data={"csrf_token": csrf, "proof": PASSWORD, "password": PASSWORD})
        assert answer.status_code == 401, path
    for method, path in (("GET", "/me"), ("POST", "/me/tokens"), ("POST", "/auth/password"), ("DELETE", "/me")):
        answer = call(other.client, method, path, body={} if method == "POST" else None, **{"X-CSRF-Token": csrf})
        assert problem(answer) == (401, "not-signed-in"), path
    assert rows_of_secrets(app) != []


@pytest.mark.usefixtures("phone")
def test_pending_sign_in_ends_previous_session(app: Flask) -> None:
    mallory = Browser(http_app.signed_in(app, "mallory@example.org").client, browser_of(app).at)
    log_in(mallory)
    assert not is_signed_in(mallory)


def test_pending_sign_in_expires_after_ten_minutes(phone: App, other: Browser, clock: FixedClock) -> None:
    log_in(other)
    clock.tick(10 * 60)
    assert "That took too long." in other.send("/login/code", code=phone.code())
    assert other.at.status_code == 401
    assert not is_signed_in(other)
    assert other.client.get("/login/code").headers["Location"] == "/login?next="


def test_password_change_ends_pending_sign_in(ada: Browser, phone: App, other: Browser) -> None:
    log_in(other)
    ada.go("/me/account")
    ada.send("/me/account/password", password=PASSWORD, new_password=NEW_PASSWORD)
    other.send("/login/code", code=phone.code())
    assert not is_signed_in(other)


def test_code_without_pending_sign_in_is_rejected(phone: App, other: Browser) -> None:
    other.go("/login")
    csrf = other.fields("/login")["csrf_token"]
    answer = other.client.post("/login/code", data={"csrf_token": csrf, "code": phone.code()})
    assert answer.status_code == 401
    assert not is_signed_in(other)


def test_code_form_requires_csrf_token(phone: App, other: Browser) -> None:
    log_in(other)
    assert other.client.post("/login/code", data={"code": phone.code()}).status_code == 403
    assert not is_signed_in(other)


# Guessing


@pytest.mark.usefixtures("limited")
def test_code_attempts_are_limited_by_account_across_ip_addresses(app: Flask, phone: App) -> None:
    half_way = []
    for number in range(12):
        browser = browser_of(app)
        browser.client.environ_base["REMOTE_ADDR"] = f"198.51.100.{number}"
        log_in(browser)
        half_way.append(browser)
    for browser in half_way[:10]:
        browser.send("/login/code", code=phone.wrong_code())
        assert browser.at.status_code == 401
    # Even the correct code is rejected now; otherwise, guessing could continue.
    assert "wait a little" in half_way[10].send("/login/code", code=phone.code())
    assert half_way[10].at.status_code == 429
    assert not is_signed_in(half_way[10])
    answer = call(half_way[11].client, "POST", "/auth/login", body=ADA | {"code": phone.code()})
    assert problem(answer) == (429, "too-many")
    # The limit does not affect other members.
    http_app.signed_in(app, "mallory@example.org")
    assert post(app, "/auth/login", {**ADA, "email": "mallory@example.org"}).status_code == 200


# The API


def test_api_reports_second_factor_only_after_correct_password(app: Flask, phone: App) -> None:
    assert login(app) == (401, "second-factor-needed")
    assert login(app, password="wrong horse") == (401, "sign-in-refused")
    assert login(app, password="wrong horse", code=phone.code()) == (401, "sign-in-refused")
    assert login(app, email="nobody@example.org", code=phone.code()) == (401, "sign-in-refused")
    # A code sent with a wrong password remains valid.
    assert login(app, code=phone.code()) == (200, "")


@pytest.mark.usefixtures("phone")
def test_api_sign_in_without_code_creates_no_session(app: Flask) -> None:
    client = app.test_client()
    answer = call(client, "POST", "/auth/login", body=ADA)
    assert answer.headers["WWW-Authenticate"]
    assert "Set-Cookie" not in answer.headers
    assert call(client, "GET", "/me").status_code == 401


def test_api_sign_in_with_code_returns_member_and_csrf_token(app: Flask, phone: App) -> None:
    answer = json_of(post(app, "/auth/login", ADA | {"code": phone.code()}))
    assert answer.keys() == {"member", "csrf_token"}


@pytest.mark.usefixtures("ada")
def test_unneeded_code_is_ignored(app: Flask) -> None:
    assert login(app, code="123456") == (200, "")


def test_access_tokens_work_without_second_factor(app: Flask, clock: FixedClock) -> None:
    known = http_app.signed_in(app)
    token = token_of(known, Scope.READ)
    set_up(Browser(known.client, browser_of(app).at), clock)
    assert call(app.test_client(), "GET", "/me", **token).status_code == 200


# Password reset, turning off, account deletion


def reset_token(app: Flask) -> str:
    with app.test_request_context():
        return accounts.reset_token(rows(app, Member)[0])


def test_password_reset_keeps_second_factor(app: Flask, phone: App) -> None:
    form = {"token": reset_token(app), "password": NEW_PASSWORD}
    assert post(app, "/auth/reset/confirm", form).status_code == 204
    assert login(app, password=NEW_PASSWORD) == (401, "second-factor-needed")
    assert login(app, password=NEW_PASSWORD, code=phone.code()) == (200, "")


def test_password_reset_of_unconfirmed_account_removes_second_factor(mailing_app: Flask, clock: FixedClock) -> None:
    squatter = http_app.signed_in(mailing_app, confirmed_at=None)
    set_up(Browser(squatter.client, browser_of(mailing_app).at), clock)
    form = {"token": reset_token(mailing_app), "password": NEW_PASSWORD}
    assert post(mailing_app, "/auth/reset/confirm", form).status_code == 204
    assert login(mailing_app, password=NEW_PASSWORD) == (200, "")
    assert rows(mailing_app, RecoveryCode) == []


def test_enabling_second_factor_notifies_member_by_email(mailing_app: Flask, clock: FixedClock) -> None:
    set_up(Browser(http_app.signed_in(mailing_app).client, browser_of(mailing_app).at), clock)
    assert http_app.mails(mailing_app) == [("ada@example.org", "eventcal: how you sign in was changed")]


@pytest.mark.parametrize("way", ["password", "app", "recovery"])
def test_password_or_code_turns_second_factor_off(app: Flask, ada: Browser, clock: FixedClock, way: str) -> None:
    phone, codes = set_up(ada, clock)
    clock.tick(60 * 60)
    ada.go(f"{APP}/off")
    assert "neither your password nor a code" in ada.send(f"{APP}/off", proof=phone.wrong_code())
    assert ada.at.status_code == 422
    proof = {"password": PASSWORD, "app": phone.code(), "recovery": codes[3]}[way]
    assert "your password is enough" in ada.send(f"{APP}/off", proof=proof)
    assert (rows_of_secrets(app), rows(app, RecoveryCode)) == ([], [])
    assert login(app) == (200, "")


@pytest.mark.usefixtures("phone")
def test_turning_off_requires_proof_and_csrf_token(app: Flask, ada: Browser) -> None:
    ada.go(f"{APP}/off")
    ada.send(f"{APP}/off", proof="")
    assert ada.at.status_code == 422
    assert ada.client.post(f"{APP}/off", data={"proof": PASSWORD}).status_code == 403
    assert len(rows_of_secrets(app)) == 1


def test_new_recovery_codes_replace_old_ones_and_are_shown_once(app: Flask, ada: Browser, clock: FixedClock) -> None:
    _, old = set_up(ada, clock)
    ada.go("/me/security/codes")
    held = ada.fields("/me/security/codes")
    ada.send("/me/security/codes")
    new = shown_codes(ada)
    assert (len(new), set(new) & set(old)) == (10, set())
    # Sending the form again does not replace the new codes.
    assert ada.client.post("/me/security/codes", data=held).headers["Location"] == "/me/security?done=before"
    assert login(app, code=old[0]) == (401, "code-refused")
    assert login(app, code=new[0]) == (200, "")


def test_recovery_codes_require_authenticator_app(app: Flask, ada: Browser) -> None:
    assert ada.client.get("/me/security/codes").headers["Location"] == "/me/security"
    ada.go("/me/account")
    csrf = ada.fields("/logout")["csrf_token"]
    answer = ada.client.post("/me/security/codes", data={"csrf_token": csrf, "form_key": "x"})
    assert answer.headers["Location"] == "/me/security?done=before"
    assert rows(app, RecoveryCode) == []


@pytest.mark.usefixtures("phone")
def test_account_deletion_deletes_secret_and_recovery_codes(app: Flask, ada: Browser) -> None:
    ada.go("/me/account/delete")
    ada.send("/me/account/delete", password=PASSWORD)
    assert (rows(app, Member), rows_of_secrets(app), rows(app, RecoveryCode)) == ([], [], [])
