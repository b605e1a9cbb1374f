"""API views under /api/v1/talks and /api/v1/events/{slug}/talks: list, read, submit, edit and decide on talks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, request
from orjson import Fragment
from sqlalchemy.orm import Session
from werkzeug.exceptions import PreconditionRequired

from eventcal.events.errors import EventEnded, InvalidTransition
from eventcal.events.filter import Filter
from eventcal.events.queries import get_event
from eventcal.feeds.feed_titles import check_event_visible
from eventcal.feeds.resources import list_talk_json
from eventcal.kit.paging import Page
from eventcal.kit.refusals import DomainError, Forbidden, VersionConflict
from eventcal.members.errors import EmailNotConfirmed, NotSignedIn
from eventcal.members.rules import check_reviewer
from eventcal.members.words import Scope
from eventcal.talks import service
from eventcal.talks.errors import AlreadyDecided, TalksClosed
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk, is_public, list_submissions
from eventcal.talks.rules import TalkAction
from eventcal.talks.steps import apply_talk_action
from eventcal.talks.words import TalkState
from eventcal.web.api.blueprint import ApiBlueprint, Mark
from eventcal.web.api.pagination import serve_list
from eventcal.web.api.responses import Content, cached, check_version, json_response, resource
from eventcal.web.identity.current_user import caller, current_member
from eventcal.web.identity.permissions import member, moderator, organiser, public
from eventcal.web.params.listing_filters import ListingQuerySchema, read_listing
from eventcal.web.request.context import links, now, reading, unit_of_work
from eventcal.web.schemas.talks import StepIn, TalkIn, TalkOut, TalkPatch, talk_json

talks = ApiBlueprint("talks", "Talks at events, and their state changes")

# States that only the speakers and the organisers may see. The other states are public.
_WAITING = frozenset(TalkState) - {TalkState.ACCEPTED, TalkState.CONFIRMED, TalkState.CANCELLED}


@talks.get("/talks", public, documented_query=ListingQuerySchema, lists=TalkOut)
def list_all() -> Response:
    """List public talks."""
    return serve_list(read_listing(request.args), list_talk_json, Fragment, to_all=True)


@talks.get(
    "/events/<slug>/talks", public, documented_query=ListingQuerySchema, lists=TalkOut, refuses=[NotSignedIn, Forbidden]
)
def list_of_event(slug: str) -> Response:
    """List an event's public talks.

    Organisers and reviewers can list submissions with `state=submitted,…`. They get every talk in these states,
    public or not, with its actual state.
    """
    asked = read_listing(request.args)
    # A query for another event matches nothing.
    within = replace(asked.filter, events=(slug,) if slug in (asked.filter.events or (slug,)) else ("",))
    if asked.filter.states and _may_review(slug, asked.filter.states):
        return serve_list(
            asked,
            list_submissions,
            lambda talk: talk_json(talk, links(), state=talk.state),
            within=within,
            public=False,
        )

    def read_there(session: Session, *wanted: Filter, **paged: Any) -> Page[str]:  # noqa: ANN401 - as talk_resources
        check_event_visible(session, slug, caller())
        return list_talk_json(session, *wanted, **paged)

    return serve_list(asked, read_there, Fragment, within=within)


def _may_review(slug: str, states: tuple[str, ...]) -> bool:
    """Return whether the caller may review an event's talks. Raises an error if these states are for reviewers only."""
    with reading() as session:
        event = get_event(session, slug, caller())
    if _WAITING & set(states):
        check_reviewer(caller(), event.id)
    return caller().can_review(event.id)


@talks.get("/talks/<talk_id>", public, returns=TalkOut)
@cached
def read(session: Session, talk_id: str) -> Content:
    """Return a talk."""
    talk = get_talk(session, talk_id, caller())
    return resource(talk_json(talk, links()), revision=talk.revision, public=is_public(talk))


@talks.post(
    "/events/<slug>/talks",
    member(Scope.SUBMIT),
    body=TalkIn,
    creates=TalkOut,
    refuses=[TalksClosed, EventEnded, EmailNotConfirmed],
)
def submit(fields: dict[str, Any], slug: str) -> Response:
    """Submit a talk to an event. With `draft: true`, only the submitter sees it until `/submit`."""
    with unit_of_work() as session:
        event = get_event(session, slug, caller())
        member_row = current_member(session)
        talk = service.submit_talk(session, event, fields, member=member_row, caller=caller(), now=now())
    return _answer(talk, 201, location=links().talk(talk.id))


@talks.patch(
    "/talks/<talk_id>",
    member(Scope.SUBMIT),
    body=TalkPatch,
    returns=TalkOut,
    refuses=[Forbidden, AlreadyDecided, PreconditionRequired, VersionConflict],
)
def edit(fields: dict[str, Any], talk_id: str) -> Response:
    """Change a talk (JSON merge patch). `If-Match` is required. The submitter can edit until a decision is made."""
    with unit_of_work() as session:
        talk = get_talk(session, talk_id, caller())
        service.check_can_edit_talk(talk, caller())
        check_version(talk.revision)
        service.edit_talk(session, talk, fields, caller=caller(), now=now())
    return _answer(talk)


# Errors of a state change besides InvalidTransition and Forbidden.
_ALSO: Mapping[TalkAction, tuple[type[DomainError], ...]] = {
    TalkAction.SUBMIT: (TalksClosed, EventEnded, EmailNotConfirmed)
}


def _step(step: TalkAction, mark: Mark, says: str) -> None:
    """Register the route of one state change."""

    def view(fields: dict[str, Any], talk_id: str) -> Response:
        with unit_of_work() as session:
            talk = get_talk(session, talk_id, caller())
            apply_talk_action(session, talk, step, caller=caller(), reason=fields.get("reason"), now=now())
        return _answer(talk)

    view.__name__, view.__doc__ = step.value, says
    refuses: list[type[DomainError]] = [InvalidTransition, Forbidden, *_ALSO.get(step, ())]
    rule = f"/talks/<talk_id>/{step.value}"
    talks.post(rule, mark, optional_body=StepIn, returns=TalkOut, refuses=refuses)(view)


_step(TalkAction.SUBMIT, member(Scope.SUBMIT), "Submit a draft.")
_step(TalkAction.WITHDRAW, member(Scope.SUBMIT), "Withdraw a talk. If it is public, it is shown as cancelled.")
_step(TalkAction.CONFIRM, member(Scope.SUBMIT), "Confirm an accepted talk, as a speaker.")
_step(
    TalkAction.ACCEPT,
    organiser(),
    "Accept a talk. At a listed event, a moderator does this, and it publishes the talk.",
)
_step(TalkAction.REJECT, organiser(), "Reject a talk.")
_step(TalkAction.WAITLIST, organiser(), "Put a talk on the waiting list.")
_step(TalkAction.CANCEL, organiser(), "Cancel an accepted talk. If it is public, it is shown as cancelled.")


@talks.post("/talks/<talk_id>/redact", moderator, returns=TalkOut)
def redact(talk_id: str) -> Response:
    """Erase a talk's text. A placeholder stays public."""
    with unit_of_work() as session:
        talk = service.redact_talk(session, get_talk(session, talk_id, caller()), caller=caller(), now=now())
    return _answer(talk)


def _answer(talk: Talk, status: int = 200, *, location: str | None = None) -> Response:
    return json_response(talk_json(talk, links()), status, location=location, revision=talk.revision)
