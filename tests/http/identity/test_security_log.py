"""The security log: each kind of event is logged, and no line contains a secret."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.members.security_log import SECURITY_LOGGER, SecurityEvent, SecurityLogFormatter
from eventcal.outbox.enums import MailKind
from eventcal.outbox.models import OutboxMessage
from eventcal.web.identity.accounts import reset_token
from tests.clocks import FixedClock
from tests.command_line import CommandLine
from tests.html_browser import HtmlBrowser, create_browser
from tests.http_app import (
    MAIL_URL,
    SessionClient,
    create_signed_in_client,
    create_test_app,
    get_json,
    list_rows,
    post_to_api,
    sign_in_with_password,
)
from tests.second_factors import set_up_app

EMAIL, PASSWORD, NEW_PASSWORD = "ada@example.org", "first horse battery", "second horse battery"
NEW_EMAIL = "lovelace@example.org"
EVENT = {"title": "Meetup", "timezone": "Europe/Berlin", "starts": "2026-06-10"}


class SecurityLog:
    """The lines that have been written to the security log."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        """Return the whole log."""
        return self._stream.getvalue()

    def events(self, event: SecurityEvent) -> list[dict[str, Any]]:
        """Return the logged events of one kind."""
        lines = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in lines if line["event"] == event]


@pytest.fixture
def log() -> Iterator[SecurityLog]:
    """Yield the security log of the test."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(SecurityLogFormatter())
    level = SECURITY_LOGGER.level
    SECURITY_LOGGER.addHandler(handler)
    SECURITY_LOGGER.setLevel(logging.INFO)
    yield SecurityLog(stream)
    SECURITY_LOGGER.removeHandler(handler)
    SECURITY_LOGGER.setLevel(level)


@pytest.fixture
def app(sqlite_url: str, clock: FixedClock) -> Iterator[Flask]:
    """Yield the app with email, and with the database of the command line."""
    with create_test_app(sqlite_url, clock, mail_url=MAIL_URL) as app:
        yield app


class Journey:
    """A member, Ada, who does everything that is logged. `secrets` must not be in the log."""

    def __init__(self, app: Flask, clock: FixedClock, instance: Path) -> None:
        self.app, self.clock, self.instance = app, clock, instance
        self.secrets = {
            EMAIL,
            NEW_EMAIL,
            PASSWORD,
            NEW_PASSWORD,
            "mo@example.org",
            "unknown@example.org",
            "wrong password",
        }
        self.moderator = create_signed_in_client(app, "mo@example.org", role=Role.MODERATOR, confirmed_at=clock.now())

    def run(self) -> None:
        self.register_and_reset_password()
        ada = self.sign_in()
        self.use_tokens_and_feeds(ada)
        self.use_second_factor()
        self.moderate()
        self.be_rejected()
        self.be_suspended()
        self.change_address()
        self.leave()

    def sign_in(self, email: str = EMAIL) -> SessionClient:
        client = sign_in_with_password(self.app, email, NEW_PASSWORD)
        cookie = client.client.get_cookie("eventcal")
        assert cookie is not None
        self.secrets |= {client.csrf_token, cookie.value}
        return client

    def try_password(self, password: str, *, email: str = EMAIL) -> int:
        return post_to_api(self.app, "/auth/login", {"email": email, "password": password}).status_code

    def register_and_reset_password(self) -> None:
        body = {"email": EMAIL, "name": "Ada Lovelace", "password": PASSWORD}
        assert post_to_api(self.app, "/auth/register", body).status_code == 201
        assert post_to_api(self.app, "/auth/reset", {"email": EMAIL}).status_code == 202
        with self.app.app_context():
            [token] = [reset_token(member) for member in list_rows(self.app, Member) if member.email == EMAIL]
        self.secrets.add(token)
        answer = post_to_api(self.app, "/auth/reset/confirm", {"token": token, "password": NEW_PASSWORD})
        assert answer.status_code == 204
        assert self.try_password("wrong password") == 401
        assert self.try_password("wrong password", email="unknown@example.org") == 401

    def use_tokens_and_feeds(self, ada: SessionClient) -> None:
        token = get_json(ada.post("/me/tokens", {"name": "a script", "scopes": ["read"]}))
        feed = get_json(ada.post("/me/feeds", {"name": "Phone"}))
        self.secrets |= {token["token"], feed["url"], feed["url"].rpartition("/")[2].partition(".")[0]}
        assert ada.call("DELETE", f"/me/tokens/{token['id']}").status_code == 204
        assert ada.call("DELETE", f"/me/feeds/{feed['id']}").status_code == 204

    def use_second_factor(self) -> None:
        browser = HtmlBrowser(self.sign_in().client, create_browser(self.app).response)
        totp, codes = set_up_app(browser, self.clock, password=NEW_PASSWORD)
        self.secrets |= {totp.secret, totp.secret.replace("-", ""), *codes, codes[0].replace("-", "")}
        body = {"email": EMAIL, "password": NEW_PASSWORD}
        for code, status in ((totp.wrong_code(), 401), (totp.current_code(), 200), (codes[0], 200)):
            self.secrets.add(code)
            assert post_to_api(self.app, "/auth/login", body | {"code": code}).status_code == status
        browser.visit("/me/security/app/off")
        browser.submit_form("/me/security/app/off", proof=NEW_PASSWORD)
        assert browser.response.status_code == 200

    def moderate(self) -> None:
        ada, moderator = self.sign_in(), self.moderator
        event = get_json(ada.post("/events", EVENT))["slug"]
        assert ada.post(f"/events/{event}/publish").status_code == 403
        assert moderator.post(f"/events/{event}/publish").status_code == 200
        other = get_json(moderator.post("/events", EVENT))["slug"]
        for answer in ("accept", "decline"):
            invited = moderator.call("PUT", f"/events/{other}/team", {"email": EMAIL, "role": "reviewer"})
            assert invited.status_code == 202
            [invitation] = get_json(ada.get("/me/invitations"))["items"]
            assert ada.post(f"/me/invitations/{invitation['id']}/{answer}").status_code == 200
        moderator.call("PUT", f"/events/{other}/team", {"email": "unknown@example.org", "role": "reviewer"})
        [invitation] = get_json(moderator.get(f"/events/{other}/team"))["invitations"]
        path = f"/events/{other}/team/invitations/{invitation['id']}"
        assert moderator.call("DELETE", path).status_code == 204
        assert moderator.post(f"/events/{event}/redact").status_code == 200
        CommandLine(self.instance).run_ok("members", "role", EMAIL, "moderator")
        CommandLine(self.instance).run_ok("members", "role", EMAIL, "member")

    def be_rejected(self) -> None:
        ada = self.sign_in()
        assert ada.post("/me/feeds", {"name": "Phone"}, **{"X-CSRF-Token": "forged"}).status_code == 403
        self.app.config["RATELIMIT_ENABLED"] = True
        statuses = [self.try_password("wrong password") for _ in range(15)]
        assert statuses == [401] * 10 + [429] * 5
        self.app.config["RATELIMIT_ENABLED"] = False

    def be_suspended(self) -> None:
        path = f"/members/{self.sign_in().member['id']}"
        assert self.moderator.post(f"{path}/suspend").status_code == 200
        assert self.moderator.post(f"{path}/reinstate").status_code == 200

    def change_address(self) -> None:
        ada = self.sign_in()
        body = {"email": NEW_EMAIL, "password": NEW_PASSWORD}
        assert ada.call("PATCH", "/me", body).status_code == 200
        [message] = [one for one in list_rows(self.app, OutboxMessage) if one.mail_kind == MailKind.ADDRESS]
        token = message.payload["text"].partition("token=")[2].split()[0]
        self.secrets.add(token)
        assert ada.post("/auth/confirm", {"token": token}).status_code == 200

    def leave(self) -> None:
        ada = self.sign_in(NEW_EMAIL)
        answer = ada.call("DELETE", "/me", {"password": NEW_PASSWORD})
        assert answer.status_code == 200


