"""The language of a page: what the reader's browser asks for, or what `lang` says; dates and numbers go with it."""

from babel import Locale
from flask import Flask, request
from flask_babel import Babel

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""What pages are written in, each by its own name; the first is for whoever asks for none of them."""


def start_language(app: Flask) -> None:
    """Have templates in `app` speak the language of each request."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=language)


def language() -> str:
    """Return the language of the request under way (BCP 47)."""
    wanted = request.args.get("lang")
    if wanted in LANGUAGES:
        return str(wanted)
    return request.accept_languages.best_match(LANGUAGES, default=next(iter(LANGUAGES)))


def locale() -> Locale:
    """Return how dates and numbers are written in the language of the request under way."""
    return Locale.parse(language())
