"""API views under /api/v1/me: the user's profile, sessions, access tokens, secret feeds, talks and starred talks."""

from functools import partial
from typing import Any

from flask import Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from eventcal.events.errors import LastOrganiser
from eventcal.events.models import Event, TeamMember
from eventcal.events.queries import list_all_team_events
from eventcal.members import service as members
from eventcal.members.enums import Scope
from eventcal.members.errors import DuplicateEmail, QuotaExceeded
from eventcal.members.models import Member
from eventcal.members.sessions import end_session, get_session, list_sessions
from eventcal.speakers.service import find_speaker_by_member
from eventcal.sponsors.queries import list_own_sponsorships
from eventcal.talks import service
from eventcal.talks.delete_and_merge_referenced import delete_account
from eventcal.talks.queries import OwnTalksFilter, get_talk, list_own_talks, list_starred_talks
from eventcal.web.api.blueprint import ApiBlueprint, read_json
from eventcal.web.api.pagination import serve_private_page
from eventcal.web.api.responses import json_response, private_json
from eventcal.web.identity import access_tokens, accounts, current_user, schemas
from eventcal.web.identity.current_user import caller, clear_session_cookie, current_member, current_member_id
from eventcal.web.identity.passwords_and_codes import load_and_check_password
from eventcal.web.identity.permissions import member, session_only
from eventcal.web.request import rate_limits
from eventcal.web.request.context import links, now, read_session, unit_of_work
from eventcal.web.request.idempotency import redact_in_replay
from eventcal.web.schemas.events import EventOut, event_json
from eventcal.web.schemas.fields import PageQuery
from eventcal.web.schemas.response_schema import Json
from eventcal.web.schemas.sponsors import SponsorshipOut, sponsorship_json
from eventcal.web.schemas.talks import OwnTalksQuery, TalkOut, talk_json

me = ApiBlueprint("me", "Your own profile, sessions, access tokens and secret feeds")
contributions = ApiBlueprint("contributions", "Your events and sponsorship enquiries")
agenda = ApiBlueprint("agenda", "Your own talks and starred talks")

_ACCOUNT_DELETED = (
    "The account has been deleted. Undecided talks are withdrawn and secret feeds are revoked. The response lists what "
    "stays public; ask a moderator to erase it."
)


@me.get("/me", member(Scope.READ), returns=schemas.MemberOut)
def profile() -> Response:
    """Return the current user's profile."""
    with read_session() as session:
        return private_json(member_json(session, current_member(session)))


@me.patch(
    "/me",
    member(Scope.SUBMIT),
    documented_body=schemas.MemberPatch,
    returns=schemas.MemberOut,
    errors=[DuplicateEmail, TooManyRequests],
)
def edit_profile() -> Response:
    """Change the current user's profile with a JSON merge patch. The `If-Match` header is not required.

    A new `email` requires the `password`. A link is sent to the new address and a notice to the old address. The
    address changes when the token in the link is sent to `POST /auth/confirm`. If sending email is disabled, the
    address changes at once.
    """
    fields = load_and_check_password(schemas.MemberPatch(), read_json())
    if "email" in fields:
        rate_limits.count_email(fields["email"])
    with unit_of_work() as session:
        row = members.update_member(session, current_member(session), fields)
        if "email" in fields:
            accounts.request_email_change(session, row, fields["email"])
        return json_response(member_json(session, row))


@me.delete("/me", session_only, documented_body=schemas.OwnPasswordIn, returns=schemas.LeftOut, errors=[LastOrganiser])
def delete_own_account() -> Response:
    """Delete the current user's account. The response lists the data that remains public after the account is deleted.

    A request from the last organiser of an event that has not ended is rejected with the code `last-organiser`.
    """
    load_and_check_password(schemas.OwnPasswordIn(), read_json())
    with unit_of_work() as session:
        stays = delete_account(session, current_member(session), now=now())
    clear_session_cookie()
    remaining = {"talks": list(stays.talks), "speaker": stays.speaker}
    return json_response({"stays_public": remaining, "detail": _ACCOUNT_DELETED})


@me.get("/me/sessions", session_only, returns=schemas.SessionsOut)
def list_own_sessions() -> Response:
    """List up to 100 of the current user's sessions, most recently used first."""
    with read_session() as session:
        rows = list_sessions(session, current_member_id(), now=now())
    current = current_user.current_session_id()
    return private_json({"items": [schemas.SessionOut.serialize(row, current=row.id == current) for row in rows]})


@me.delete("/me/sessions", session_only)
def end_all_other_sessions() -> None:
    """End all of the current user's sessions except the current session."""
    with unit_of_work() as session:
        current_user.end_other_sessions(session, current_member(session))


@me.delete("/me/sessions/<session_id>", session_only)
def end_own_session(session_id: str) -> None:
    """End one of the current user's sessions, which can be the current session."""
    with unit_of_work() as session:
        found = get_session(session, session_id, current_member_id(), now=now())
        end_session(session, found)
    if session_id == current_user.current_session_id():
        clear_session_cookie()


