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
from tests.clocks import FixedClock
from tests.html_browser import HtmlBrowser, create_browser
from tests.html_pages import parse_html
from tests.http_app import PASSWORD, call_api, create_token_headers, get_json, list_rows, post_to_api, status_and_code
from tests.second_factors import APP_SETUP_PATH, AuthenticatorApp, log_in, read_recovery_codes, read_secret, set_up_app

CREDENTIALS = {"email": "ada@example.org", "password": PASSWORD}
NEW_PASSWORD = "another quiet bicycle"


@pytest.fixture
def member_browser(app: Flask) -> HtmlBrowser:
    """Return the browser of Ada, who has just authenticated again."""
    client = http_app.create_signed_in_client(app, reauthenticated=True).client
    return HtmlBrowser(client, create_browser(app).response)


@pytest.fixture
def authenticator_app(member_browser: HtmlBrowser, clock: FixedClock) -> AuthenticatorApp:
    """Set up an authenticator app for Ada and return it."""
    return set_up_app(member_browser, clock)[0]


@pytest.fixture
def new_browser(app: Flask) -> HtmlBrowser:
    """Return a new browser without cookies."""
    return create_browser(app)


@pytest.fixture
def rate_limits(app: Flask, authenticator_app: AuthenticatorApp) -> Iterator[None]:
    """Enable the rate limits after the authenticator app is set up."""
    del authenticator_app
    app.config["RATELIMIT_ENABLED"] = True
    yield
    app.config["RATELIMIT_ENABLED"] = False


def is_signed_in(browser: HtmlBrowser) -> bool:
    return browser.client.get("/api/v1/me").status_code == 200


def login_by_api(app: Flask, **more: str) -> tuple[int, str]:
    answer = post_to_api(app, "/auth/login", CREDENTIALS | more)
    return (200, "") if answer.status_code == 200 else status_and_code(answer)


# Setting up


def test_first_correct_code_enables_second_factor(app: Flask, member_browser: HtmlBrowser, clock: FixedClock) -> None:
    assert "Set up an authenticator app" in member_browser.visit("/me/security")
    member_browser.visit(APP_SETUP_PATH)
    secret = read_secret(member_browser)
    [link] = [
        one.get("href")
        for one in parse_html(member_browser.response.text).iter("a")
        if (one.get("href") or "").startswith("otp")
    ]
    assert link == f"otpauth://totp/eventcal:ada@example.org?secret={secret.replace('-', '')}&issuer=eventcal"
    assert "<svg" in member_browser.response.text
    assert "style=" not in member_browser.response.text
    assert list_rows(app, Member)[0].name == "Ada Lovelace"
    says = member_browser.submit_form(APP_SETUP_PATH, code=AuthenticatorApp(secret, clock).current_code())
    assert "needs a code of your app" in says
    assert member_browser.response.headers["Cache-Control"] == "no-store"
    codes = read_recovery_codes(member_browser)
    assert len(set(codes)) == 10
    assert all(re.fullmatch("([0-9a-z]{4}-){5}[0-9a-z]{4}", code) for code in codes)
    assert "10 recovery codes are left." in member_browser.visit("/me/security")


def test_second_factor_is_not_enabled_by_wrong_code(app: Flask, member_browser: HtmlBrowser, clock: FixedClock) -> None:
    member_browser.visit(APP_SETUP_PATH)
    secret = read_secret(member_browser)
    assert "This code is wrong" in member_browser.submit_form(
        APP_SETUP_PATH, code=AuthenticatorApp(secret, clock).wrong_code()
    )
    assert member_browser.response.status_code == 422
    assert read_secret(member_browser) == secret
    assert login_by_api(app) == (200, "")
    # A reload shows the same secret, which may be in the app already.
    member_browser.visit(APP_SETUP_PATH)
    assert read_secret(member_browser) == secret
    member_browser.submit_form(APP_SETUP_PATH, code="")
    assert member_browser.response.status_code == 422


