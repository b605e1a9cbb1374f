"""Validation errors are translated on pages, and always in English in the API."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from marshmallow import Schema, ValidationError
from werkzeug.datastructures import MultiDict

from eventcal.kit.errors import DomainError, FieldError, Message
from eventcal.web.http.errors import to_field_errors
from eventcal.web.params.fields import QuerySchema
from tests.html_browser import create_browser

# Values that are invalid for many fields.
INVALID_VALUES: list[Any] = [
    None, True, 1, -1, 1.5, 2**40, [], {}, [1], [[]], [{}], {"a": 1}, ["x"] * 200, "", " ", "x", "x" * 5000, "a\x00b",
    "a\tb", "a\nb", "\ud800", "2014-02-30", "1969-01-01", "2014-01-01T00:00:00Z", "2014-01-01", "http://", "http://[",
    "http://a b/", "http://a/%zz", "ftp://a/", "http://a:b@c/", "a@b", "XX", "#fff", "12,50",
]  # fmt: skip


def iter_subclasses(kind: type[Schema]) -> Iterator[type[Schema]]:
    for one in kind.__subclasses__():
        yield from iter_subclasses(one)
        if one.__module__.startswith("eventcal.") and not one.__name__.endswith("Out"):
            yield one


def load_errors(kind: type[Schema], name: str, value: object) -> list[FieldError]:
    given: Any = {name: value}
    if issubclass(kind, QuerySchema):
        texts = [str(one) for one in value] if isinstance(value, list) else [str(value)]
        given = MultiDict([(name, text) for text in texts])
    try:
        kind().load(given)
    except ValidationError as error:
        return to_field_errors(error.messages, location="json")
    except DomainError:
        # Comparing the current password requires a signed-in member.
        return []
    return []


def test_every_schema_error_is_translatable(app: Flask) -> None:
    bare, seen = set(), set()
    with app.test_request_context("/"):
        for kind in {*iter_subclasses(Schema)}:
            for name, field in kind().load_fields.items():
                for value in INVALID_VALUES:
                    for fault in load_errors(kind, field.data_key or name, value):
                        seen.add(fault.detail)
                        if not isinstance(fault.detail, Message):
                            bare.add((kind.__name__, name, fault.detail))
    assert bare == set()
    assert len(seen) > 60


@pytest.mark.parametrize("language", ["de", "en", "de-AT,en;q=0.5"])
def test_api_errors_are_in_english_regardless_of_accept_language(app: Flask, language: str) -> None:
    given = {"email": "no address", "password": "short", "name": "a\nb", "colour": "red"}
    answer = app.test_client().post("/api/v1/auth/register", json=given, headers={"Accept-Language": language})
    assert (answer.status_code, answer.json["title"]) == (422, "Validation failed")  # type: ignore[index]  # a problem
    assert {one["pointer"]: one["detail"] for one in answer.json["errors"]} == {  # type: ignore[index]  # as above
        "/email": "must be an email address such as ada@example.org",
        "/password": "must have 8 to 128 characters",
        "/name": "contains a line break (U+000A) at position 2; use a space instead",
        "/colour": "is not a known field; remove it",
    }


def test_form_errors_are_translated_to_german(app: Flask) -> None:
    browser = create_browser(app)
    browser.visit("/language/de?next=/register")
    said = browser.submit_form("/register", email="no address", password="short", name="")
    assert browser.response.status_code == 422
    assert "muss eine E-Mail-Adresse sein wie ada@example.org" in said
    assert "muss 8 bis 128 Zeichen haben" in said
    assert "wird gebraucht" in said
    assert 'lang="en"' not in browser.response.text.partition("<main")[2].partition("</main>")[0]


def test_error_pages_are_translated_to_german(app: Flask) -> None:
    browser = create_browser(app)
    browser.visit("/language/de?next=/login")
    said = browser.submit_form("/login", email="nobody@example.org", password="not the password")
    assert browser.response.status_code == 401
    assert "Adresse und Passwort gehören nicht zusammen." in said
    said = browser.visit("/events/nothing")
    assert "Nicht gefunden" in said
    assert "Hier gibt es keine Veranstaltung „nothing“." in said
    said = browser.visit("/?from=yesterday")
    assert "ist weder ein Datum noch eine Ortszeit" in said


def test_csrf_failure_is_explained_in_words_on_a_page(app: Flask) -> None:
    headers = {"Accept": "text/html", "Accept-Language": "de"}
    answer = app.test_client().post("/login", data={"email": "a@example.org", "password": "x"}, headers=headers)
    assert answer.status_code == 403
    assert "Dieses Formular ist zu alt oder wurde nicht von hier abgeschickt." in answer.text
    assert "X-CSRF-Token" not in answer.text


def test_user_text_is_escaped_in_an_error_message(app: Flask) -> None:
    answer = app.test_client().get("/?from=<script>%(x)s", headers={"Accept-Language": "de"})
    assert "<script>%" not in answer.text
    assert "&lt;script&gt;%(x)s" in answer.text
