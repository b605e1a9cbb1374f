"""What words in addresses are called by people: kinds, countries, parameters."""

from flask_babel import gettext as _

from eventcal.web.i18n.locale import locale

# What a preview of a page has room for.
_SHORT = 200


def kind_in_words(kind: str) -> str:
    """Return what a kind of event or talk is called."""
    words: dict[str, str] = {
        "conference": _("Conference"),
        "meetup": _("Meetup"),
        "hackathon": _("Hackathon"),
        "workshop": _("Workshop"),
        "webinar": _("Webinar"),
        "talk": _("Talk"),
        "keynote": _("Keynote"),
        "lightning": _("Lightning talk"),
        "tutorial": _("Tutorial"),
        "panel": _("Panel"),
        "bof": _("Birds of a feather"),
        "poster": _("Poster"),
    }
    return words.get(kind, kind)


def country_in_words(code: str) -> str:
    """Return a country's name in the reader's language; its code where it has none."""
    return str(locale().territories.get(code.upper(), code))


def word_for(name: str) -> str:
    """Return what a parameter is called."""
    words: dict[str, str] = {
        "q": _("Words"),
        "from": _("From"),
        "to": _("Until"),
        "tag": _("Tag"),
        "kind": _("Kind"),
        "country": _("Country"),
        "city": _("City"),
        "event": _("Event"),
        "track": _("Track"),
        "room": _("Room"),
        "speaker": _("Speaker"),
        "language": _("Language"),
        "state": _("State"),
        "status": _("State"),
        "series": _("Series"),
        "cfp": _("Call for talks"),
        "scheduled": _("Has its times"),
        "updated_since": _("Changed since"),
        "sort": _("Order"),
        "cursor": _("Page"),
        "view": _("View"),
        "month": _("Month"),
        "show": _("Shown"),
    }
    return words.get(name, name)


def value_in_words(name: str, value: str) -> str:
    """Return what a value of a parameter is called."""
    if name == "kind":
        return kind_in_words(value)
    if name == "country":
        return country_in_words(value)
    return str(_("open now")) if (name, value) == ("cfp", "open") else value


def state_in_words(state: str) -> str:
    """Return the state of a talk in words, as its submitter reads it."""
    words: dict[str, str] = {
        "draft": _("Draft: only you see it"),
        "submitted": _("Submitted: it waits for a decision"),
        "waitlisted": _("On the waiting list"),
        "accepted": _("Accepted: please confirm it"),
        "confirmed": _("Confirmed"),
        "rejected": _("Rejected"),
        "withdrawn": _("Withdrawn"),
        "cancelled": _("Cancelled"),
    }
    return words.get(state, state)


def refused_code() -> str:
    """Return what is said of a code that is none."""
    return str(_("This code is wrong, too old, or was used before."))


def short(text: str) -> str:
    """Return the beginning of a text on one line, for a preview."""
    line = " ".join(text.split())
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1].rsplit(' ', 1)[0]}…"
