"""A scenario of signing in by more than a password: codes of an app, recovery codes and passkeys."""

import re
from datetime import timedelta

from werkzeug.test import TestResponse

from tests.clocks import FixedClock
from tests.comparison.application import PASSWORD
from tests.comparison.forms import fill_in, send
from tests.comparison.public import HTML
from tests.comparison.recorder import Person, Recorder
from tests.pages import tree_of
from tests.second_factors import App
from tests.soft_key import SoftKey

_HOME = "/me/security"
_APP, _NEW_PASSKEY = f"{_HOME}/app", f"{_HOME}/passkeys/new"


def record_factor_scenario(recorder: Recorder) -> None:
    """Record the scenario for a member who has nothing but a password at first."""
    clock = recorder.clock
    assert clock is not None
    ada, moderator = recorder.person("ada"), recorder.person("max")
    _give_password(ada)
    phone, codes = _set_up(ada, clock)
    _sign_in_by_code(ada, phone, codes, clock=clock)
    _use_passkeys(ada, recorder.base_url)
    clock.tick(timedelta(minutes=30).total_seconds())
    ada.get(f"{_HOME}/codes", label="a while later", Accept=HTML)
    again = f"{_HOME}/again?next=/me/security/codes"
    fill_in(ada, again, f"{_HOME}/again", typed={"password": "wrong"})
    fill_in(ada, again, f"{_HOME}/again", typed={"password": PASSWORD})
    fill_in(ada, f"{_HOME}/codes", f"{_HOME}/codes")
    fill_in(ada, f"{_APP}/off", f"{_APP}/off", typed={"proof": "wrong"})
    fill_in(ada, f"{_APP}/off", f"{_APP}/off", typed={"proof": PASSWORD})
    moderator.get("/login/code", Accept=HTML)
    fill_in(moderator, "/login", "/login", typed={"email": "max@example.org", "password": PASSWORD})
    _end_sessions(ada)
    recorder.write_emails("in the end")


def _give_password(ada: Person) -> None:
    fill_in(ada, "/login", "/login", typed={"email": "ada@example.org", "password": PASSWORD})
    ada.get(_HOME, Accept=HTML)


def _set_up(ada: Person, clock: FixedClock) -> tuple[App, list[str]]:
    """Record how an app is set up; return it and the recovery codes."""
    page = ada.get(_APP, Accept=HTML)
    phone = App(_codes(page)[0], clock)
    send(ada, page, _APP, typed={"code": phone.wrong_code()})
    shown = send(ada, page, _APP, typed={"code": phone.code()})
    clock.tick(30)
    ada.get(_HOME, Accept=HTML)
    return phone, _codes(shown)


def _sign_in_by_code(ada: Person, phone: App, codes: list[str], *, clock: FixedClock) -> None:
    known = {"email": "ada@example.org", "password": PASSWORD}

    def attempt(*typed: str) -> None:
        fill_in(ada, "/me", "/logout")
        fill_in(ada, "/login?next=/me/security", "/login", typed=known)
        for code in typed:
            fill_in(ada, "/login/code?next=/me/security", "/login/code", typed={"code": code})

    attempt(phone.wrong_code(), codes[1])
    attempt(phone.code())
    attempt(codes[0])
    clock.tick(30)
    program = ada.recorder.person("program")
    program.api("POST", "/auth/login", known, label="no code")
    program.api("POST", "/auth/login", {**known, "code": "wrong"}, label="wrong code")
    program.call(
        "POST", "/api/v1/auth/login", label="code", data=_with_code(phone), headers={"Content-Type": "application/json"}
    )


def _with_code(phone: App) -> str:
    # Sent as bytes, so that a code that is different every time is not recorded.
    return f'{{"email": "ada@example.org", "password": "{PASSWORD}", "code": "{phone.code()}"}}'


def _use_passkeys(ada: Person, origin: str) -> None:
    key = SoftKey()
    page = ada.get(_NEW_PASSKEY, Accept=HTML)
    send(ada, page, _NEW_PASSKEY, typed={"name": "", "answer": "{}"})
    page = ada.get(_NEW_PASSKEY, Accept=HTML)
    send(ada, page, _NEW_PASSKEY, typed={"name": "My key", "answer": key.make(_options(page), origin=origin)})
    other = ada.recorder.person("other device")
    page = other.get("/login", Accept=HTML)
    send(other, page, "/login/passkey", typed={"answer": "{}"})
    page = other.get("/login", Accept=HTML)
    send(other, page, "/login/passkey", typed={"answer": key.sign(_options(page), origin=origin)})
    shown = other.get(_HOME, Accept=HTML).text
    [passkey] = set(re.findall(rf'href="({_HOME}/passkeys/(?!new)\w+)"', shown))
    other.get(passkey, Accept=HTML)
    fill_in(ada, passkey, passkey)


def _end_sessions(ada: Person) -> None:
    known = {"email": "ada@example.org", "password": PASSWORD}
    for name in ("phone", "tablet"):
        fill_in(ada.recorder.person(name), "/login", "/login", typed=known)
    shown = ada.get(_HOME, Accept=HTML).text
    [other, _] = re.findall(rf'action="({_HOME}/sessions/\w+)"', shown)
    fill_in(ada, _HOME, other)
    fill_in(ada, _HOME, f"{_HOME}/sessions")


def _codes(page: TestResponse) -> list[str]:
    return [one.text or "" for one in tree_of(page.text).iter("code")]


def _options(page: TestResponse) -> str:
    """Return what the page has its script ask the browser for."""
    return next(form.get("data-options", "") for form in tree_of(page.text).iter("form") if form.get("data-options"))