def test_secret_and_recovery_codes_are_not_stored_in_plain_text(
    app: Flask, member_browser: HtmlBrowser, clock: FixedClock
) -> None:
    phone, codes = set_up_app(member_browser, clock)
    [totp] = load_totp_secrets(app)
    assert phone.secret.replace("-", "") not in totp.sealed
    hashes = {row.code_hash for row in list_rows(app, RecoveryCode)}
    assert len(hashes) == 10
    assert not hashes & {code.replace("-", "") for code in codes}


def load_totp_secrets(app: Flask) -> list[TotpSecret]:
    with http_app.database_of(app).read_session() as session:
        return list(session.query(TotpSecret))


def test_resent_setup_form_does_not_show_recovery_codes_again(
    app: Flask, member_browser: HtmlBrowser, clock: FixedClock
) -> None:
    member_browser.visit(APP_SETUP_PATH)
    held = member_browser.form_values(APP_SETUP_PATH) | {
        "code": AuthenticatorApp(read_secret(member_browser), clock).current_code()
    }
    assert member_browser.client.post(APP_SETUP_PATH, data=held).status_code == 201
    again = member_browser.client.post(APP_SETUP_PATH, data=held)
    assert (again.status_code, again.headers["Location"]) == (303, "/me/security?done=before")
    assert len(load_totp_secrets(app)) == 1
    # A second app cannot be set up.
    assert member_browser.client.get(APP_SETUP_PATH).headers["Location"] == "/me/security"


def test_setup_requires_csrf_token(app: Flask, member_browser: HtmlBrowser, clock: FixedClock) -> None:
    member_browser.visit(APP_SETUP_PATH)
    held = member_browser.form_values(APP_SETUP_PATH) | {
        "code": AuthenticatorApp(read_secret(member_browser), clock).current_code()
    }
    assert member_browser.client.post(APP_SETUP_PATH, data=held | {"csrf_token": ""}).status_code == 403
    assert load_totp_secrets(app) == []


@pytest.mark.parametrize(
    "path", ["/me/security", APP_SETUP_PATH, f"{APP_SETUP_PATH}/off", "/me/security/codes", "/me/security/again"]
)
def test_anonymous_user_is_redirected_to_sign_in(new_browser: HtmlBrowser, path: str) -> None:
    assert new_browser.client.get(path).headers["Location"].startswith("/login?next=")


def test_access_token_cannot_use_security_pages(app: Flask) -> None:
    token = create_token_headers(http_app.create_signed_in_client(app), Scope.ORGANISE)
    client = app.test_client()
    assert client.get("/me/security", headers=token).status_code == 403
    assert client.post(f"{APP_SETUP_PATH}/off", headers=token, data={"proof": PASSWORD}).status_code == 403


# Confirming one's identity again


@pytest.mark.parametrize("path", [APP_SETUP_PATH, "/me/security/codes"])
def test_signing_in_is_not_sufficient_to_change_second_factors(app: Flask, path: str) -> None:
    browser = create_browser(app)
    browser.client = http_app.create_signed_in_client(app).client
    assert "Is it you?" in browser.visit(path)
    answer = browser.client.post(path, data=browser.form_values("/me/security/again"))
    assert answer.headers["Location"].startswith("/me/security/again?next=")


def test_confirming_password_ends_access_by_copied_session_cookie(app: Flask, new_browser: HtmlBrowser) -> None:
    browser = create_browser(app)
    browser.client = http_app.create_signed_in_client(app).client
    cookie = browser.client.get_cookie("eventcal")
    assert cookie is not None
    new_browser.client.set_cookie("eventcal", cookie.value)
    assert new_browser.client.get("/me/security").status_code == 200
    browser.visit(APP_SETUP_PATH)
    browser.submit_form("/me/security/again", password=PASSWORD)
    assert browser.client.get(APP_SETUP_PATH).status_code == 200
    assert new_browser.client.get("/me/security").headers["Location"].startswith("/login?next=")


def test_idle_session_must_confirm_password_again(member_browser: HtmlBrowser, clock: FixedClock) -> None:
    clock.tick(15 * 60)
    assert "Is it you?" in member_browser.visit(APP_SETUP_PATH)
    assert "is not your current password" in member_browser.submit_form("/me/security/again", password="wrong horse")
    assert member_browser.response.status_code == 422
    assert "Set up an authenticator app" in member_browser.submit_form("/me/security/again", password=PASSWORD)
    assert member_browser.response.request.path == APP_SETUP_PATH


