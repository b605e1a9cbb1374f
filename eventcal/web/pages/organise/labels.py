"""What the words of events, talks, teams and sponsors are called by those who look after them."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from flask_babel import gettext as _
from flask_babel import ngettext

from eventcal.events.steps import EventStep
from eventcal.events.words import EventKind, EventStatus, TalkKind, TeamRole
from eventcal.kit.localtime import usual_zones
from eventcal.kit.refusals import Sentence
from eventcal.sponsors.words import SponsorshipState
from eventcal.talks.models import Talk
from eventcal.talks.rules import STEPS, Step
from eventcal.talks.words import TalkState
from eventcal.web.i18n import in_words
from eventcal.web.rendering.forms import Choices
from eventcal.web.rendering.labels import kind_in_words

Word = TypeVar("Word", bound=StrEnum)

EVENT_STATUSES: Mapping[EventStatus, Sentence] = {
    EventStatus.DRAFT: Sentence("Draft: only its team and moderators see it"),
    EventStatus.PENDING: Sentence("Waits for a moderator to publish it"),
    EventStatus.TENTATIVE: Sentence("Public, not certain yet"),
    EventStatus.CONFIRMED: Sentence("Public, and takes place"),
    EventStatus.POSTPONED: Sentence("Public, but postponed"),
    EventStatus.CANCELLED: Sentence("Cancelled"),
}
EVENT_STEPS: Mapping[EventStep, Sentence] = {
    EventStep.PUBLISH: Sentence("Publish"),
    EventStep.CANCEL: Sentence("Cancel the event"),
    EventStep.DELETE: Sentence("Delete the event"),
    EventStep.REDACT: Sentence("Remove its text"),
}
TEAM_ROLES: Mapping[TeamRole, Sentence] = {
    TeamRole.ORGANISER: Sentence("Organiser"),
    TeamRole.REVIEWER: Sentence("Reviewer"),
}
SPONSORSHIP_STATES: Mapping[SponsorshipState, Sentence] = {
    SponsorshipState.ENQUIRY: Sentence("Asked for"),
    SponsorshipState.CONFIRMED: Sentence("Confirmed"),
    SponsorshipState.CANCELLED: Sentence("Cancelled"),
}
TALK_STATES: Mapping[TalkState, Sentence] = {
    TalkState.DRAFT: Sentence("Draft"),
    TalkState.SUBMITTED: Sentence("Submitted"),
    TalkState.WAITLISTED: Sentence("On the waiting list"),
    TalkState.ACCEPTED: Sentence("Accepted, not confirmed yet"),
    TalkState.CONFIRMED: Sentence("Confirmed"),
    TalkState.REJECTED: Sentence("Rejected"),
    TalkState.WITHDRAWN: Sentence("Withdrawn"),
    TalkState.CANCELLED: Sentence("Cancelled"),
}
TALK_STEPS: Mapping[Step, Sentence] = {
    Step.ACCEPT: Sentence("Accept"),
    Step.WAITLIST: Sentence("Put on the waiting list"),
    Step.REJECT: Sentence("Reject"),
    Step.CANCEL: Sentence("Cancel the talk"),
}


def choices(words: Mapping[Word, Sentence]) -> Choices:
    """Return words as the options of a field, each with what it is called."""
    return [(word.value, in_words(text)) for word, text in words.items()]


def event_choices() -> dict[str, Choices | Sequence[str]]:
    """Return what there is to choose from in the form of an event, by what its template calls it."""
    return {
        "kinds": [(kind.value, kind_in_words(kind)) for kind in EventKind],
        "talk_kinds": [(kind.value, kind_in_words(kind)) for kind in TalkKind],
        "zones": usual_zones(),
    }


def talk_row(talk: Talk, **values: object) -> dict[str, Any]:
    """Return the template variables of a talk: itself, its kind and its state in words, and `values`."""
    return {"talk": talk, "kind": kind_in_words(talk.kind), "state": in_words(TALK_STATES[talk.state]), **values}


def question_of(step: Step, number: int) -> str:
    """Return what is asked before a step is taken with so many talks."""
    words = {
        Step.ACCEPT: ngettext("Accept this talk?", "Accept these %(num)s talks?", number),
        Step.WAITLIST: ngettext(
            "Put this talk on the waiting list?", "Put these %(num)s talks on the waiting list?", number
        ),
        Step.REJECT: ngettext("Reject this talk?", "Reject these %(num)s talks?", number),
        Step.CANCEL: ngettext("Cancel this talk?", "Cancel these %(num)s talks?", number),
    }
    return str(words[step])


def refusal_of(step: Step, talk: Talk) -> str:
    """Return why a talk cannot take a step now: it is too far, or it is not any more what was looked at."""
    title, state = talk.title, in_words(TALK_STATES[talk.state])
    if talk.state in STEPS[step].sources:
        return str(_("“%(title)s” was changed meanwhile: look at it again before you decide.", title=title))
    words = {
        Step.ACCEPT: _("“%(title)s” cannot be accepted; it is by now: %(state)s.", title=title, state=state),
        Step.WAITLIST: _(
            "“%(title)s” cannot be put on the waiting list; it is by now: %(state)s.", title=title, state=state
        ),
        Step.REJECT: _("“%(title)s” cannot be rejected; it is by now: %(state)s.", title=title, state=state),
        Step.CANCEL: _("“%(title)s” cannot be cancelled; it is by now: %(state)s.", title=title, state=state),
    }
    return str(words[step])


def said_of(step: str, number: int) -> str | None:
    """Return what is said after a step was taken with so many talks; None for a word that is no step."""
    words: dict[str, str] = {
        Step.ACCEPT: ngettext("One talk is accepted.", "%(num)s talks are accepted.", number),
        Step.WAITLIST: ngettext("One talk is on the waiting list.", "%(num)s talks are on the waiting list.", number),
        Step.REJECT: ngettext("One talk is rejected.", "%(num)s talks are rejected.", number),
        Step.CANCEL: ngettext("One talk is cancelled.", "%(num)s talks are cancelled.", number),
    }
    return words.get(step)
