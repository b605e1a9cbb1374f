"""Rules for access tokens and for the administration of members."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from eventcal.kit.errors import FieldError, Forbidden, Message
from eventcal.members.caller import Caller
from eventcal.members.enums import Role, Scope

DEFAULT_TOKEN_LIFETIME = timedelta(days=90)
MAX_TOKEN_LIFETIME = timedelta(days=365)


def grantable_scopes(caller: Caller) -> tuple[Scope, ...]:
    """Return the scopes that the caller may grant to an access token."""
    return tuple(scope for scope in Scope if scope is not Scope.ADMIN or caller.is_moderator)


def access_token_errors(
    scopes: Sequence[Scope], expires_at: datetime, *, is_restricted: bool, caller: Caller, now: datetime
) -> list[FieldError]:
    """Return the errors in the fields of a new access token. `is_restricted`: whether the token names events."""
    grantable = grantable_scopes(caller)
    errors = [
        FieldError(f"/scopes/{place}", Message("is only for moderators and administrators; choose another scope"))
        for place, scope in enumerate(scopes)
        if scope not in grantable
    ]
    if is_restricted and Scope.ADMIN in scopes:
        applies = Message(
            "cannot be combined with the scope “admin”, which applies to the whole site; omit one of them"
        )
        errors.append(FieldError("/events", applies))
    if expires_at <= now:
        errors.append(FieldError("/expires_at", Message("must be in the future; choose a later time or omit it")))
    elif expires_at > now + MAX_TOKEN_LIFETIME:
        errors.append(FieldError("/expires_at", Message("must be within a year; choose an earlier time or omit it")))
    return errors


def check_can_administer(caller: Caller, *, member_id: str, role: Role) -> None:
    """Raise Forbidden unless the caller may suspend, reinstate or confirm a member with this ID and role."""
    if member_id == caller.member_id:
        raise Forbidden(Message("You cannot do this to your own account. Ask another administrator."))
    if role is not Role.MEMBER and not caller.is_admin:
        raise Forbidden(Message("Only administrators may do this to moderators and administrators."))
