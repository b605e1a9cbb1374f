"""What was submitted to an event, by what becomes of it; those who decide choose here on what."""

from collections.abc import Mapping, Sequence

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.events.queries import get_reviewed_event
from eventcal.events.words import PUBLIC_STATUSES, Programme
from eventcal.kit.paging import Paging
from eventcal.talks.models import Talk
from eventcal.talks.rules import ORGANISERS_STEPS, WAITING
from eventcal.talks.steps import decides_on_talks, open_steps
from eventcal.talks.submissions import count_by_state, list_offered, submitted_at
from eventcal.talks.words import TalkState
from eventcal.web.identity.permissions import caller
from eventcal.web.pages.organise.layout import number_done, section_page
from eventcal.web.pages.organise.talk_labels import button_of, said_of, stage_in_words, talk_row
from eventcal.web.rendering.dates import at
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, signed_in
from eventcal.web.request.context import reading

_WAITS, _ALL = "waiting", "all"
_OFFERED = tuple(state for state in TalkState if state != TalkState.DRAFT)


@pages.get("/organise/<slug>")
@signed_in
def submissions(slug: str) -> Response:
    """Show what was submitted to an event: what waits, or what the query asks for (`state`, `q`)."""
    with reading() as session:
        return answer_page(_page(session, get_reviewed_event(session, slug, caller())))


def said_after_deciding() -> str | None:
    """Return what was just decided on how many talks, as the query has it."""
    done = request.args.get("done", "")
    number = number_done(done)
    return None if number is None else said_of(done, number)


def why_not(event: Event) -> str | None:
    """Return why the caller does not decide on the talks of an event; None where they do."""
    if decides_on_talks(event, caller()):
        return None
    if not caller().may_organise(event.id):
        return str(_("You review this event: you read what was submitted, and its organisers decide."))
    if event.programme == Programme.LISTED:
        return str(_("This event is listed here by the community: a moderator decides which of its talks are shown."))
    return str(_("A moderator removed this event's text: only a moderator decides on its talks now."))


def _page(session: Session, event: Event) -> Page:
    asked = request.args.get("state", _WAITS)
    asked = asked if asked in {_ALL, *_OFFERED} else _WAITS
    q = request.args.get("q", "").strip()
    found = list_offered(session, event, _states(asked), q=q, paging=Paging(cursor=request.args.get("cursor")))
    submitted = submitted_at(session, found.items)
    return section_page(
        event,
        template="submissions.html",
        title=_("Submissions"),
        asked=asked,
        q=q,
        filters=_filters(count_by_state(session, event)),
        talks=[
            talk_row(talk, submitted=at(submitted[talk.id], tzid=event.timezone), open=bool(open_steps(talk, caller())))
            for talk in found.items
        ],
        next=found.next,
        steps=_steps(found.items),
        why_not=why_not(event),
        is_public=event.status in PUBLIC_STATUSES,
        ticked=request.args.get("tick") == _ALL,
        nothing_ticked=request.args.get("done") == "nothing",
        done=said_after_deciding(),
    )


def _states(asked: str) -> Sequence[TalkState]:
    if asked == _WAITS:
        return tuple(WAITING)
    return _OFFERED if asked == _ALL else (TalkState(asked),)


def _filters(counts: Mapping[TalkState, int]) -> list[tuple[str, str, int]]:
    """Return what there is to choose from: what it is in the query, what it is called, how many talks there are."""
    waits = sum(counts.get(state, 0) for state in WAITING)
    each = [(state.value, stage_in_words(state), counts[state]) for state in _OFFERED if state in counts]
    return [(_WAITS, _("Waiting for a decision"), waits), *each, (_ALL, _("All of them"), sum(counts.values()))]


def _steps(talks: Sequence[Talk]) -> list[tuple[str, str]]:
    """Return the steps that some of these talks can take, each with what its button says."""
    possible = {step for talk in talks for step in open_steps(talk, caller())}
    return [(step.value, button_of(step)) for step in ORGANISERS_STEPS if step in possible]
