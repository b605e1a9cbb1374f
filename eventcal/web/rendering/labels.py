"""Display names of kinds, countries, query parameters and talk states."""

from eventcal.kit.refusals import Sentence
from eventcal.web.i18n import in_words, locale

# The maximum length of a preview text, in characters.
_SHORT = 200

_KINDS = {
    "conference": Sentence("Conference"),
    "meetup": Sentence("Meetup"),
    "hackathon": Sentence("Hackathon"),
    "workshop": Sentence("Workshop"),
    "webinar": Sentence("Webinar"),
    "talk": Sentence("Talk"),
    "keynote": Sentence("Keynote"),
    "lightning": Sentence("Lightning talk"),
    "tutorial": Sentence("Tutorial"),
    "panel": Sentence("Panel"),
    "bof": Sentence("Birds of a feather"),
    "poster": Sentence("Poster"),
}
_PARAMETERS = {
    "q": Sentence("Words"),
    "from": Sentence("From"),
    "to": Sentence("Until"),
    "tag": Sentence("Tag"),
    "kind": Sentence("Kind"),
    "country": Sentence("Country"),
    "city": Sentence("City"),
    "event": Sentence("Event"),
    "track": Sentence("Track"),
    "room": Sentence("Room"),
    "speaker": Sentence("Speaker"),
    "language": Sentence("Language"),
    "state": Sentence("State"),
    "status": Sentence("State"),
    "series": Sentence("Series"),
    "cfp": Sentence("Call for talks"),
    "scheduled": Sentence("Has its times"),
    "updated_since": Sentence("Changed since"),
    "sort": Sentence("Order"),
    "cursor": Sentence("Page"),
    "view": Sentence("View"),
    "month": Sentence("Month"),
    "show": Sentence("Shown"),
    "tz": Sentence("Times in"),
    "profile": Sentence("Details"),
}
_STATES = {
    "draft": Sentence("Draft: only you see it"),
    "submitted": Sentence("Submitted: it waits for a decision"),
    "waitlisted": Sentence("On the waiting list"),
    "accepted": Sentence("Accepted: please confirm it"),
    "confirmed": Sentence("Confirmed"),
    "rejected": Sentence("Rejected"),
    "withdrawn": Sentence("Withdrawn"),
    "cancelled": Sentence("Cancelled"),
}


def kind_in_words(kind: str) -> str:
    """Return the display name of an event or talk kind."""
    return in_words(_KINDS.get(kind, kind))


def country_in_words(code: str) -> str:
    """Return the name of a country in the reader's language, or its code if the name is unknown."""
    return str(locale().territories.get(code.upper(), code))


def word_for(name: str) -> str:
    """Return the display name of a query parameter."""
    return in_words(_PARAMETERS.get(name, name))


def value_in_words(name: str, value: str) -> str:
    """Return the display text for a value of a query parameter."""
    if name == "kind":
        return kind_in_words(value)
    if name == "country":
        return country_in_words(value)
    return in_words(Sentence("open now")) if (name, value) == ("cfp", "open") else value


def state_in_words(state: str) -> str:
    """Return the state of a talk as displayed to its submitter."""
    return in_words(_STATES.get(state, state))


def short(text: str) -> str:
    """Return the beginning of a text as a single line, for link previews."""
    line = " ".join(text.split())
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1].rsplit(' ', 1)[0]}…"