def test_setup_form_sent_too_late_changes_nothing(app: Flask, member_browser: HtmlBrowser, clock: FixedClock) -> None:
    member_browser.visit(APP_SETUP_PATH)
    held = member_browser.form_values(APP_SETUP_PATH)
    phone = AuthenticatorApp(read_secret(member_browser), clock)
    clock.tick(15 * 60)
    late = member_browser.client.post(APP_SETUP_PATH, data=held | {"code": phone.current_code()})
    assert late.headers["Location"] == "/me/security/again?next=%2Fme%2Fsecurity"
    assert load_totp_secrets(app) == []


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_password_confirmation_does_not_redirect_to_another_site(member_browser: HtmlBrowser, wanted: str) -> None:
    member_browser.visit("/me/security/again")
    held = member_browser.form_values("/me/security/again")
    answer = member_browser.client.post("/me/security/again", data=held | {"password": PASSWORD, "next": wanted})
    assert answer.headers["Location"] == "/me/security"


# Signing in


def test_sign_in_with_code_redirects_to_next_page(
    authenticator_app: AuthenticatorApp, new_browser: HtmlBrowser
) -> None:
    new_browser.visit("/login?next=/me/security")
    assert "Your password is right." in new_browser.submit_form("/login", **CREDENTIALS)
    assert not is_signed_in(new_browser)
    assert "Sign-in and security" in new_browser.submit_form("/login/code", code=authenticator_app.current_code())
    assert is_signed_in(new_browser)


def test_code_may_contain_spaces(authenticator_app: AuthenticatorApp, new_browser: HtmlBrowser) -> None:
    log_in(new_browser)
    code = authenticator_app.current_code()
    new_browser.submit_form("/login/code", code=f" {code[:3]} {code[3:]} ")
    assert is_signed_in(new_browser)


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_app_clock_may_be_one_step_off(
    app: Flask, authenticator_app: AuthenticatorApp, clock: FixedClock, *, steps: int, taken: bool
) -> None:
    clock.tick(300)
    assert login_by_api(app, code=authenticator_app.current_code(steps=steps)) == (
        (200, "") if taken else (401, "code-refused")
    )


def test_code_works_once(app: Flask, authenticator_app: AuthenticatorApp) -> None:
    code = authenticator_app.current_code()
    assert login_by_api(app, code=code) == (200, "")
    assert login_by_api(app, code=code) == (401, "code-refused")


def test_setup_code_cannot_be_used_to_sign_in(app: Flask, member_browser: HtmlBrowser, clock: FixedClock) -> None:
    member_browser.visit(APP_SETUP_PATH)
    code = AuthenticatorApp(read_secret(member_browser), clock).current_code()
    member_browser.submit_form(APP_SETUP_PATH, code=code)
    assert login_by_api(app, code=code) == (401, "code-refused")


def test_earlier_code_is_rejected_after_a_later_one(app: Flask, authenticator_app: AuthenticatorApp) -> None:
    assert login_by_api(app, code=authenticator_app.current_code(steps=1)) == (200, "")
    assert login_by_api(app, code=authenticator_app.current_code()) == (401, "code-refused")


def test_concurrent_sign_ins_with_one_code_succeed_once(app: Flask, authenticator_app: AuthenticatorApp) -> None:
    code, together = authenticator_app.current_code(), Barrier(2)

    def come(_: int) -> tuple[int, str]:
        together.wait()
        return login_by_api(app, code=code)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(come, range(2))) == [(200, ""), (401, "code-refused")]


@pytest.mark.parametrize(
    "code", ["", " ", "12345", "1234567", "abcdef", "\uff10\uff10\uff10\uff10\uff100", "<script>", "0" * 101, "\x00"]
)
@pytest.mark.usefixtures("authenticator_app")
def test_malformed_code_is_reported_beside_its_field(new_browser: HtmlBrowser, code: str) -> None:
    log_in(new_browser)
    new_browser.submit_form("/login/code", code=code)
    assert new_browser.response.status_code in {401, 422}
    assert 'id="code-fault-1"' in new_browser.response.text
    assert "<script>" not in new_browser.response.text
    assert not is_signed_in(new_browser)