@pytest.fixture
def journey(app: Flask, clock: FixedClock, tmp_path: Path, log: SecurityLog) -> Journey:
    assert log.text == ""
    made = Journey(app, clock, tmp_path)
    made.run()
    return made


@pytest.mark.usefixtures("journey")
def test_each_kind_of_event_is_logged(log: SecurityLog) -> None:
    assert [event for event in SecurityEvent if not log.events(event)] == []


def test_no_line_contains_a_secret_or_an_email_address(journey: Journey, log: SecurityLog) -> None:
    assert [secret for secret in journey.secrets if secret in log.text] == []
    assert "@" not in log.text


@pytest.mark.usefixtures("journey")
def test_events_name_the_member_the_client_and_the_route(log: SecurityLog) -> None:
    [known, unknown, *_] = log.events(SecurityEvent.SIGN_IN_FAILED)
    assert known.keys() - unknown.keys() == {"member"}
    assert (known["client"], known["route"]) == ("127.0.0.1", "POST /api/v1/auth/login")
    [created] = log.events(SecurityEvent.TOKEN_CREATED)
    assert created["member"] == created["by"]
    assert next(iter(created)) == "time"
    # The command line has no client.
    assert all("client" not in event for event in log.events(SecurityEvent.ROLE_CHANGED))


@pytest.mark.usefixtures("journey")
def test_repeated_rejections_are_logged_once_a_minute(app: Flask, log: SecurityLog, clock: FixedClock) -> None:
    assert len(log.events(SecurityEvent.RATE_LIMITED)) == 1
    clock.tick(61)
    app.config["RATELIMIT_ENABLED"] = True
    for _ in range(12):
        post_to_api(app, "/auth/login", {"email": "bob@example.org", "password": "x"})
    [_first, second] = log.events(SecurityEvent.RATE_LIMITED)
    assert second["repeated"] == 4


def test_rolled_back_changes_are_not_logged(app: Flask, log: SecurityLog, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = create_signed_in_client(app, EMAIL, confirmed_at=None)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("eventcal.web.api.me.redact_in_replay", fail)
    headers = {"Idempotency-Key": "k"}
    assert ada.post("/me/tokens", {"name": "a script", "scopes": ["read"]}, **headers).status_code == 500
    assert log.events(SecurityEvent.TOKEN_CREATED) == []


def test_line_breaks_cannot_be_injected(log: SecurityLog) -> None:
    SECURITY_LOGGER.info("x", extra={"security": {"event": "signed-in", "member": "a\nb\u2028c"}})
    assert len(log.text.splitlines()) == 1
