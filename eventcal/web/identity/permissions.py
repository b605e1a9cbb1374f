"""Access marks: decorators that state who may call a view.

Every view has one mark, directly below its route decorator or, in the API, as an argument of it. Permissions for a
particular event or talk are not checked here, but by the use case with the Caller.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, Response, request

from eventcal.kit.refusals import Forbidden, Message
from eventcal.members.errors import InsufficientScope, InvalidToken, NotSignedIn
from eventcal.members.rules import check_moderator
from eventcal.members.words import Scope
from eventcal.web.http.errors import answer_refusal
from eventcal.web.identity.current_user import SAFE, bearer, caller, check_csrf, current_member_id
from eventcal.web.request import idempotency, rate_limits, sessions

P = ParamSpec("P")
R = TypeVar("R")
View = Callable[P, R]


@dataclass(frozen=True)
class Access:
    """The access rule of a view, for tests and the OpenAPI document."""

    name: str
    scope: Scope | None = None

    @property
    def security(self) -> list[dict[str, list[str]]]:
        """The OpenAPI security requirements; a request must satisfy one of them."""
        if self.name == "feed":
            return []
        if self.name == "public":
            return [{}, {"token": []}, {"session": []}]
        return [*([{"token": [self.scope.value]}] if self.scope else []), {"session": []}]


def anonymous(view: View[P, R]) -> View[P, R]:
    """Allow anonymous access and ignore credentials. Every caller gets the same response."""
    return _annotate(view, Access("feed"))


def public(view: View[P, R]) -> View[P, R]:
    """Allow anonymous access. The caller is identified only if the view asks for it or the request has a token.

    Unsafe requests need no CSRF token, because they contain credentials themselves or the view checks the token.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if bearer() is not None:
            caller()
        return view(*args, **kwargs)

    return _annotate(guarded, Access("public"))


def member(scope: Scope) -> Callable[[View[P, R]], View[P, R]]:
    """Allow members, identified by session cookie or by an access token with `scope`."""
    return partial(_guard, access=Access("member", scope))


def organiser() -> Callable[[View[P, R]], View[P, R]]:
    """Allow members who may be organisers. The use case checks whether they organise the event."""
    return partial(_guard, access=Access("organiser", Scope.ORGANISE))


def moderator(view: View[P, R]) -> View[P, R]:
    """Allow moderators. Others are rejected before the view runs, whether or not the resource exists."""
    return _guard(view, access=Access("moderator", Scope.ADMIN))


def session_only(view: View[P, R]) -> View[P, R]:
    """Allow members who signed in with a browser. Access tokens are rejected."""
    return _guard(view, access=Access("by_cookie"))


def _guard(view: View[P, R], *, access: Access) -> View[P, R]:
    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        _authorize(access)
        if idempotency.is_asked_for():
            kept = idempotency.answer_once(lambda: view(*args, **kwargs), member_id=current_member_id())
            return cast("R", kept)
        return view(*args, **kwargs)

    return _annotate(guarded, access)


def _authorize(access: Access) -> None:
    """Check access to a view. Raises TooManyRequests, NotSignedIn, InsufficientScope, Forbidden, CsrfFailed."""
    here = caller()
    if request.method not in SAFE:
        rate_limits.count_write(here.member_id)
    if not here.is_signed_in:
        raise NotSignedIn(Message("Sign in first, or send a token."))
    if here.scopes is None:
        if request.method not in SAFE:
            check_csrf()
        sessions.keep_alive()
    elif access.scope is None:
        raise Forbidden(Message("A token may not do this; sign in with your password."))
    elif not here.has_scope(access.scope):
        raise InsufficientScope(Message("This needs a token with the scope “%(scope)s”.", scope=access.scope))
    if access.name == "moderator":
        check_moderator(here)


def _annotate(view: View[P, R], access: Access) -> View[P, R]:
    """Attach the access rule to the view, for tests and the OpenAPI document."""
    cast("Any", view).access = access
    return view


def register_token_refusals(app: Flask) -> None:
    """Add the reason to WWW-Authenticate in responses to rejected tokens (RFC 6750, section 3.1)."""
    app.register_error_handler(InvalidToken, _answer_token)
    app.register_error_handler(InsufficientScope, _answer_token)


def _answer_token(refusal: InvalidToken | InsufficientScope) -> Response:
    answer = answer_refusal(refusal)
    answer.headers["WWW-Authenticate"] = f'Bearer realm="eventcal", error="{refusal.code.replace("-", "_")}"'
    return answer
