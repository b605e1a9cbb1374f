"""What the states and steps of talks are called by those who decide on them, and what each step means."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from eventcal.events.words import Programme
from eventcal.talks.models import Talk
from eventcal.talks.rules import STEPS, Step
from eventcal.talks.words import TalkState
from eventcal.web.rendering.labels import kind_in_words


def stage_in_words(state: TalkState) -> str:
    """Return how far along a talk is, as those who decide read it."""
    words = {
        TalkState.DRAFT: _("Draft"),
        TalkState.SUBMITTED: _("Submitted"),
        TalkState.WAITLISTED: _("On the waiting list"),
        TalkState.ACCEPTED: _("Accepted, not confirmed yet"),
        TalkState.CONFIRMED: _("Confirmed"),
        TalkState.REJECTED: _("Rejected"),
        TalkState.WITHDRAWN: _("Withdrawn"),
        TalkState.CANCELLED: _("Cancelled"),
    }
    return str(words[state])


def talk_row(talk: Talk, **values: object) -> dict[str, Any]:
    """Return the template variables of a talk: itself, its kind and its state in words, and `values`."""
    return {"talk": talk, "kind": kind_in_words(talk.kind), "state": stage_in_words(talk.state), **values}


def button_of(step: Step) -> str:
    """Return what the button of a step says."""
    words = {
        Step.ACCEPT: _("Accept"),
        Step.WAITLIST: _("Put on the waiting list"),
        Step.REJECT: _("Reject"),
        Step.CANCEL: _("Cancel the talk"),
    }
    return str(words[step])


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


def meaning_of(step: Step, programme: Programme) -> str:
    """Return what becomes of a talk by a step."""
    listed = programme == Programme.LISTED
    words = {
        Step.ACCEPT: _("Everybody sees an accepted talk of this event at once, in calendars too.")
        if listed
        else _("Whoever submitted it is asked to confirm it; once confirmed, a talk is in the programme."),
        Step.WAITLIST: _("A talk on the waiting list can still be accepted or rejected later."),
        Step.REJECT: _("A rejected talk stays rejected: you cannot take this back."),
        Step.CANCEL: _(
            "A cancelled talk stays cancelled: you cannot take this back. If it is public, everybody sees it as "
            "cancelled, in calendars too."
        ),
    }
    return str(words[step])


def refusal_of(step: Step, talk: Talk) -> str:
    """Return why a talk cannot take a step now: it is too far, or it is not any more what was looked at."""
    title, state = talk.title, stage_in_words(talk.state)
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
    words = {
        Step.ACCEPT: ngettext("One talk is accepted.", "%(num)s talks are accepted.", number),
        Step.WAITLIST: ngettext("One talk is on the waiting list.", "%(num)s talks are on the waiting list.", number),
        Step.REJECT: ngettext("One talk is rejected.", "%(num)s talks are rejected.", number),
        Step.CANCEL: ngettext("One talk is cancelled.", "%(num)s talks are cancelled.", number),
    }
    return next((str(said) for word, said in words.items() if word == step), None)
