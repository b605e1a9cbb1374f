"""Sentences in the reader's language. Programs are told them in English, for those who write programs."""

from collections.abc import Iterable

from flask_babel import gettext

from eventcal.kit.refusals import Fault, Refusal, Sentence

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


def in_words(text: str) -> str:
    """Return a sentence in the language of the request under way; other text is what it is."""
    if not isinstance(text, Sentence):
        return text
    said = str(gettext(text.template))
    return said % {name: _value(value) for name, value in text.values.items()} if text.values else said


def _value(value: object) -> object:
    return in_words(value) if isinstance(value, str) else value


def refusal_in_words(refusal: Refusal) -> str:
    """Return why something is refused, as a person in front of a page needs it."""
    return said_to_people(refusal.code, refusal.detail)


def said_to_people(code: str, detail: str) -> str:
    """Return what a person is told of a refusal with this code, which tells programs this detail."""
    return in_words(_TO_PEOPLE.get(code, detail))


def faults_in_words(faults: Iterable[Fault]) -> list[tuple[str, str]]:
    """Return the faults of a query as a person reads them: the parameter, "" for the whole, and what is wrong."""
    return [(fault.pointer.removeprefix("?"), in_words(fault.detail)) for fault in faults]
