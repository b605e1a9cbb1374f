"""The language of a request, and messages in it.

The language is what `lang` says, else what the reader chose, else what their browser asks for. Dates and numbers go
with it, and with the reader's country where it writes them otherwise. Pages are kept for each tag that there is here,
so these are few: English as in America, as everywhere else, and German. Programs are told messages in English, for
those who write programs.
"""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from urllib.parse import parse_qs

from babel import Locale
from babel.core import get_global
from flask import Flask, has_request_context, request
from flask_babel import Babel, Domain, gettext
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header, parse_cookie

from eventcal.kit.catalogue import DOMAIN, LANGUAGES, SOURCE, words_of
from eventcal.kit.refusals import Fault, Refusal, Sentence

ELSEWHERE = "en-GB"
"""English with the day before the month and 24 hours, for those who ask for that of any country but America."""

_COOKIE = "language"
_SAFE_COOKIE = f"__Host-{_COOKIE}"

_PARENTS = get_global("parent_exceptions")
_WORLD = "en_001"
_ANY = "*"
# What is said to a program speaks of headers and fields. A person has a page before them, and another way on.
_TO_PEOPLE = {
    "csrf": Sentence(
        "This form is too old, or was not sent from here. Go back, load its page again, and send it once more."
    ),
    "method-not-allowed": Sentence("This address does not take what was sent to it."),
    "not-confirmed": Sentence(
        "Show first that your e-mail address is yours: follow the link in the mail that you were sent."
    ),
    "not-signed-in": Sentence("This is only for members who are signed in."),
    "stale": Sentence("Somebody changed this in the meantime. Load the page again, and make your change once more."),
}


def start_language(app: Flask) -> None:
    """Have templates in `app` speak the language of each request."""
    babel = Babel(app, default_locale=SOURCE, default_domain=DOMAIN, locale_selector=locale)
    words = Domain(domain=DOMAIN)
    # What stands here, Flask-Babel does not look for in folders.
    words.cache.update({(str(_locale(tag)), DOMAIN): words_of(_code(tag)) for tag in (*LANGUAGES, ELSEWHERE)})
    babel.domain_instance = words
    app.add_template_filter(in_words)


def language() -> str:
    """Return the language of the request under way (BCP 47): one of LANGUAGES, or ELSEWHERE.

    It is the source's where there is no request, as in a command.
    """
    return language_of(request.environ) if has_request_context() else SOURCE


def language_of(environ: Mapping[str, str]) -> str:
    """Return the language (BCP 47) of a WSGI request: by `lang` in its query, by the reader's choice, by the browser.

    The choice is a cookie, and answers do not vary by Cookie for it: a cache asks each time for a page, with the
    reader's cookie, and hears whether what it has is the one that they would get (RFC 9111, 4.3).
    """
    return _language(environ["QUERY_STRING"], _chosen(environ), environ.get("HTTP_ACCEPT_LANGUAGE", ""))


def _chosen(environ: Mapping[str, str]) -> str:
    sent = environ.get("HTTP_COOKIE", "")
    if _COOKIE not in sent:
        return ""
    cookies = parse_cookie(sent)
    return cookies.get(_SAFE_COOKIE) or cookies.get(_COOKIE, "")


def cookie_name(*, https: bool) -> str:
    """Return what the cookie is called that keeps a reader's choice; it names nobody."""
    return _SAFE_COOKIE if https else _COOKIE


def locale() -> Locale:
    """Return how dates and numbers are written in the language of the request under way."""
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
    # Who chose a language by hand named no country: it is still the browser's to say.
    country = next((tag for tag in wanted if _known(tag) == code and _code(tag) != tag), code)
    return ELSEWHERE if _is_elsewhere(country) else code


def _wanted(header: str) -> list[str]:
    """Return the tags that the browser asks for, the most wanted first.

    The order is the reader's, from the top: who asks for Austrian German before English gets German. Werkzeug's
    `best_match` would give English, for that is the only one of the two that is ours to the letter.
    """
    accepted = parse_accept_header(header, LanguageAccept)
    return [tag for tag, quality in accepted if quality > 0 and tag != _ANY]


def _is_elsewhere(tag: str) -> bool:
    """Say whether a tag is English of a country that writes it as the world does, by what CLDR derives it from."""
    language, *rest = tag.replace("_", "-").split("-")
    country = next((part for part in rest if len(part) == 2), "").upper()  # noqa: PLR2004 - as ISO 3166-1 has them
    named = f"{language.lower()}_{country}"
    return named != _WORLD and _WORLD in (_PARENTS.get(named), _PARENTS.get(_PARENTS.get(named, "")))


def _known(tag: str) -> str | None:
    code = _code(tag).lower()
    return code if code in LANGUAGES else None


def in_words(text: str) -> str:
    """Return a sentence in the language of the request under way; other text is what it is."""
    if not isinstance(text, Sentence):
        return text
    said = str(gettext(text.template))
    values = {name: in_words(value) if isinstance(value, str) else value for name, value in text.values.items()}
    return said % values if values else said


def refusal_in_words(refusal: Refusal) -> str:
    """Return why something is refused, as a person in front of a page needs it."""
    return said_to_people(refusal.code, refusal.detail)


def said_to_people(code: str, detail: str) -> str:
    """Return what a person is told of a refusal with this code, which tells programs this detail."""
    return in_words(_TO_PEOPLE.get(code, detail))


def faults_in_words(faults: Iterable[Fault]) -> list[tuple[str, str]]:
    """Return the faults of a query as a person reads them: the parameter, "" for the whole, and what is wrong."""
    return [(fault.pointer.removeprefix("?"), in_words(fault.detail)) for fault in faults]
