"""What the words of events, teams and sponsors are called by those who look after them."""

from typing import Any

from flask_babel import gettext as _

from eventcal.events.steps import EventStep
from eventcal.events.words import Attendance, EventKind, EventStatus, Programme, TalkKind, TeamRole
from eventcal.kit.localtime import usual_zones
from eventcal.sponsors.words import SponsorshipState
from eventcal.web.rendering.labels import kind_in_words

Choices = list[tuple[str, str]]


def status_in_words(status: EventStatus) -> str:
    """Return how far along an event is."""
    words = {
        EventStatus.DRAFT: _("Draft: only its team and moderators see it"),
        EventStatus.PENDING: _("Waits for a moderator to publish it"),
        EventStatus.TENTATIVE: _("Public, not certain yet"),
        EventStatus.CONFIRMED: _("Public, and takes place"),
        EventStatus.POSTPONED: _("Public, but postponed"),
        EventStatus.CANCELLED: _("Cancelled"),
    }
    return str(words[status])


def role_in_words(role: TeamRole) -> str:
    """Return what somebody is on a team."""
    words = {
        TeamRole.ORGANISER: _("Organiser"),
        TeamRole.REVIEWER: _("Reviewer"),
    }
    return str(words[role])


def sponsorship_in_words(state: SponsorshipState) -> str:
    """Return how far along a sponsorship is."""
    words = {
        SponsorshipState.ENQUIRY: _("Asked for"),
        SponsorshipState.CONFIRMED: _("Confirmed"),
        SponsorshipState.CANCELLED: _("Cancelled"),
    }
    return str(words[state])


def step_in_words(step: EventStep) -> str:
    """Return what the button of a step says."""
    words = {
        EventStep.PUBLISH: _("Publish"),
        EventStep.CANCEL: _("Cancel the event"),
        EventStep.DELETE: _("Delete the event"),
        EventStep.REDACT: _("Remove its text"),
    }
    return str(words[step])


def event_choices() -> dict[str, Any]:
    """Return what there is to choose from in the form of an event, by what its template calls it."""
    return {
        "kinds": [(kind.value, kind_in_words(kind)) for kind in EventKind],
        "programmes": [
            (Programme.CURATED.value, _("Curated")),
            (Programme.LISTED.value, _("Listed")),
        ],
        "attendances": [
            (Attendance.IN_PERSON.value, _("In person")),
            (Attendance.ONLINE.value, _("Online")),
            (Attendance.HYBRID.value, _("In person and online")),
        ],
        "talk_kinds": [(kind.value, kind_in_words(kind)) for kind in TalkKind],
        "zones": usual_zones(),
    }


def roles() -> Choices:
    """Return what somebody can be on a team, to choose from."""
    return [(role.value, role_in_words(role)) for role in TeamRole]
