"""What becomes of a member's talks, in words: what each waits for, and what comes next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flask_babel import gettext as _

from eventcal.events.words import EventStatus, Programme
from eventcal.talks.models import Talk
from eventcal.talks.queries import is_public
from eventcal.talks.words import TalkState
from eventcal.web.rendering.labels import state_in_words

_OVER = "over"
# What talks wait for, by their state; the rest are over.
_WAITS: Mapping[TalkState, str] = {
    TalkState.ACCEPTED: "confirm",
    TalkState.DRAFT: "draft",
    TalkState.SUBMITTED: "decision",
    TalkState.WAITLISTED: "decision",
    TalkState.CONFIRMED: "programme",
}


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a talk stands: its state, the reason for it if one was given, and what comes next, in words."""

    talk: Talk
    state: str
    reason: str | None
    next: str
    to_confirm: bool


def progress_of(talk: Talk, reason: str | None, *, now: datetime) -> Progress:
    """Return where a talk stands at `now`; its event must be loaded."""
    waits = _waits_for(talk, now)
    return Progress(
        talk=talk,
        state=state_in_words(talk.state),
        reason=reason,
        next=_next_in_words(talk, over=waits == _OVER),
        to_confirm=waits == "confirm",
    )


def grouped(
    talks: Iterable[Talk], reasons: Mapping[str, str], *, now: datetime
) -> list[tuple[str, Sequence[Progress]]]:
    """Return talks by what they wait for, each group with its heading, first what waits for the member themselves."""
    titles = {
        "confirm": _("To be confirmed by you"),
        "draft": _("Drafts"),
        "decision": _("Waiting for a decision"),
        "programme": _("In the programme"),
        _OVER: _("Over"),
    }
    found: dict[str, list[Progress]] = {waits: [] for waits in titles}
    for talk in talks:
        found[_waits_for(talk, now)].append(progress_of(talk, reasons.get(talk.id), now=now))
    return [(title, found[waits]) for waits, title in titles.items() if found[waits]]


def _waits_for(talk: Talk, now: datetime) -> str:
    # By days, as lists count them.
    past = talk.last_day < now.astimezone(UTC).date().isoformat()
    return _OVER if past or talk.event.status == EventStatus.CANCELLED else _WAITS.get(talk.state, _OVER)


def _next_in_words(talk: Talk, *, over: bool) -> str:
    if over and talk.state in _WAITS:
        off = talk.event.status == EventStatus.CANCELLED
        return _("The event was called off, and this talk with it.") if off else _("The event is over.")
    listed, public = talk.event.programme == Programme.LISTED, is_public(talk)
    words: Mapping[TalkState, str] = {
        TalkState.DRAFT: _("Submit it as long as talks are taken; until then nobody decides on it."),
        TalkState.SUBMITTED: _("A moderator looks at it, and publishes it if it fits; you need not do anything.")
        if listed
        else _("The organisers decide on it; what they decide stands here. You need not do anything."),
        TalkState.WAITLISTED: _("If a place becomes free, it can still be accepted. You need not do anything."),
        TalkState.ACCEPTED: _("Everybody can see it. Confirm that you will give it, or withdraw it.")
        if listed
        else _("Confirm that you will give it: only then it is in the programme."),
        TalkState.CONFIRMED: _("Everybody can see it. If you cannot give it after all, withdraw it.")
        if public
        else _("Everybody will see it once the event is public."),
        TalkState.REJECTED: _("It was not taken this time; you can submit it to another event."),
        TalkState.CANCELLED: _("The organisers called it off; who has it in the calendar sees it as cancelled.")
        if public
        else _("The organisers called it off."),
        TalkState.WITHDRAWN: _("You took it back; who has it in the calendar sees it as cancelled.")
        if public
        else _("You took it back; nobody decides on it any more."),
    }
    return words[talk.state]