def test_recovery_code_signs_in_once_in_any_spelling(
    app: Flask, member_browser: HtmlBrowser, clock: FixedClock
) -> None:
    _, codes = set_up_app(member_browser, clock)
    assert login_by_api(app, code=codes[0]) == (200, "")
    assert login_by_api(app, code=codes[0]) == (401, "code-refused")
    assert login_by_api(app, code=codes[1].upper().replace("-", " ").replace("0", "O").replace("1", "l")) == (200, "")
    assert "8 recovery codes are left." in member_browser.visit("/me/security")


@pytest.mark.usefixtures("authenticator_app")
def test_code_of_another_member_is_rejected(app: Flask, clock: FixedClock) -> None:
    mallory = HtmlBrowser(
        http_app.create_signed_in_client(app, "mallory@example.org").client, create_browser(app).response
    )
    theirs, codes = set_up_app(mallory, clock)
    assert login_by_api(app, code=theirs.current_code()) == (401, "code-refused")
    assert login_by_api(app, code=codes[0]) == (401, "code-refused")
    assert len(list_rows(app, RecoveryCode)) == 20


# Pending sign-in


@pytest.mark.usefixtures("authenticator_app")
def test_pending_sign_in_cannot_use_other_routes(app: Flask, new_browser: HtmlBrowser) -> None:
    log_in(new_browser)
    for path in ("/me", "/me/security", APP_SETUP_PATH, f"{APP_SETUP_PATH}/off", "/submit"):
        assert new_browser.client.get(path).headers["Location"].startswith("/login?next="), path
    csrf = new_browser.form_values("/login/code")["csrf_token"]
    for path in (
        "/me/security/again",
        f"{APP_SETUP_PATH}/off",
        "/me/security/codes",
        APP_SETUP_PATH,
        "/me/account/password",
    ):
        answer = new_browser.client.post(path, data={"csrf_token": csrf, "proof": PASSWORD, "password": PASSWORD})
        assert answer.status_code == 401, path
    for method, path in (("GET", "/me"), ("POST", "/me/tokens"), ("POST", "/auth/password"), ("DELETE", "/me")):
        answer = call_api(
            new_browser.client, method, path, body={} if method == "POST" else None, **{"X-CSRF-Token": csrf}
        )
        assert status_and_code(answer) == (401, "not-signed-in"), path
    assert load_totp_secrets(app) != []


@pytest.mark.usefixtures("authenticator_app")
def test_pending_sign_in_ends_previous_session(app: Flask) -> None:
    mallory = HtmlBrowser(
        http_app.create_signed_in_client(app, "mallory@example.org").client, create_browser(app).response
    )
    log_in(mallory)
    assert not is_signed_in(mallory)


def test_pending_sign_in_expires_after_ten_minutes(
    authenticator_app: AuthenticatorApp, new_browser: HtmlBrowser, clock: FixedClock
) -> None:
    log_in(new_browser)
    clock.tick(10 * 60)
    assert "That took too long." in new_browser.submit_form("/login/code", code=authenticator_app.current_code())
    assert new_browser.response.status_code == 401
    assert not is_signed_in(new_browser)
    assert new_browser.client.get("/login/code").headers["Location"] == "/login?next="


def test_password_change_ends_pending_sign_in(
    member_browser: HtmlBrowser, authenticator_app: AuthenticatorApp, new_browser: HtmlBrowser
) -> None:
    log_in(new_browser)
    member_browser.visit("/me/account")
    member_browser.submit_form("/me/account/password", password=PASSWORD, new_password=NEW_PASSWORD)
    new_browser.submit_form("/login/code", code=authenticator_app.current_code())
    assert not is_signed_in(new_browser)


def test_code_without_pending_sign_in_is_rejected(
    authenticator_app: AuthenticatorApp, new_browser: HtmlBrowser
) -> None:
    new_browser.visit("/login")
    csrf = new_browser.form_values("/login")["csrf_token"]
    answer = new_browser.client.post("/login/code", data={"csrf_token": csrf, "code": authenticator_app.current_code()})
    assert answer.status_code == 401
    assert not is_signed_in(new_browser)


