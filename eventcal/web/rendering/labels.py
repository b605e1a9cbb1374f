"""Display names of kinds, countries, query parameters, talk states and team roles."""

from collections.abc import Mapping

from eventcal.events.enums import TeamRole
from eventcal.kit.errors import Message
from eventcal.web.i18n import current_locale, translate

_MAX_PREVIEW_LENGTH = 200

_KINDS = {
    "conference": Message("Conference"),
    "meetup": Message("Meetup"),
    "hackathon": Message("Hackathon"),
    "workshop": Message("Workshop"),
    "webinar": Message("Webinar"),
    "talk": Message("Talk"),
    "keynote": Message("Keynote"),
    "lightning": Message("Lightning talk"),
    "tutorial": Message("Tutorial"),
    "panel": Message("Panel"),
    "bof": Message("Birds of a feather"),
    "poster": Message("Poster"),
}
_PARAMETERS = {
    "q": Message("Words"),
    "from": Message("From"),
    "to": Message("Until"),
    "tag": Message("Tag"),
    "kind": Message("Kind"),
    "country": Message("Country"),
    "city": Message("City"),
    "event": Message("Event"),
    "track": Message("Track"),
    "room": Message("Room"),
    "speaker": Message("Speaker"),
    "language": Message("Language"),
    "state": Message("State"),
    "status": Message("State"),
    "series": Message("Series"),
    "cfp": Message("Call for talks"),
    "scheduled": Message("Has its times"),
    "updated_since": Message("Changed since"),
    "sort": Message("Order"),
    "cursor": Message("Page"),
    "view": Message("View"),
    "month": Message("Month"),
    "show": Message("Shown"),
    "tz": Message("Times in"),
    "profile": Message("Details"),
}
_SUBMITTER_TALK_STATES = {
    "draft": Message("Draft: only you see it"),
    "submitted": Message("Submitted: it waits for a decision"),
    "waitlisted": Message("On the waiting list"),
    "accepted": Message("Accepted: please confirm it"),
    "confirmed": Message("Confirmed"),
    "rejected": Message("Rejected"),
    "withdrawn": Message("Withdrawn"),
    "cancelled": Message("Cancelled"),
}
TEAM_ROLE_LABELS: Mapping[TeamRole, Message] = {
    TeamRole.ORGANISER: Message("Organiser"),
    TeamRole.REVIEWER: Message("Reviewer"),
}


def kind_label(kind: str) -> str:
    return translate(_KINDS.get(kind, kind))


def country_label(code: str) -> str:
    """Return the name of a country in the reader's language, or the code of an unknown country."""
    return str(current_locale().territories.get(code.upper(), code))


def parameter_label(name: str) -> str:
    return translate(_PARAMETERS.get(name, name))


def parameter_value_label(name: str, value: str) -> str:
    if name == "kind":
        return kind_label(value)
    if name == "country":
        return country_label(value)
    return translate(Message("open now")) if (name, value) == ("cfp", "open") else value


def submitter_talk_state_label(state: str) -> str:
    return translate(_SUBMITTER_TALK_STATES.get(state, state))


def shorten_for_preview(text: str) -> str:
    """Return the first words of a text as a single line for link previews."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_PREVIEW_LENGTH else f"{line[: _MAX_PREVIEW_LENGTH - 1].rsplit(' ', 1)[0]}…"
