"""API views under /api/v1/talks and /api/v1/events/{slug}/talks: list, read, submit, edit and decide on talks."""

from dataclasses import replace
from functools import partial
from typing import Any

from flask import Response, request
from orjson import Fragment
from sqlalchemy.orm import Session

from eventcal.events.errors import EventEnded, InvalidTransition
from eventcal.events.filter import Filter
from eventcal.events.queries import get_event
from eventcal.feeds.event_and_talk_titles import check_event_visible
from eventcal.feeds.stored_json_queries import list_talk_json
from eventcal.kit.errors import DomainError, Forbidden
from eventcal.kit.pagination import Page
from eventcal.members.enums import Scope
from eventcal.members.errors import EmailNotConfirmed, NotSignedIn, QuotaExceeded
from eventcal.members.permission_checks import check_reviewer
from eventcal.talks import service
from eventcal.talks.enums import TalkState
from eventcal.talks.errors import AlreadyDecided, BulkActionFailed, TalksClosed
from eventcal.talks.fields import TalkFields
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk, is_public, list_submissions
from eventcal.talks.rules import SPEAKER_ACTIONS, TalkAction
from eventcal.talks.state_changes import (
    apply_talk_action,
    decide_on_talks,
    delete_draft,
    get_draft_to_delete,
    get_event_to_decide,
    get_talk_for_action,
)
from eventcal.web.api.blueprint import ApiBlueprint
from eventcal.web.api.pagination import serve_list
from eventcal.web.api.responses import Content, cached_view, check_if_match, json_content, json_response
from eventcal.web.identity.current_user import caller, current_member, current_member_id
from eventcal.web.identity.permissions import confirmed_member, member, moderator, organiser, public
from eventcal.web.params.listing_filters import ListingQuery, ListingQuerySchema, parse_listing_query
from eventcal.web.request.context import links, now, read_session, unit_of_work
from eventcal.web.schemas.talks import DecisionIn, DecisionOut, StepIn, TalkIn, TalkOut, TalkPatch, talk_json

talks = ApiBlueprint("talks", "Talks at events, and their state changes")

# The states in which only the speakers and the event's team can see a talk.
_PRIVATE_STATES = frozenset(TalkState) - {TalkState.ACCEPTED, TalkState.CONFIRMED, TalkState.CANCELLED}


@talks.get("/talks", public, documented_query=ListingQuerySchema, lists=TalkOut, errors=[NotSignedIn])
def list_all() -> Response:
    """List public talks.

    If the query string contains a state in which talks are not public, such as `state=submitted`, the list contains the
    talks that the current user has submitted, presents, or may review.
    """
    asked = parse_listing_query(request.args)
    if _PRIVATE_STATES & set(asked.filter.states):
        current_member_id()
        return _serve_submissions(asked, asked.filter)
    return serve_list(asked, list_talk_json, Fragment, same_for_all=True)


@talks.get(
    "/events/<slug>/talks", public, documented_query=ListingQuerySchema, lists=TalkOut, errors=[NotSignedIn, Forbidden]
)
def list_talks_of_event(slug: str) -> Response:
    """List an event's public talks.

    Organisers and reviewers can list submissions by adding their states to the query string, such as `state=submitted`.
    The `state` of a submission can differ from the public state of the talk.
    """
    asked = parse_listing_query(request.args)
    # If the query string filters by events but not by the event in the path, the list is empty.
    within = replace(asked.filter, events=(slug,) if slug in (asked.filter.events or (slug,)) else ("",))
    if asked.filter.states and _can_review(slug, asked.filter.states):
        return _serve_submissions(asked, within)

    def list_public_talks(session: Session, *filters: Filter, **paged: Any) -> Page[str]:
        check_event_visible(session, slug, caller())
        return list_talk_json(session, *filters, **paged)

    return serve_list(asked, list_public_talks, Fragment, override_filter=within)


def _serve_submissions(asked: ListingQuery, filters: Filter) -> Response:
    return serve_list(
        asked,
        partial(list_submissions, caller=caller()),
        lambda talk: talk_json(talk, links(), state=talk.state),
        override_filter=filters,
        public=False,
    )


def _can_review(slug: str, states: tuple[str, ...]) -> bool:
    """Return whether the caller can review the talks of an event.

    Raises NotSignedIn or Forbidden if one of the states is private and the caller cannot review talks.
    """
    with read_session() as session:
        event = get_event(session, slug, caller())
    if _PRIVATE_STATES & set(states):
        check_reviewer(caller(), event.id)
    return caller().can_review(event.id)


@talks.get("/talks/<talk_id>", public, returns=TalkOut)
@cached_view
def read(session: Session, talk_id: str) -> Content:
    """Return a talk."""
    talk = get_talk(session, talk_id, caller())
    return json_content(talk_json(talk, links()), revision=talk.revision, public=is_public(talk))