def test_code_form_requires_csrf_token(authenticator_app: AuthenticatorApp, new_browser: HtmlBrowser) -> None:
    log_in(new_browser)
    assert new_browser.client.post("/login/code", data={"code": authenticator_app.current_code()}).status_code == 403
    assert not is_signed_in(new_browser)


# Guessing


@pytest.mark.usefixtures("rate_limits")
def test_code_attempts_are_limited_by_account_across_ip_addresses(
    app: Flask, authenticator_app: AuthenticatorApp
) -> None:
    half_way = []
    for number in range(12):
        browser = create_browser(app)
        browser.client.environ_base["REMOTE_ADDR"] = f"198.51.100.{number}"
        log_in(browser)
        half_way.append(browser)
    for browser in half_way[:10]:
        browser.submit_form("/login/code", code=authenticator_app.wrong_code())
        assert browser.response.status_code == 401
    # Even the correct code is rejected now; otherwise, guessing could continue.
    assert "Too many attempts" in half_way[10].submit_form("/login/code", code=authenticator_app.current_code())
    assert half_way[10].response.status_code == 429
    assert not is_signed_in(half_way[10])
    answer = call_api(
        half_way[11].client, "POST", "/auth/login", body=CREDENTIALS | {"code": authenticator_app.current_code()}
    )
    assert status_and_code(answer) == (429, "too-many")
    # The limit does not affect other members.
    http_app.create_signed_in_client(app, "mallory@example.org")
    assert post_to_api(app, "/auth/login", {**CREDENTIALS, "email": "mallory@example.org"}).status_code == 200


# The API


def test_api_reports_second_factor_only_after_correct_password(app: Flask, authenticator_app: AuthenticatorApp) -> None:
    assert login_by_api(app) == (401, "second-factor-needed")
    assert login_by_api(app, password="wrong horse") == (401, "sign-in-refused")
    assert login_by_api(app, password="wrong horse", code=authenticator_app.current_code()) == (401, "sign-in-refused")
    assert login_by_api(app, email="nobody@example.org", code=authenticator_app.current_code()) == (
        401,
        "sign-in-refused",
    )
    # A code sent with a wrong password remains valid.
    assert login_by_api(app, code=authenticator_app.current_code()) == (200, "")


@pytest.mark.usefixtures("authenticator_app")
def test_api_sign_in_without_code_creates_no_session(app: Flask) -> None:
    client = app.test_client()
    answer = call_api(client, "POST", "/auth/login", body=CREDENTIALS)
    assert answer.headers["WWW-Authenticate"]
    assert "Set-Cookie" not in answer.headers
    assert call_api(client, "GET", "/me").status_code == 401


def test_api_sign_in_with_code_returns_member_and_csrf_token(app: Flask, authenticator_app: AuthenticatorApp) -> None:
    answer = get_json(post_to_api(app, "/auth/login", CREDENTIALS | {"code": authenticator_app.current_code()}))
    assert answer.keys() == {"member", "csrf_token"}


@pytest.mark.usefixtures("member_browser")
def test_unneeded_code_is_ignored(app: Flask) -> None:
    assert login_by_api(app, code="123456") == (200, "")


def test_access_tokens_work_without_second_factor(app: Flask, clock: FixedClock) -> None:
    known = http_app.create_signed_in_client(app)
    token = create_token_headers(known, Scope.READ)
    set_up_app(HtmlBrowser(known.client, create_browser(app).response), clock)
    assert call_api(app.test_client(), "GET", "/me", **token).status_code == 200


# Password reset, turning off, account deletion


def make_reset_token(app: Flask) -> str:
    with app.test_request_context():
        return accounts.reset_token(list_rows(app, Member)[0])


def test_password_reset_keeps_second_factor(app: Flask, authenticator_app: AuthenticatorApp) -> None:
    form = {"token": make_reset_token(app), "password": NEW_PASSWORD}
    assert post_to_api(app, "/auth/reset/confirm", form).status_code == 204
    assert login_by_api(app, password=NEW_PASSWORD) == (401, "second-factor-needed")
    assert login_by_api(app, password=NEW_PASSWORD, code=authenticator_app.current_code()) == (200, "")