@me.get("/me/tokens", session_only, query=PageQuery, lists=schemas.TokenOut)
def list_own_tokens(query: dict[str, Any]) -> Response:
    """List the current user's access tokens, newest first. The values of the tokens are not included."""
    return serve_private_page(
        query,
        access_tokens.list_access_tokens,
        lambda row: schemas.TokenOut.serialize(row.token, events=row.events),
        member_id=current_member_id(),
    )


@me.post("/me/tokens", session_only, body=schemas.TokenIn, creates=schemas.NewTokenOut, errors=[QuotaExceeded])
def create_token(fields: dict[str, Any]) -> Response:
    """Create an access token for the `Authorization: Bearer …` header. The token is returned only once."""
    with unit_of_work() as session:
        created, secret = access_tokens.create_access_token(session, fields)
    redact_in_replay("token")
    body = schemas.NewTokenOut.serialize(created.token, events=created.events, token=secret)
    return json_response(body, 201, location=links().api(f"/me/tokens/{created.token.id}"))


@me.delete("/me/tokens/<token_id>", session_only)
def revoke_token(token_id: str) -> None:
    """Revoke an access token."""
    with unit_of_work() as session:
        members.delete_access_token(session, token_id, current_member_id())


@me.get("/me/feeds", member(Scope.READ), query=PageQuery, lists=schemas.FeedOut)
def list_own_feeds(query: dict[str, Any]) -> Response:
    """List the current user's secret feeds, newest first. The URLs of the feeds are not included."""
    serialize = partial(schemas.FeedOut.serialize, url=None)
    return serve_private_page(query, members.list_personal_feeds, serialize, member_id=current_member_id())


@me.post("/me/feeds", member(Scope.SUBMIT), body=schemas.FeedIn, creates=schemas.FeedOut, errors=[QuotaExceeded])
def create_feed(fields: dict[str, Any]) -> Response:
    """Create a secret feed of the current user's own and starred talks. The feed's URL is returned only once."""
    with unit_of_work() as session:
        feed, secret = members.create_personal_feed(session, current_member(session), **fields, now=now())
    redact_in_replay("url")
    body = schemas.FeedOut.serialize(feed, url=links().personal_feed(secret))
    return json_response(body, 201, location=links().api(f"/me/feeds/{feed.id}"))


@me.delete("/me/feeds/<feed_id>", member(Scope.SUBMIT))
def revoke_feed(feed_id: str) -> None:
    """Revoke a secret feed. Requests for a revoked feed receive a 410 response."""
    with unit_of_work() as session:
        members.revoke_personal_feed(session, feed_id, current_member_id(), now=now())


@contributions.get("/me/events", member(Scope.READ), query=PageQuery, lists=EventOut)
def list_own_events(query: dict[str, Any]) -> Response:
    """List the events whose team includes the current user, regardless of status, latest first."""
    return serve_private_page(query, list_all_team_events, lambda event: event_json(event, links()), caller=caller())


@contributions.get("/me/sponsorships", member(Scope.READ), query=PageQuery, lists=SponsorshipOut)
def list_own_sponsorship_enquiries(query: dict[str, Any]) -> Response:
    """List the sponsorship enquiries of the current user, newest first."""
    serialize = partial(sponsorship_json, links=links())
    return serve_private_page(query, list_own_sponsorships, serialize, member_id=current_member_id())


@agenda.get("/me/talks", member(Scope.READ), query=OwnTalksQuery, lists=TalkOut)
def list_all_own_talks(query: dict[str, Any]) -> Response:
    """List the talks that the current user has submitted or presents, in every state, newest first."""
    return serve_private_page(
        query,
        list_own_talks,
        lambda talk: talk_json(talk, links(), state=talk.state),
        caller=caller(),
        filters=OwnTalksFilter(**{name: tuple(query[name]) for name in ("roles", "states", "events")}),
    )


@agenda.get("/me/stars", member(Scope.READ), query=PageQuery, lists=TalkOut)
def list_own_starred_talks(query: dict[str, Any]) -> Response:
    """List the public talks on the current user's agenda."""
    serialize = partial(talk_json, links=links())
    return serve_private_page(query, list_starred_talks, serialize, caller=caller(), now=now())


@agenda.put("/me/stars/<talk_id>", member(Scope.SUBMIT))
def star_talk(talk_id: str) -> None:
    """Add a talk to the current user's agenda. Repeating the request has no effect."""
    with unit_of_work() as session:
        service.add_star(session, get_talk(session, talk_id, caller()), caller=caller(), now=now())


@agenda.delete("/me/stars/<talk_id>", member(Scope.SUBMIT))
def unstar_talk(talk_id: str) -> None:
    """Remove a talk from the current user's agenda. Repeating the request has no effect."""
    with unit_of_work() as session:
        service.remove_star(session, talk_id, caller=caller())


def member_json(session: Session, member: Member) -> Json:
    speaker = find_speaker_by_member(session, member.id)
    teams = (
        select(Event.slug, TeamMember.role)
        .join(TeamMember, TeamMember.event_id == Event.id)
        .where(TeamMember.member_id == member.id)
        .order_by(Event.slug)
    )
    return schemas.MemberOut.serialize(
        member,
        confirmed=current_user.is_email_confirmed(member),
        speaker=None if speaker is None else speaker.slug,
        teams=[{"event": slug, "role": role} for slug, role in session.execute(teams)],
    )
