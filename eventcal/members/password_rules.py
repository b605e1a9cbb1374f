"""Rules for new passwords."""

import gzip
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from eventcal.kit.errors import Message

MIN_LENGTH, MAX_LENGTH = 8, 128

_COMMON_PASSWORDS = Path(__file__).with_name("common_passwords.txt.gz")
_LENGTH_ERROR = Message("must have %(least)s to %(most)s characters", least=MIN_LENGTH, most=MAX_LENGTH)
_COMMON_ERROR = Message("is one of the most common passwords; choose another one")
_PERSONAL_ERROR = Message("must not be your name, your email address or the name of the calendar")


def normalise_password(password: str) -> str:
    """Return the password in Unicode NFKD, which does not depend on how a keyboard composes characters."""
    return unicodedata.normalize("NFKD", password)


def password_errors(password: str, *, personal_texts: Iterable[str]) -> list[Message]:
    """Return the errors of a new, normalised password.

    `personal_texts` are the names and email addresses that are tried first when the password of a person is guessed. A
    password must not consist of such a text or one of its words, also if the password differs in case, spaces,
    punctuation or digits at the end.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return [_LENGTH_ERROR]
    if password.casefold() in _common_passwords():
        return [_COMMON_ERROR]
    return [_PERSONAL_ERROR] if _simplify(password) in _guesses(personal_texts) else []


def _guesses(personal_texts: Iterable[str]) -> set[str]:
    words = {word for text in personal_texts for word in (text, text.partition("@")[0], *re.split(r"[\W_]+", text))}
    return {_simplify(word) for word in words} - {""}


def _simplify(text: str) -> str:
    letters = "".join(letter for letter in normalise_password(text).casefold() if letter.isalnum())
    return letters.rstrip("0123456789")


@cache
def _common_passwords() -> frozenset[str]:
    """Return the 10,000 most frequent passwords of at least 8 characters, in lower case."""
    return frozenset(gzip.decompress(_COMMON_PASSWORDS.read_bytes()).decode().splitlines())