@talks.post(
    "/events/<slug>/talks",
    confirmed_member(get_event),
    body=TalkIn,
    creates=TalkOut,
    errors=[TalksClosed, EventEnded, QuotaExceeded],
)
def submit(fields: TalkFields, slug: str) -> Response:
    """Submit a talk to an event. If `draft` is true, only the submitter can see the talk until it is submitted."""
    with unit_of_work() as session:
        event = get_event(session, slug, caller())
        member_row = current_member(session)
        talk = service.submit_talk(session, event, fields, member=member_row, caller=caller(), now=now())
    return _talk_response(talk, 201, location=links().api_talk(talk.id))


@talks.patch(
    "/talks/<talk_id>",
    member(Scope.SUBMIT, service.get_talk_to_edit),
    body=TalkPatch,
    returns=TalkOut,
    if_match=True,
    errors=[Forbidden, AlreadyDecided],
)
def edit(fields: TalkFields, talk_id: str) -> Response:
    """Change a talk with a JSON merge patch. `If-Match` is required.

    Submitters and speakers can change a talk until a decision is made, and organisers can change a talk at any time.
    """
    with unit_of_work() as session:
        talk = service.get_talk_to_edit(session, talk_id, caller())
        check_if_match(revision=talk.revision)
        service.edit_talk(session, talk, fields, caller=caller(), now=now())
    return _talk_response(talk)


def _register_action(action: TalkAction, description: str, *errors: type[DomainError]) -> None:
    check_talk = partial(get_talk_for_action, action=action)
    is_for_members = action in SPEAKER_ACTIONS or action == TalkAction.REINSTATE
    access = member(Scope.SUBMIT, check_talk) if is_for_members else organiser(check_talk)

    def view(fields: dict[str, Any], talk_id: str) -> Response:
        with unit_of_work() as session:
            talk = get_talk(session, talk_id, caller())
            apply_talk_action(session, talk, action, caller=caller(), reason=fields.get("reason"), now=now())
        return _talk_response(talk)

    view.__name__, view.__doc__ = action.value, description
    errors = (InvalidTransition, Forbidden, *errors)
    talks.post(f"/talks/<talk_id>/{action.value}", access, optional_body=StepIn, returns=TalkOut, errors=errors)(view)


_register_action(TalkAction.SUBMIT, "Submit a draft.", TalksClosed, EventEnded, EmailNotConfirmed)
_register_action(TalkAction.WITHDRAW, "Withdraw a talk. If it is public, it is shown as cancelled.")
_register_action(TalkAction.CONFIRM, "Confirm an accepted talk, as a speaker.")
_register_action(TalkAction.ACCEPT, "Accept a talk. At listed events, only moderators can accept talks.")
_register_action(TalkAction.REJECT, "Reject a talk.")
_register_action(TalkAction.WAITLIST, "Put a talk on the waiting list.")
_register_action(TalkAction.CANCEL, "Cancel an accepted talk. If it is public, it is shown as cancelled.")
_register_action(
    TalkAction.REINSTATE,
    "Return a rejected, cancelled or withdrawn talk to its previous state. Speakers can reinstate withdrawn talks.",
)


@talks.post(
    "/events/<slug>/talks/decide",
    organiser(get_event_to_decide),
    body=DecisionIn,
    returns=DecisionOut,
    errors=[BulkActionFailed],
)
def decide(fields: dict[str, Any], slug: str) -> Response:
    """Accept, reject, waitlist, cancel or reinstate up to 200 talks of an event.

    If one of the talks cannot be changed, no talk is changed, and `errors` refers to the talks by their positions.
    """
    with unit_of_work() as session:
        event = get_event_to_decide(session, slug, caller())
        changed = decide_on_talks(
            session,
            event,
            list(dict.fromkeys(fields["talks"])),
            action=TalkAction(fields["step"]),
            caller=caller(),
            reason=fields.get("reason"),
            now=now(),
        )
    return json_response({"items": [talk_json(talk, links()) for talk in changed]})


@talks.delete("/talks/<talk_id>", member(Scope.SUBMIT, get_draft_to_delete), errors=[Forbidden, InvalidTransition])
def delete(talk_id: str) -> None:
    """Delete a draft. A talk that was submitted can only be withdrawn."""
    with unit_of_work() as session:
        delete_draft(session, get_draft_to_delete(session, talk_id, caller()), caller=caller())


@talks.post("/talks/<talk_id>/redact", moderator, returns=TalkOut)
def redact(talk_id: str) -> Response:
    """Erase the content of a talk. Only a placeholder for the talk remains public."""
    with unit_of_work() as session:
        talk = service.redact_talk(session, get_talk(session, talk_id, caller()), caller=caller(), now=now())
    return _talk_response(talk)


def _talk_response(talk: Talk, status: int = 200, *, location: str | None = None) -> Response:
    return json_response(talk_json(talk, links()), status, location=location, revision=talk.revision)
