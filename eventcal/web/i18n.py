"""Language negotiation and translation of messages.

The `lang` parameter of a request takes precedence over the language cookie and the Accept-Language header. Dates and
numbers are formatted for the country in the browser's language tag. To keep the page cache small, only three language
tags are supported: American English, other English, and German. API messages are always in English.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from urllib.parse import unquote_plus

from babel import Locale
from babel.core import get_global
from flask import Flask, has_request_context, request
from flask_babel import Babel, Domain, gettext
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header, parse_cookie

from eventcal.kit.bounded_cache import bounded_cache
from eventcal.kit.errors import DomainError, FieldError, Message
from eventcal.kit.text import truncate_list
from eventcal.kit.translations import DOMAIN, LANGUAGES, SOURCE_LANGUAGE, load_translations

# English with the day before the month and 24-hour times, for all countries except the United States.
INTERNATIONAL_ENGLISH = "en-GB"
# Longer language tags and Accept-Language headers are truncated.
_MAX_TAG_LENGTH, _MAX_ACCEPT_LANGUAGE_LENGTH = 35, 200
_LANG_ARG = re.compile("(?:^|&)lang=([^&]+)")
_COOKIE_NAME = "language"
_HOST_COOKIE_NAME = f"__Host-{_COOKIE_NAME}"
_PARENT_LOCALES = get_global("parent_exceptions")
_WORLD_ENGLISH = "en_001"
# Messages for web pages, by error code. Unlike API messages, messages for web pages do not mention headers or fields.
_PAGE_MESSAGES = {
    "csrf": Message(
        "This form is too old, or was not sent from here. Go back, load its page again, and send it once more."
    ),
    "method-not-allowed": Message("This address does not take what was sent to it."),
    "not-confirmed": Message(
        "Show first that your e-mail address is yours: follow the link in the mail that you were sent."
    ),
    "not-signed-in": Message("This is only for members who are signed in."),
    "passkey-refused": Message("This passkey was not taken. Try once more, or sign in with your password."),
    "stale": Message("Somebody changed this in the meantime. Load the page again, and make your change once more."),
}


def init_translations(app: Flask) -> None:
    babel = Babel(app, default_locale=SOURCE_LANGUAGE, default_domain=DOMAIN, locale_selector=current_locale)
    words = Domain(domain=DOMAIN)
    # Flask-Babel searches directories only for translation catalogues that the Domain object has not cached.
    for tag in (*LANGUAGES, INTERNATIONAL_ENGLISH):
        words.cache[str(parse_locale(tag)), DOMAIN] = load_translations(_language_subtag(tag))
    babel.domain_instance = words
    app.add_template_filter(translate)


def current_language() -> str:
    """Return the language tag (BCP 47) of the current request, or SOURCE_LANGUAGE outside of a request."""
    return preferred_language(request.environ) if has_request_context() else SOURCE_LANGUAGE


def current_language_code() -> str:
    """Return the code of the language of the current request, which is a key of LANGUAGES."""
    return _language_subtag(current_language())


def preferred_language(environ: Mapping[str, str]) -> str:
    """Return the language tag (BCP 47) from the `lang` parameter, the language cookie, or Accept-Language.

    Responses do not need `Vary: Cookie`, because caches must revalidate pages for each request (RFC 9111, section 4.3).
    The language cookie, which is sent with each conditional request, determines the language and thus the ETag.
    """
    query = environ["QUERY_STRING"]
    named = _LANG_ARG.search(query) if "lang=" in query else None
    accepted = truncate_list(environ.get("HTTP_ACCEPT_LANGUAGE", ""), _MAX_ACCEPT_LANGUAGE_LENGTH)
    return _negotiate_language(
        unquote_plus(named[1])[:_MAX_TAG_LENGTH] if named else "",
        _language_cookie(environ)[:_MAX_TAG_LENGTH],
        accepted,
    )


def _language_cookie(environ: Mapping[str, str]) -> str:
    sent = environ.get("HTTP_COOKIE", "")
    if _COOKIE_NAME not in sent:
        return ""
    cookies = parse_cookie(sent)
    return cookies.get(_HOST_COOKIE_NAME) or cookies.get(_COOKIE_NAME, "")


def language_cookie_name(*, https: bool) -> str:
    return _HOST_COOKIE_NAME if https else _COOKIE_NAME


def current_locale() -> Locale:
    return parse_locale(current_language())


@cache
def parse_locale(tag: str) -> Locale:
    return Locale.parse(tag, sep="-")


def _language_subtag(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0]


@bounded_cache(500_000)
def _negotiate_language(named: str, cookie_language: str, accept_language: str) -> str:
    tags = [named, cookie_language, *_parse_accept_language(accept_language)]
    code = next(filter(None, map(_find_supported_language, tags)), next(iter(LANGUAGES)))
    # A language that the user has selected has no country, so the country is taken from the browser's language tag.
    locale = next((tag for tag in tags if _find_supported_language(tag) == code and _language_subtag(tag) != tag), code)
    return INTERNATIONAL_ENGLISH if _is_international_english(locale) else code


def _parse_accept_language(header: str) -> list[str]:
    """Return the accepted language tags in order of preference.

    Werkzeug's `best_match` method prefers exact matches, so it would select English for "de-AT, en".
    """
    accepted = parse_accept_header(header, LanguageAccept)
    return [tag for tag, quality in accepted if quality > 0 and tag != "*"]


def _is_international_english(tag: str) -> bool:
    """Return whether CLDR derives the locale of a language tag from world English (en-001)."""
    language, *rest = tag.replace("_", "-").split("-")
    country = next((part for part in rest if len(part) == 2), "").upper()  # noqa: PLR2004 - the length of ISO 3166-1 codes
    named = f"{language.lower()}_{country}"
    return named != _WORLD_ENGLISH and _WORLD_ENGLISH in (
        _PARENT_LOCALES.get(named),
        _PARENT_LOCALES.get(_PARENT_LOCALES.get(named, "")),
    )


def _find_supported_language(tag: str) -> str | None:
    code = _language_subtag(tag).lower()
    return code if code in LANGUAGES else None


def translate(text: str) -> str:
    """Translate a Message into the language of the current request, or return any other string unchanged."""
    if not isinstance(text, Message):
        return text
    said = str(gettext(text.template))
    values = {name: translate(value) if isinstance(value, str) else value for name, value in text.values.items()}
    return said % values if values else said


def translate_error(error: DomainError | HTTPException) -> str:
    if isinstance(error, HTTPException):
        return translate(error.description or "")
    return page_error_message(error.code, error.detail)


def page_error_message(code: str, detail: str) -> str:
    """Return the message that pages display for an error code, by default the translation of `detail`."""
    return translate(_PAGE_MESSAGES.get(code, detail))


def translate_field_errors(errors: Iterable[FieldError]) -> list[tuple[str, str]]:
    """Return (parameter name, translated message) pairs. The name is empty if an error concerns several parameters."""
    return [(error.pointer.removeprefix("?"), translate(error.detail)) for error in errors]
