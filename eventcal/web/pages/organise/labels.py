"""Display names of statuses and actions on the pages for organisers."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from flask_babel import gettext as _
from flask_babel import ngettext

from eventcal.events.enums import EventKind, EventStatus, TalkKind
from eventcal.events.state_changes import EventAction
from eventcal.kit.errors import Message
from eventcal.kit.localtime import common_zones
from eventcal.sponsors.enums import SponsorshipState
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from eventcal.talks.rules import ACTION_SOURCES, TalkAction
from eventcal.web.i18n import translate
from eventcal.web.rendering.forms import Choices
from eventcal.web.rendering.labels import kind_label

EnumT = TypeVar("EnumT", bound=StrEnum)

EVENT_STATUS_LABELS: Mapping[EventStatus, Message] = {
    EventStatus.DRAFT: Message("Draft: only its team and moderators see it"),
    EventStatus.PENDING: Message("Waits for a moderator to publish it"),
    EventStatus.TENTATIVE: Message("Public, not certain yet"),
    EventStatus.CONFIRMED: Message("Public, and takes place"),
    EventStatus.POSTPONED: Message("Public, but postponed"),
    EventStatus.CANCELLED: Message("Cancelled"),
}
EVENT_STEP_LABELS: Mapping[EventAction, Message] = {
    EventAction.PUBLISH: Message("Publish"),
    EventAction.CANCEL: Message("Cancel the event"),
    EventAction.DELETE: Message("Delete the event"),
    EventAction.REDACT: Message("Remove its text"),
}
SPONSORSHIP_STATE_LABELS: Mapping[SponsorshipState, Message] = {
    SponsorshipState.ENQUIRY: Message("Asked for"),
    SponsorshipState.CONFIRMED: Message("Confirmed"),
    SponsorshipState.CANCELLED: Message("Cancelled"),
}
TALK_STATE_LABELS: Mapping[TalkState, Message] = {
    TalkState.DRAFT: Message("Draft"),
    TalkState.SUBMITTED: Message("Submitted"),
    TalkState.WAITLISTED: Message("On the waiting list"),
    TalkState.ACCEPTED: Message("Accepted, not confirmed yet"),
    TalkState.CONFIRMED: Message("Confirmed"),
    TalkState.REJECTED: Message("Rejected"),
    TalkState.WITHDRAWN: Message("Withdrawn"),
    TalkState.CANCELLED: Message("Cancelled"),
}
TALK_STEP_LABELS: Mapping[TalkAction, Message] = {
    TalkAction.ACCEPT: Message("Accept"),
    TalkAction.WAITLIST: Message("Put on the waiting list"),
    TalkAction.REJECT: Message("Reject"),
    TalkAction.CANCEL: Message("Cancel the talk"),
    TalkAction.REINSTATE: Message("Reinstate"),
}


def enum_choices(labels: Mapping[EnumT, Message]) -> Choices:
    return [(member.value, translate(label)) for member, label in labels.items()]


def event_form_choices() -> dict[str, Choices | Sequence[str]]:
    return {
        "kinds": [(kind.value, kind_label(kind)) for kind in EventKind],
        "talk_kinds": [(kind.value, kind_label(kind)) for kind in TalkKind],
        "zones": common_zones(),
    }


def talk_row(talk: Talk, **extra: object) -> dict[str, Any]:
    return {"talk": talk, "kind": kind_label(talk.kind), "state": translate(TALK_STATE_LABELS[talk.state]), **extra}


def step_confirmation_text(step: TalkAction, talk_count: int) -> str:
    questions = {
        TalkAction.ACCEPT: ngettext("Accept this talk?", "Accept these %(num)s talks?", talk_count),
        TalkAction.WAITLIST: ngettext(
            "Put this talk on the waiting list?", "Put these %(num)s talks on the waiting list?", talk_count
        ),
        TalkAction.REJECT: ngettext("Reject this talk?", "Reject these %(num)s talks?", talk_count),
        TalkAction.CANCEL: ngettext("Cancel this talk?", "Cancel these %(num)s talks?", talk_count),
        TalkAction.REINSTATE: ngettext("Reinstate this talk?", "Reinstate these %(num)s talks?", talk_count),
    }
    return str(questions[step])


def step_error_text(step: TalkAction, talk: Talk) -> str:
    """Return the reason why an action is not possible: the state of a talk, or a change by another user."""
    values = {"title": talk.title, "state": translate(TALK_STATE_LABELS[talk.state])}
    if talk.state in ACTION_SOURCES[step]:
        return str(_("“%(title)s” was changed meanwhile: look at it again before you decide.", title=talk.title))
    reasons = {
        TalkAction.ACCEPT: _("“%(title)s” cannot be accepted; it is by now: %(state)s.", **values),
        TalkAction.WAITLIST: _("“%(title)s” cannot be put on the waiting list; it is by now: %(state)s.", **values),
        TalkAction.REJECT: _("“%(title)s” cannot be rejected; it is by now: %(state)s.", **values),
        TalkAction.CANCEL: _("“%(title)s” cannot be cancelled; it is by now: %(state)s.", **values),
        TalkAction.REINSTATE: _("“%(title)s” cannot be reinstated; its state is now: %(state)s.", **values),
    }
    return str(reasons[step])


def find_step_success_message(step: str, talk_count: int) -> str | None:
    """Return the message that an action succeeded for `talk_count` talks, or None if the action is unknown."""
    messages: dict[str, str] = {
        TalkAction.ACCEPT: ngettext("One talk is accepted.", "%(num)s talks are accepted.", talk_count),
        TalkAction.WAITLIST: ngettext(
            "One talk is on the waiting list.", "%(num)s talks are on the waiting list.", talk_count
        ),
        TalkAction.REJECT: ngettext("One talk is rejected.", "%(num)s talks are rejected.", talk_count),
        TalkAction.CANCEL: ngettext("One talk is cancelled.", "%(num)s talks are cancelled.", talk_count),
        TalkAction.REINSTATE: ngettext("One talk is reinstated.", "%(num)s talks are reinstated.", talk_count),
    }
    return messages.get(step)
