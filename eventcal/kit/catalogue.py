"""The words of every language but the one that code and templates are written in.

They stand in `translations/{language}/LC_MESSAGES/messages.po` and are read from there: there is no second file beside
it that could be older. `make words` brings it up to what is said.
"""

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from eventcal.kit.refusals import Sentence

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""What there is to read, each by its own name; the first is for whoever asks for none of them."""

SOURCE = "en"
"""The language that templates and code are written in: its words need no catalogue."""

DOMAIN = "messages"


def catalogue_path(code: str) -> Path:
    """Return where the words of a language stand."""
    return Path(__file__).parents[1] / "translations" / code / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def words_of(code: str) -> Translations:
    """Return the words of a language, ready to be asked for; those of the source language are what they are."""
    if code == SOURCE:
        return Translations()
    with catalogue_path(code).open("rb") as file:
        catalogue = read_po(file, locale=code, abort_invalid=True)
    ready = BytesIO()
    write_mo(ready, catalogue)
    ready.seek(0)
    return Translations(ready)


def in_every_language(text: str) -> list[str]:
    """Return a sentence in each language, for a reader whose own is not known; other text is what it is, once."""
    return list(dict.fromkeys(in_language(text, code) for code in LANGUAGES))


def in_language(text: str, code: str) -> str:
    """Return a sentence in a language; other text is what it is."""
    if not isinstance(text, Sentence):
        return text
    said = str(words_of(code).ugettext(text.template))
    values = {name: in_language(one, code) if isinstance(one, str) else one for name, one in text.values.items()}
    return said % values if values else said
