"""Decorators that declare which callers are allowed to use a view.

Every view declares one access rule: with a decorator directly below the route decorator or, in the API, as an argument
of the route decorator. The rule can include a `ResourceCheck`, which checks the permissions for a particular event or
talk before the request body is parsed, so that errors about the body are only sent to callers with permission. Services
check the permissions again while the write lock is held.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, Response, request
from sqlalchemy.orm import Session

from eventcal.kit.errors import Forbidden, Message
from eventcal.members.caller import Caller
from eventcal.members.enums import Scope
from eventcal.members.errors import InsufficientScope, InvalidToken, NotSignedIn
from eventcal.members.permission_checks import check_admin, check_moderator
from eventcal.members.service import check_email_confirmed
from eventcal.web.http.errors import error_response
from eventcal.web.identity.current_user import SAFE_METHODS, bearer_token, caller, check_csrf, current_member_id
from eventcal.web.request import browser_sessions, idempotency, rate_limits
from eventcal.web.request.context import read_session

P = ParamSpec("P")
R = TypeVar("R")
View = Callable[P, R]
_ROLE_CHECKS = {"moderator": check_moderator, "admin": check_admin}

ResourceCheck = Callable[[Session, str, Caller], object]
"""A function such as `get_event_for_organiser` that raises NotFound, NotSignedIn or Forbidden for a resource.

The second argument is the first variable of the URL.
"""


@dataclass(frozen=True, kw_only=True)
class AccessRule:
    """The access rule of a view, which is enforced for each request and described in the OpenAPI document."""

    name: str
    scope: Scope | None = None
    requires_confirmed_email: bool = False
    check_resource: ResourceCheck | None = None

    @property
    def openapi_security(self) -> list[dict[str, list[str]]]:
        if self.name == "feed":
            return []
        if self.name == "public":
            return [{}, {"token": []}, {"session": []}]
        return [*([{"token": [self.scope.value]}] if self.scope else []), {"session": []}]


def anonymous(view: View[P, R]) -> View[P, R]:
    """Allow anonymous access and ignore credentials. Every caller receives the same response."""
    return _annotate(view, AccessRule(name="feed"))


def public(view: View[P, R]) -> View[P, R]:
    """Allow anonymous access. Views that need CSRF protection must check the CSRF token of unsafe requests."""

    @wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if bearer_token() is not None:
            caller()
        return view(*args, **kwargs)

    return _annotate(wrapper, AccessRule(name="public"))


def member(scope: Scope, check_resource: ResourceCheck | None = None) -> Callable[[View[P, R]], View[P, R]]:
    """Allow members who are identified by a session cookie, or by an access token with the given scope."""
    return partial(_require_access, access=AccessRule(name="member", scope=scope, check_resource=check_resource))


def confirmed_member(check_resource: ResourceCheck | None = None) -> Callable[[View[P, R]], View[P, R]]:
    """Allow members with a confirmed email address. Access tokens require the `submit` scope."""
    access = AccessRule(name="member", scope=Scope.SUBMIT, requires_confirmed_email=True, check_resource=check_resource)
    return partial(_require_access, access=access)


def organiser(check_resource: ResourceCheck) -> Callable[[View[P, R]], View[P, R]]:
    """Allow members who pass the check. Access tokens require the `organise` scope."""
    access = AccessRule(name="organiser", scope=Scope.ORGANISE, check_resource=check_resource)
    return partial(_require_access, access=access)


def moderator(view: View[P, R]) -> View[P, R]:
    """Allow moderators. Callers who are not moderators are rejected even if the resource does not exist."""
    return _require_access(view, access=AccessRule(name="moderator", scope=Scope.ADMIN))


def admin(view: View[P, R]) -> View[P, R]:
    """Allow administrators. Callers who are not administrators are rejected even if the resource does not exist."""
    return _require_access(view, access=AccessRule(name="admin", scope=Scope.ADMIN))


def session_only(view: View[P, R]) -> View[P, R]:
    """Allow members who signed in with a browser. Requests with access tokens are rejected."""
    return _require_access(view, access=AccessRule(name="by_cookie"))


def _require_access(view: View[P, R], *, access: AccessRule) -> View[P, R]:
    @wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        _authorize(access)
        if idempotency.is_idempotent_request():
            kept = idempotency.replay_or_execute(lambda: view(*args, **kwargs), member_id=current_member_id())
            return cast("R", kept)
        return view(*args, **kwargs)

    return _annotate(wrapper, access)


def _authorize(access: AccessRule) -> None:
    here = caller()
    if request.method not in SAFE_METHODS:
        rate_limits.count_unsafe_request(here.member_id)
    if not here.is_signed_in:
        raise NotSignedIn(Message("Sign in or send a token."))
    if here.scopes is None:
        if request.method not in SAFE_METHODS:
            check_csrf()
        browser_sessions.touch_session()
    elif access.scope is None:
        raise Forbidden(Message("This requires a session, not a token. Sign in with your password."))
    elif not here.has_scope(access.scope):
        raise InsufficientScope(Message("This requires a token with the scope “%(scope)s”.", scope=access.scope))
    if access.name in _ROLE_CHECKS:
        _ROLE_CHECKS[access.name](here)
    if access.check_resource is not None:
        with read_session() as session:
            # Werkzeug keeps the order in which the variables occur in the URL.
            access.check_resource(session, next(iter((request.view_args or {}).values())), here)
    if access.requires_confirmed_email:
        check_email_confirmed(here)


def _annotate(view: View[P, R], access: AccessRule) -> View[P, R]:
    cast("Any", view).access = access
    return view


def register_token_error_handlers(app: Flask) -> None:
    """Add the reason for rejecting an access token to the WWW-Authenticate header (RFC 6750, section 3.1)."""
    app.register_error_handler(InvalidToken, _token_error_response)
    app.register_error_handler(InsufficientScope, _token_error_response)
    app.register_error_handler(NotSignedIn, _not_signed_in_response)


def _token_error_response(error: InvalidToken | InsufficientScope) -> Response:
    answer = error_response(error)
    answer.headers["WWW-Authenticate"] = f'Bearer realm="eventcal", error="{error.code.replace("-", "_")}"'
    return answer


def _not_signed_in_response(error: NotSignedIn) -> Response:
    """Name the supported scheme if the Authorization header has another scheme."""
    if "Authorization" in request.headers and bearer_token() is None:
        message = Message("Send the token as “Authorization: Bearer …”. No other scheme is supported.")
        return error_response(NotSignedIn(message))
    return error_response(error)