def test_password_reset_of_unconfirmed_account_removes_second_factor(mailing_app: Flask, clock: FixedClock) -> None:
    squatter = http_app.create_signed_in_client(mailing_app, confirmed_at=None)
    set_up_app(HtmlBrowser(squatter.client, create_browser(mailing_app).response), clock)
    form = {"token": make_reset_token(mailing_app), "password": NEW_PASSWORD}
    assert post_to_api(mailing_app, "/auth/reset/confirm", form).status_code == 204
    assert login_by_api(mailing_app, password=NEW_PASSWORD) == (200, "")
    assert list_rows(mailing_app, RecoveryCode) == []


def test_enabling_second_factor_notifies_member_by_email(mailing_app: Flask, clock: FixedClock) -> None:
    set_up_app(
        HtmlBrowser(http_app.create_signed_in_client(mailing_app).client, create_browser(mailing_app).response), clock
    )
    assert http_app.list_mails(mailing_app) == [("ada@example.org", "eventcal: how you sign in was changed")]


@pytest.mark.parametrize("way", ["password", "app", "recovery"])
def test_password_or_code_turns_second_factor_off(
    app: Flask, member_browser: HtmlBrowser, clock: FixedClock, way: str
) -> None:
    phone, codes = set_up_app(member_browser, clock)
    clock.tick(60 * 60)
    member_browser.visit(f"{APP_SETUP_PATH}/off")
    assert "neither your password nor a code" in member_browser.submit_form(
        f"{APP_SETUP_PATH}/off", proof=phone.wrong_code()
    )
    assert member_browser.response.status_code == 422
    proof = {"password": PASSWORD, "app": phone.current_code(), "recovery": codes[3]}[way]
    assert "your password is enough" in member_browser.submit_form(f"{APP_SETUP_PATH}/off", proof=proof)
    assert (load_totp_secrets(app), list_rows(app, RecoveryCode)) == ([], [])
    assert login_by_api(app) == (200, "")


@pytest.mark.usefixtures("authenticator_app")
def test_turning_off_requires_proof_and_csrf_token(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit(f"{APP_SETUP_PATH}/off")
    member_browser.submit_form(f"{APP_SETUP_PATH}/off", proof="")
    assert member_browser.response.status_code == 422
    assert member_browser.client.post(f"{APP_SETUP_PATH}/off", data={"proof": PASSWORD}).status_code == 403
    assert len(load_totp_secrets(app)) == 1


def test_new_recovery_codes_replace_old_ones_and_are_shown_once(
    app: Flask, member_browser: HtmlBrowser, clock: FixedClock
) -> None:
    _, old = set_up_app(member_browser, clock)
    member_browser.visit("/me/security/codes")
    held = member_browser.form_values("/me/security/codes")
    member_browser.submit_form("/me/security/codes")
    new = read_recovery_codes(member_browser)
    assert (len(new), set(new) & set(old)) == (10, set())
    # Sending the form again does not replace the new codes.
    assert member_browser.client.post("/me/security/codes", data=held).headers["Location"] == "/me/security?done=before"
    assert login_by_api(app, code=old[0]) == (401, "code-refused")
    assert login_by_api(app, code=new[0]) == (200, "")


def test_recovery_codes_require_authenticator_app(app: Flask, member_browser: HtmlBrowser) -> None:
    assert member_browser.client.get("/me/security/codes").headers["Location"] == "/me/security"
    member_browser.visit("/me/account")
    csrf = member_browser.form_values("/logout")["csrf_token"]
    answer = member_browser.client.post("/me/security/codes", data={"csrf_token": csrf, "form_key": "x"})
    assert answer.headers["Location"] == "/me/security?done=before"
    assert list_rows(app, RecoveryCode) == []


@pytest.mark.usefixtures("authenticator_app")
def test_account_deletion_deletes_secret_and_recovery_codes(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/me/account/delete")
    member_browser.submit_form("/me/account/delete", password=PASSWORD)
    assert (list_rows(app, Member), load_totp_secrets(app), list_rows(app, RecoveryCode)) == ([], [], [])
