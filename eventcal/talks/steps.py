"""Use cases of the steps that a talk takes, each with its own name, all by the one table in rules.py."""

from datetime import datetime

from sqlalchemy.orm import Session

from eventcal.events.errors import ForbiddenStep
from eventcal.events.models import Event
from eventcal.events.queries import check_decides, complete_event
from eventcal.events.words import Programme
from eventcal.kit.catalogue import in_every_language
from eventcal.kit.refusals import Forbidden, Sentence
from eventcal.members.caller import Caller
from eventcal.members.models import Member
from eventcal.members.rules import check_moderator
from eventcal.members.service import check_confirmed
from eventcal.outbox.service import queue_mail
from eventcal.talks.derive import derive_talk
from eventcal.talks.models import Talk, TalkStep
from eventcal.talks.queries import is_own
from eventcal.talks.rules import SPEAKERS_STEPS, STEPS, Step
from eventcal.talks.service import check_window


def take_step(session: Session, talk: Talk, step: Step, *, caller: Caller, reason: str | None, now: datetime) -> Talk:
    """Take a talk one step on, note it in its history, and tell the submitter of an organiser's decision.

    Raises Forbidden where the step is not the caller's, ForbiddenStep where the talk's state has no such step,
    and for `submit` NotConfirmed and what check_window raises.
    """
    _check_step_is_theirs(talk, step, caller)
    detail = Sentence("A talk that is %(state)s cannot be %(done)s.", state=talk.state.described, done=_done(step))
    STEPS[step].check(talk.state, ForbiddenStep(detail))
    if step == Step.SUBMIT:
        check_confirmed(caller)
        complete_event(session, talk.event)
        check_window(talk.event, caller=caller, now=now)
    session.add(
        TalkStep(
            talk_id=talk.id,
            came_from=talk.state,
            went_to=STEPS[step].target,
            member_id=caller.member_id,
            reason=reason,
            taken_at=now,
        )
    )
    talk.state = STEPS[step].target
    derive_talk(talk, now=now)
    if step not in SPEAKERS_STEPS:
        _tell_submitter(session, talk, step, reason=reason, now=now)
    session.flush()
    return talk


def decision_mail(talk: Talk, step: Step, *, reason: str | None) -> tuple[str, str]:
    """Return the subject and the text by which a submitter hears of an organiser's decision.

    Which language they read is not known, so it is said in each.
    """
    about: dict[str, object] = {"title": talk.title, "done": _done(step)}
    subject = Sentence("%(title)s: %(done)s", **about)
    text = Sentence("“%(title)s” for %(event)s has been %(done)s.", event=talk.event.title, **about)
    said = [*in_every_language(text), *([reason] if reason else [])]
    return " / ".join(in_every_language(subject)), "\n\n".join(said)


def _done(step: Step) -> str:
    return Sentence("put on the waiting list") if step == Step.WAITLIST else STEPS[step].target.described


def _check_step_is_theirs(talk: Talk, step: Step, caller: Caller) -> None:
    if step in SPEAKERS_STEPS:
        if not is_own(talk, caller):
            raise Forbidden(Sentence("Only the speaker or whoever submitted this talk may do this."))
    else:
        check_decides_on_talks(talk.event, caller)


def check_decides_on_talks(event: Event, caller: Caller) -> None:
    """Refuse whoever does not decide which talks this event takes (Forbidden): of a listed one, a moderator does."""
    if event.programme == Programme.LISTED:
        check_moderator(caller)
    else:
        check_decides(event, caller)


def _tell_submitter(session: Session, talk: Talk, step: Step, *, reason: str | None, now: datetime) -> None:
    member = session.get(Member, talk.submitter_id) if talk.submitter_id else None
    if member is None or not member.active:
        return
    subject, text = decision_mail(talk, step, reason=reason)
    queue_mail(session, to=member.email, subject=subject, text=text, now=now)
