"""A scenario for second factors: codes of an authenticator app, recovery codes and passkeys."""

import re
from datetime import timedelta

from werkzeug.test import TestResponse

from tests.clocks import FixedClock
from tests.comparison.application import PASSWORD
from tests.comparison.forms import fill_in_form, submit_form
from tests.comparison.public_responses import HTML_TYPE
from tests.comparison.recorder import Recorder, RecordingClient
from tests.html_pages import parse_html
from tests.second_factors import AuthenticatorApp
from tests.virtual_authenticator import VirtualAuthenticator

_SECURITY_PATH = "/me/security"
_APP_PATH, _NEW_PASSKEY_PATH = f"{_SECURITY_PATH}/app", f"{_SECURITY_PATH}/passkeys/new"


def record_second_factor_scenario(recorder: Recorder) -> None:
    """Record the scenario for a member who initially has only a password."""
    clock = recorder.clock
    assert clock is not None
    ada, moderator = recorder.create_client("ada"), recorder.create_client("max")
    _sign_in_by_password(ada)
    phone, codes = _set_up_app(ada, clock)
    _sign_in_by_code(ada, phone, codes, clock=clock)
    _use_passkeys(ada, recorder.base_url)
    clock.tick(timedelta(minutes=30).total_seconds())
    ada.get(f"{_SECURITY_PATH}/codes", label="a while later", Accept=HTML_TYPE)
    again = f"{_SECURITY_PATH}/again?next=/me/security/codes"
    fill_in_form(ada, again, f"{_SECURITY_PATH}/again", typed={"password": "wrong"})
    fill_in_form(ada, again, f"{_SECURITY_PATH}/again", typed={"password": PASSWORD})
    fill_in_form(ada, f"{_SECURITY_PATH}/codes", f"{_SECURITY_PATH}/codes")
    fill_in_form(ada, f"{_APP_PATH}/off", f"{_APP_PATH}/off", typed={"proof": "wrong"})
    fill_in_form(ada, f"{_APP_PATH}/off", f"{_APP_PATH}/off", typed={"proof": PASSWORD})
    moderator.get("/login/code", Accept=HTML_TYPE)
    fill_in_form(moderator, "/login", "/login", typed={"email": "max@example.org", "password": PASSWORD})
    _end_sessions(ada)
    recorder.write_emails("in the end")


def _sign_in_by_password(ada: RecordingClient) -> None:
    fill_in_form(ada, "/login", "/login", typed={"email": "ada@example.org", "password": PASSWORD})
    ada.get(_SECURITY_PATH, Accept=HTML_TYPE)


def _set_up_app(ada: RecordingClient, clock: FixedClock) -> tuple[AuthenticatorApp, list[str]]:
    """Record the setup of an authenticator app, and return the app and the recovery codes."""
    again = f"{_SECURITY_PATH}/again?next={_APP_PATH}"
    fill_in_form(ada, again, f"{_SECURITY_PATH}/again", typed={"password": PASSWORD})
    page = ada.get(_APP_PATH, Accept=HTML_TYPE)
    phone = AuthenticatorApp(_read_codes(page)[0], clock)
    submit_form(ada, page, _APP_PATH, typed={"code": phone.wrong_code()})
    shown = submit_form(ada, page, _APP_PATH, typed={"code": phone.current_code()})
    clock.tick(30)
    ada.get(_SECURITY_PATH, Accept=HTML_TYPE)
    return phone, _read_codes(shown)


def _sign_in_by_code(ada: RecordingClient, phone: AuthenticatorApp, codes: list[str], *, clock: FixedClock) -> None:
    known = {"email": "ada@example.org", "password": PASSWORD}

    def attempt(*typed: str) -> None:
        fill_in_form(ada, "/me", "/logout")
        fill_in_form(ada, "/login?next=/me/security", "/login", typed=known)
        for code in typed:
            fill_in_form(ada, "/login/code?next=/me/security", "/login/code", typed={"code": code})

    attempt(phone.wrong_code(), codes[1])
    attempt(phone.current_code())
    attempt(codes[0])
    clock.tick(30)
    program = ada.recorder.create_client("program")
    program.call_api("POST", "/auth/login", known, label="no code")
    program.call_api("POST", "/auth/login", {**known, "code": "wrong"}, label="wrong code")
    program.request(
        "POST",
        "/api/v1/auth/login",
        label="code",
        data=_login_body(phone),
        headers={"Content-Type": "application/json"},
    )


def _login_body(phone: AuthenticatorApp) -> str:
    # The recorder omits bytes bodies, so the recording does not contain the code, which differs each time.
    return f'{{"email": "ada@example.org", "password": "{PASSWORD}", "code": "{phone.current_code()}"}}'


def _use_passkeys(ada: RecordingClient, origin: str) -> None:
    key = VirtualAuthenticator()
    page = ada.get(_NEW_PASSKEY_PATH, Accept=HTML_TYPE)
    submit_form(ada, page, _NEW_PASSKEY_PATH, typed={"name": "", "answer": "{}"})
    page = ada.get(_NEW_PASSKEY_PATH, Accept=HTML_TYPE)
    submit_form(
        ada,
        page,
        _NEW_PASSKEY_PATH,
        typed={"name": "My key", "answer": key.create_passkey(_passkey_options(page), origin=origin)},
    )
    other = ada.recorder.create_client("other device")
    page = other.get("/login", Accept=HTML_TYPE)
    submit_form(other, page, "/login/passkey", typed={"answer": "{}"})
    page = other.get("/login", Accept=HTML_TYPE)
    submit_form(
        other, page, "/login/passkey", typed={"answer": key.sign_challenge(_passkey_options(page), origin=origin)}
    )
    shown = other.get(_SECURITY_PATH, Accept=HTML_TYPE).text
    [passkey] = set(re.findall(rf'href="({_SECURITY_PATH}/passkeys/(?!new)\w+)"', shown))
    other.get(passkey, Accept=HTML_TYPE)
    fill_in_form(ada, passkey, passkey)


def _end_sessions(ada: RecordingClient) -> None:
    known = {"email": "ada@example.org", "password": PASSWORD}
    for name in ("phone", "tablet"):
        fill_in_form(ada.recorder.create_client(name), "/login", "/login", typed=known)
    shown = ada.get(_SECURITY_PATH, Accept=HTML_TYPE).text
    [other, _] = re.findall(rf'action="({_SECURITY_PATH}/sessions/\w+)"', shown)
    fill_in_form(ada, _SECURITY_PATH, other)
    fill_in_form(ada, _SECURITY_PATH, f"{_SECURITY_PATH}/sessions")


def _read_codes(page: TestResponse) -> list[str]:
    return [one.text or "" for one in parse_html(page.text).iter("code")]


def _passkey_options(page: TestResponse) -> str:
    """Return the passkey options that the page passes to its script."""
    return next(form.get("data-options", "") for form in parse_html(page.text).iter("form") if form.get("data-options"))
