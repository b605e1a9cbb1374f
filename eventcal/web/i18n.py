"""Language negotiation, and translation of messages.

The language of a request is its `lang` parameter, else the language cookie, else Accept-Language. The country of the
browser's language decides how dates and numbers are written. Pages are cached per language tag, so there are only
three: American English, other English, and German. API messages are always in English.
"""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from urllib.parse import parse_qs

from babel import Locale
from babel.core import get_global
from flask import Flask, has_request_context, request
from flask_babel import Babel, Domain, gettext
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header, parse_cookie

from eventcal.kit.catalogue import DOMAIN, LANGUAGES, SOURCE_LANGUAGE, load_translations
from eventcal.kit.refusals import DomainError, FieldError, Message

ELSEWHERE = "en-GB"
"""English with the day before the month and 24-hour times, for all countries except the United States."""

_COOKIE = "language"
_SAFE_COOKIE = f"__Host-{_COOKIE}"

_PARENTS = get_global("parent_exceptions")
_WORLD = "en_001"
_ANY = "*"
# API messages mention headers and fields. Pages show these messages instead, selected by error code.
_TO_PEOPLE = {
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


def start_language(app: Flask) -> None:
    """Set up translations in `app`, in the language of each request."""
    babel = Babel(app, default_locale=SOURCE_LANGUAGE, default_domain=DOMAIN, locale_selector=locale)
    words = Domain(domain=DOMAIN)
    # Flask-Babel does not look for catalogues in directories if they are in this cache.
    words.cache.update({(str(_locale(tag)), DOMAIN): load_translations(_code(tag)) for tag in (*LANGUAGES, ELSEWHERE)})
    babel.domain_instance = words
    app.add_template_filter(in_words)


def language() -> str:
    """Return the language of the current request (BCP 47): one of LANGUAGES, or ELSEWHERE.

    Without a request, as in a command, it is the language of the source texts.
    """
    return language_of(request.environ) if has_request_context() else SOURCE_LANGUAGE


def language_of(environ: Mapping[str, str]) -> str:
    """Return the language (BCP 47) of a WSGI request: `lang` in the query, the language cookie, or Accept-Language.

    Responses do not vary by Cookie: caches must revalidate pages for each request, and the reader's cookie, sent with
    the conditional request, decides which ETag is current (RFC 9111, 4.3).
    """
    return _language(environ["QUERY_STRING"], _chosen(environ), environ.get("HTTP_ACCEPT_LANGUAGE", ""))


def _chosen(environ: Mapping[str, str]) -> str:
    sent = environ.get("HTTP_COOKIE", "")
    if _COOKIE not in sent:
        return ""
    cookies = parse_cookie(sent)
    return cookies.get(_SAFE_COOKIE) or cookies.get(_COOKIE, "")


def cookie_name(*, https: bool) -> str:
    """Return the name of the cookie that stores the reader's language. It does not identify anyone."""
    return _SAFE_COOKIE if https else _COOKIE


def locale() -> Locale:
    """Return the locale for dates and numbers in the current request."""
    return _locale(language())


@cache
def _locale(tag: str) -> Locale:
    return Locale.parse(tag, sep="-")


def _code(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0]


@lru_cache(4096)
def _language(query: str, chosen: str, accepted: str) -> str:
    named = parse_qs(query).get("lang", [""])[0] if "lang=" in query else ""
    wanted = [named, chosen, *_wanted(accepted)]
    code = next(filter(None, map(_known, wanted)), next(iter(LANGUAGES)))
    # A language chosen by hand has no country, so use the country that the browser names with this language.
    country = next((tag for tag in wanted if _known(tag) == code and _code(tag) != tag), code)
    return ELSEWHERE if _is_elsewhere(country) else code


def _wanted(header: str) -> list[str]:
    """Return the language tags that the browser accepts, by preference.

    The reader's order decides: Austrian German before English selects German. Werkzeug's `best_match` would select
    English, because only English matches one of our tags exactly.
    """
    accepted = parse_accept_header(header, LanguageAccept)
    return [tag for tag, quality in accepted if quality > 0 and tag != _ANY]


def _is_elsewhere(tag: str) -> bool:
    """Return whether a tag is English of a country whose locale CLDR derives from world English (en-001)."""
    language, *rest = tag.replace("_", "-").split("-")
    country = next((part for part in rest if len(part) == 2), "").upper()  # noqa: PLR2004 - the length of ISO 3166-1 codes
    named = f"{language.lower()}_{country}"
    return named != _WORLD and _WORLD in (_PARENTS.get(named), _PARENTS.get(_PARENTS.get(named, "")))


def _known(tag: str) -> str | None:
    code = _code(tag).lower()
    return code if code in LANGUAGES else None


def in_words(text: str) -> str:
    """Return a message in the language of the current request; return other text unchanged."""
    if not isinstance(text, Message):
        return text
    said = str(gettext(text.template))
    values = {name: in_words(value) if isinstance(value, str) else value for name, value in text.values.items()}
    return said % values if values else said


def refusal_in_words(refusal: DomainError | HTTPException) -> str:
    """Return the message that pages show for an error."""
    if isinstance(refusal, HTTPException):
        return in_words(refusal.description or "")
    return said_to_people(refusal.code, refusal.detail)


def said_to_people(code: str, detail: str) -> str:
    """Return the message that pages show for an error code; by default it is the API's message, `detail`."""
    return in_words(_TO_PEOPLE.get(code, detail))


def faults_in_words(faults: Iterable[FieldError]) -> list[tuple[str, str]]:
    """Return the errors of a query as pairs of the parameter ("" for the whole query) and the message."""
    return [(fault.pointer.removeprefix("?"), in_words(fault.detail)) for fault in faults]
