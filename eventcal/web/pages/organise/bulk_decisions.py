"""Deciding on talks: first what will happen, then it does; on several at once, with all of them or with none."""

from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from urllib.parse import quote, urlencode

from flask import redirect, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.events.queries import get_reviewed_event
from eventcal.kit.paging import LARGEST_LIMIT
from eventcal.kit.refusals import Fault, Invalid, NotFound, Refusal, Sentence, refuse_faults
from eventcal.talks.errors import NoSuchTalk, SomeRefused
from eventcal.talks.models import Talk
from eventcal.talks.rules import ORGANISERS_STEPS, STEPS, Step
from eventcal.talks.steps import Choice, check_decides_on_talks, decide, decision_mail
from eventcal.talks.submissions import find_offered, who_is_told
from eventcal.web.http.urls import with_query
from eventcal.web.identity.permissions import caller
from eventcal.web.pages.organise.layout import section_page
from eventcal.web.pages.organise.talk_labels import button_of, meaning_of, question_of, refusal_of, talk_row
from eventcal.web.rendering.forms import Form, faults_of, lines, load, typed_again
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, handle_form, signed_in
from eventcal.web.request.context import now, reading, settings, unit_of_work
from eventcal.web.schemas.talks import StepIn

_REASON = StepIn()
# What the page asked for from which somebody came, so that it is there again afterwards.
_WAY_BACK = ("state", "q", "back")


@pages.get("/organise/<slug>/decide")
@signed_in
def deciding(slug: str) -> Response:
    """Show what will happen if the step of the query (`do`) is taken with its talks (`talk`), and ask for a reason."""
    step = _step(request.args.get("do", ""))
    with reading() as session:
        event = _decided_event(session, slug)
        talks = _talks(session, event, request.args.getlist("talk"))
        if not talks:
            return redirect(_back(slug, request.args, done="nothing"), HTTPStatus.SEE_OTHER)
        refused = [refusal_of(step, talk) for talk in talks if talk.id not in _able(talks, step) or _is_stale(talk)]
        form = Form(faults={"": refused} if refused else {})
        page = _page(session, event, step, talks, ticked=_able(talks, step), form=form)
        return answer_page(page, status=HTTPStatus.CONFLICT if refused else HTTPStatus.OK)


@pages.post("/organise/<slug>/decide")
@signed_in
def decide_now(slug: str) -> Response:
    """Take the step with the talks that are ticked, or with none; the reason goes to whoever submitted them."""
    step = _step(request.form.get("do", ""))

    def process() -> str:
        with unit_of_work() as session:
            number = _decide(session, _decided_event(session, slug), step)
        return _back(slug, request.form, done=step.value, number=str(number))

    return handle_form(process, render_form=partial(_render_error, slug, step))


def _decide(session: Session, event: Event, step: Step) -> int:
    """Take the step with what is ticked, and return with how many talks. Raises Invalid, SomeRefused."""
    talks = _talks(session, event, request.form.getlist("talk"))
    fields, faults = load(_REASON, {"reason": lines(request.form.get("reason", "")).strip() or None})
    if not talks:
        faults.append(Fault("", _("Choose at least one talk.")))
    refuse_faults(faults)
    choices = [Choice(talk, request.form.get(_seen(talk), "")) for talk in talks]
    decide(session, choices, step, caller=caller(), reason=fields["reason"], now=now())
    return len(talks)


def _render_error(slug: str, step: Step, session: Session, error: Refusal) -> Page:
    """Return the same page, with the reason, and those of the selected talks selected that can still take the step."""
    event = _decided_event(session, slug)
    chosen = request.form.getlist("talk")
    talks = _talks(session, event, request.form.getlist("shown") or chosen)
    refused = [talk for talk in talks if isinstance(error, SomeRefused) and talk.id in error.refused]
    faults = [Fault("", refusal_of(step, talk)) for talk in refused] or faults_of(error)
    typed = request.form.copy()
    for talk in refused:
        # The page shows their current state, so the next decision is about that.
        typed.setlist(_seen(talk), [str(talk.revision)])
    ticked = _able(talks, step) & set(chosen)
    return _page(session, event, step, talks, ticked=ticked, form=typed_again(typed, faults))


def _step(word: str) -> Step:
    found = next((step for step in ORGANISERS_STEPS if step == word), None)
    if found is None:
        raise NotFound(Sentence("There is no such step."))
    return found


def _decided_event(session: Session, slug: str) -> Event:
    event = get_reviewed_event(session, slug, caller())
    check_decides_on_talks(event, caller())
    return event


def _talks(session: Session, event: Event, talk_ids: Sequence[str]) -> list[Talk]:
    """Return the talks of this event by these ids. Raises NoSuchTalk, and Invalid for more than a page can hold."""
    if len(talk_ids) > LARGEST_LIMIT:
        raise Invalid(Sentence("Decide on at most %(most)s talks at once.", most=LARGEST_LIMIT))
    talks = find_offered(session, event, talk_ids)
    missing = set(talk_ids) - {talk.id for talk in talks}
    if missing:
        raise NoSuchTalk(min(missing))
    return talks


def _able(talks: Sequence[Talk], step: Step) -> set[str]:
    return {talk.id for talk in talks if talk.state in STEPS[step].sources}


def _seen(talk: Talk) -> str:
    """Return the name of the field for the revision of a talk that was looked at."""
    return f"seen-{talk.id}"


def _is_stale(talk: Talk) -> bool:
    """Say whether a talk has changed since somebody looked at the page from where they come."""
    return request.args.get(_seen(talk), str(talk.revision)) != str(talk.revision)


def _back(slug: str, asked: Mapping[str, str], **said: str) -> str:
    """Return the page from where the decision was asked for, with what is said there."""
    if asked.get("back") == "talk" and "talk" in asked:
        kept, path = {}, f"/organise/{slug}/talks/{quote(asked['talk'], safe='')}"
    else:
        kept, path = {name: asked[name] for name in ("state", "q") if asked.get(name)}, f"/organise/{slug}"
    return with_query(path, urlencode(kept | said))


def _page(session: Session, event: Event, step: Step, talks: Sequence[Talk], *, ticked: set[str], form: Form) -> Page:
    able = [talk for talk in talks if talk.id in _able(talks, step)]
    told = who_is_told(session, able)
    asked = request.values
    return section_page(
        event,
        template="decide.html",
        title=question_of(step, len(able) or len(talks)),
        within=True,
        step=step.value,
        button=button_of(step),
        meaning=meaning_of(step, event.programme),
        talks=[talk_row(talk, able=talk in able, seen=form.value(_seen(talk)) or str(talk.revision)) for talk in talks],
        ticked=ticked,
        can_do=bool(able),
        told=len(told),
        untold=len(able) - len(told),
        mail=next((decision_mail(talk, step, reason=None) for talk in able if talk.id in told), None),
        sends_mail=settings().mail_url is not None,
        way_back=[(name, asked[name]) for name in _WAY_BACK if asked.get(name)],
        leads_back=_back(event.slug, asked),
        form=form,
    )
