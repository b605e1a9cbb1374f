"""The language of a response and the location of its translations."""

from pathlib import Path

import pytest
from flask import Flask
from flask_babel import gettext, ngettext

from eventcal.kit.translations import load_translations
from eventcal.web.i18n import current_language, current_locale, init_translations


def detect_language(accepted: str | None, query: str = "") -> str:
    headers = {} if accepted is None else {"Accept-Language": accepted}
    with Flask("any").test_request_context(f"/?{query}", headers=headers):
        assert str(current_locale()) == current_language().replace("-", "_")
        return current_language()


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("de-CH-1996", "de"),
        ("de_DE", "de"),
        ("en-US", "en"),
        ("en-CA,en;q=0.9", "en"),
        ("en-GB", "en-GB"),
        ("en_gb", "en-GB"),
        ("en-GB,en;q=0.9,de;q=0.8", "en-GB"),
        ("en-AU", "en-GB"),
        ("en-Latn-IE", "en-GB"),
        ("en-DE,de;q=0.5", "en-GB"),
        ("en-001", "en"),
        ("en-XX", "en"),
        ("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", "de"),
        ("de-AT,en;q=0.5", "de"),
        ("de-AT,en", "de"),
        ("en;q=0.5,de-CH;q=0.7", "de"),
        ("fr,de;q=0.5,en;q=0.4", "de"),
        ("fr-CH, fr;q=0.9, *;q=0.5", "en"),
        ("de;q=0, en-GB;q=0.1", "en-GB"),
    ],
)
def test_response_uses_the_language_the_browser_prefers_most(accepted: str, code: str) -> None:
    assert detect_language(accepted) == code


@pytest.mark.parametrize("accepted", [None, "*", "fr", "den", "de;q=0"])
def test_unsupported_languages_fall_back_to_english(accepted: str | None) -> None:
    assert detect_language(accepted) == "en"


@pytest.mark.parametrize("accepted", ["", ",", ";;;", "q=1", "%00", "-", "x" * 4000, "en;q=abc", "*;q=abc", "\xe6\x97"])
def test_malformed_accept_language_falls_back_to_english(accepted: str) -> None:
    assert detect_language(accepted) == "en"


@pytest.mark.parametrize(
    ("query", "accepted", "code"),
    [
        ("lang=de", "en", "de"),
        ("lang=en", "de", "en"),
        ("lang=de-AT", "en", "de"),
        ("lang=de&lang=en", "en", "de"),
        ("lang=de", "en-GB", "de"),
        ("lang=en", "en-GB", "en-GB"),
        ("lang=en", "de,en-GB;q=0.5", "en-GB"),
        ("lang=en-GB", "en-US", "en-GB"),
        ("lang=en", "de-GB", "en"),
        ("lang=", "de", "de"),
        ("lang=fr", "de", "de"),
        ("lang=fr", "fr", "en"),
        ("lang=../../etc", "de", "de"),
    ],
)
def test_lang_parameter_takes_precedence_over_accept_language(query: str, accepted: str, code: str) -> None:
    assert detect_language(accepted, query) == code


def test_translations_load_from_any_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_translations.cache_clear()
    monkeypatch.chdir(tmp_path)
    app = Flask("elsewhere", root_path=str(tmp_path))
    init_translations(app)
    with app.test_request_context("/?lang=de"):
        assert gettext("Subscribe") == "Abonnieren"
        assert [ngettext("%(num)s talk", "%(num)s talks", number) for number in (1, 2)] == ["1 Vortrag", "2 Vorträge"]
    with app.test_request_context("/?lang=en"):
        assert gettext("Subscribe") == "Subscribe"
        assert [ngettext("%(num)s talk", "%(num)s talks", number) for number in (1, 2)] == ["1 talk", "2 talks"]


def test_untranslated_message_stays_unchanged() -> None:
    app = Flask("any")
    init_translations(app)
    with app.test_request_context("/?lang=de"):
        assert gettext("Nobody translated this: %(name)s", name="Ada") == "Nobody translated this: Ada"
