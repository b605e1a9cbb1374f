"""Emails, including their subjects, are in the language of the request that caused them."""

import re
from http import HTTPStatus

import pytest
from flask import Flask

from eventcal.outbox.models import OutboxMessage
from tests.http_app import list_rows

ADA = {"email": "ada@example.org", "password": "correct horse battery", "name": "Ada"}
GREETINGS = {"de": "Guten Tag,", "en": "Hello,"}


def request_email(app: Flask, path: str, language: str, **given: str) -> dict[str, str]:
    """Make a request that sends an email, and return the last email in the outbox."""
    answer = app.test_client().post(f"/api/v1/auth/{path}", json=given, headers={"Accept-Language": language})
    assert answer.status_code < HTTPStatus.BAD_REQUEST, answer.text
    payload: dict[str, str] = list_rows(app, OutboxMessage)[-1].payload
    return payload


@pytest.mark.parametrize(
    ("language", "subjects"),
    [
        (
            "de",
            ["bitte die Adresse bestätigen", "es gibt schon ein Konto", "ein neues Passwort wählen",
             "das Passwort wurde geändert"],
        ),
        ("en", ["confirm your address", "you have an account already", "choose a new password",
                "your password was changed"]),
    ],
)  # fmt: skip
def test_email_uses_language_of_request(mailing_app: Flask, language: str, subjects: list[str]) -> None:
    mails = [
        request_email(mailing_app, "register", language, **ADA),
        request_email(mailing_app, "register", language, **ADA),
        request_email(mailing_app, "reset", language, email=ADA["email"]),
    ]
    token = re.search(r"token=(\S+)", mails[-1]["text"])
    assert token is not None
    mails.append(
        request_email(mailing_app, "reset/confirm", language, token=token[1], password="another horse battery")
    )
    assert [mail["subject"].partition(": ")[2] for mail in mails] == subjects
    for mail in mails:
        assert mail["text"].startswith(GREETINGS[language])
        assert "&" not in mail["text"]
        assert "http" in mail["text"]


def test_registration_email_contains_no_text_from_member(mailing_app: Flask) -> None:
    mail = request_email(mailing_app, "register", "de", **{**ADA, "name": "Buy this now"})
    assert "Buy" not in f"{mail['subject']}{mail['text']}"
