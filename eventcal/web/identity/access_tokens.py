"""Creating and listing the access tokens of the current user, which can be restricted to events."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from eventcal.events.queries import event_slugs_by_id, find_team_event_ids
from eventcal.kit.errors import FieldError, Message, raise_if_invalid
from eventcal.kit.pagination import Page, PageRequest
from eventcal.members import service
from eventcal.members.models import AccessToken
from eventcal.members.rules import DEFAULT_TOKEN_LIFETIME, access_token_errors
from eventcal.web.identity.current_user import caller, current_member
from eventcal.web.request.context import now


class TokenWithEvents(NamedTuple):
    """An access token, and the slugs of the events to which it is restricted, or None."""

    token: AccessToken
    events: list[str] | None


def create_access_token(session: Session, fields: Mapping[str, Any]) -> tuple[TokenWithEvents, str]:
    """Create an access token for the current user, and return it and its secret value.

    `fields` contains the fields of the schema `TokenIn`. Raises Invalid with all field errors.
    """
    member, here = current_member(session), caller()
    slugs, expires_at = fields["events"], fields["expires_at"] or now() + DEFAULT_TOKEN_LIFETIME
    event_ids = find_team_event_ids(session, slugs or [], here)
    errors = access_token_errors(fields["scopes"], expires_at, is_restricted=slugs is not None, caller=here, now=now())
    unknown = Message("is not an event that you help to organise")
    errors += [
        FieldError(f"/events/{place}", unknown) for place, slug in enumerate(slugs or []) if slug not in event_ids
    ]
    raise_if_invalid(errors)
    token, secret = service.create_access_token(
        session,
        member,
        name=fields["name"],
        scopes=fields["scopes"],
        expires_at=expires_at,
        event_ids=None if slugs is None else sorted(event_ids.values()),
        now=now(),
    )
    return TokenWithEvents(token, None if slugs is None else sorted(event_ids)), secret


def list_access_tokens(session: Session, member_id: str, *, paging: PageRequest) -> Page[TokenWithEvents]:
    page = service.list_access_tokens(session, member_id, paging=paging)
    slugs = event_slugs_by_id(session, {event_id for token in page.items for event_id in token.event_ids or []})
    return Page(tuple(_add_events(token, slugs) for token in page.items), page.next_cursor)


def get_access_token(session: Session, token_id: str, member_id: str) -> TokenWithEvents:
    """Return the member's access token with this ID. Raises NotFound."""
    token = service.get_access_token(session, token_id, member_id)
    return _add_events(token, event_slugs_by_id(session, token.event_ids or []))


def _add_events(token: AccessToken, slugs: Mapping[str, str]) -> TokenWithEvents:
    """Return the token with the slugs of its events. Events that have been deleted are left out."""
    if token.event_ids is None:
        return TokenWithEvents(token, None)
    return TokenWithEvents(token, sorted(slugs[event_id] for event_id in token.event_ids if event_id in slugs))
