"""Translation catalogues. Distributions contain compiled catalogues, and checkouts the source files."""

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.support import Translations

from eventcal.kit.errors import Message

# The first language is the default.
LANGUAGES = {"en": "English", "de": "Deutsch"}
# The code and the templates are written in the source language, which therefore has no catalogue.
SOURCE_LANGUAGE = "en"
DOMAIN = "messages"


def catalogue_path(code: str) -> Path:
    return Path(__file__).parents[1] / "translations" / code / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def load_translations(code: str) -> Translations:
    if code == SOURCE_LANGUAGE:
        return Translations()
    source = catalogue_path(code)
    compiled = compile_catalogue(source) if source.exists() else source.with_suffix(".mo").read_bytes()
    return Translations(BytesIO(compiled))


def compile_catalogue(source: Path) -> bytes:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, abort_invalid=True))
    return compiled.getvalue()


def translate(text: str, code: str) -> str:
    """Return the translation of a message into a language. Text that is not a message is returned unchanged."""
    if not isinstance(text, Message):
        return text
    said = str(load_translations(code).ugettext(text.template))
    values = {name: translate(one, code) if isinstance(one, str) else one for name, one in text.values.items()}
    return said % values if values else said
