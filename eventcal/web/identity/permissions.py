"""The access marks: who may call a view.

Every view carries one mark: right below its route, or in the API as an argument of its route. The marks say who comes
in; what somebody may do to this event or that talk is decided where it is done, by the Caller.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, Response, request

from eventcal.kit.refusals import Forbidden, Sentence
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
    """What a view's mark says, for tests and for the documentation."""

    name: str
    scope: Scope | None = None

    @property
    def security(self) -> list[dict[str, list[str]]]:
        """Return the security requirements of OpenAPI, of which a call has to meet one."""
        if self.name == "feed":
            return []
        if self.name == "public":
            return [{}, {"token": []}, {"session": []}]
        return [*([{"token": [self.scope.value]}] if self.scope else []), {"session": []}]


def feed(view: View[P, R]) -> View[P, R]:
    """Let anyone call, and never look at who it is: a calendar is the same for all."""
    return _marked(view, Access("feed"))


def public(view: View[P, R]) -> View[P, R]:
    """Let anyone call. Who calls is looked at only when the view asks, or when a token claims to say it.

    An unsafe call needs no CSRF token: it carries credentials of its own, or the view checks what it does.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if bearer() is not None:
            caller()
        return view(*args, **kwargs)

    return _marked(guarded, Access("public"))


def member(scope: Scope) -> Callable[[View[P, R]], View[P, R]]:
    """Let members call, by cookie or by a token that reaches as far as `scope`."""
    return partial(_guard, access=Access("member", scope))


def organiser() -> Callable[[View[P, R]], View[P, R]]:
    """Let members call who may be organisers; of which event, the use case asks."""
    return partial(_guard, access=Access("organiser", Scope.ORGANISE))


def moderator(view: View[P, R]) -> View[P, R]:
    """Let moderators call. Others are refused whether there is such a thing or not."""
    return _guard(view, access=Access("moderator", Scope.ADMIN))


def by_cookie(view: View[P, R]) -> View[P, R]:
    """Let members call who signed in with their password: what a token must not do."""
    return _guard(view, access=Access("by_cookie"))


def _guard(view: View[P, R], *, access: Access) -> View[P, R]:
    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        _let_in(access)
        if idempotency.is_asked_for():
            kept = idempotency.answer_once(lambda: view(*args, **kwargs), member_id=current_member_id())
            return cast("R", kept)
        return view(*args, **kwargs)

    return _marked(guarded, access)


def _let_in(access: Access) -> None:
    """Refuse whoever the mark does not let in: TooMany, NotSignedIn, InsufficientScope, Forbidden, CsrfRefused."""
    here = caller()
    if request.method not in SAFE:
        rate_limits.count_write(here.member_id)
    if not here.signed_in:
        raise NotSignedIn(Sentence("Sign in first, or send a token."))
    if here.scopes is None:
        if request.method not in SAFE:
            check_csrf()
        sessions.keep_alive()
    elif access.scope is None:
        raise Forbidden(Sentence("A token may not do this; sign in with your password."))
    elif not here.holds(access.scope):
        raise InsufficientScope(Sentence("This needs a token with the scope “%(scope)s”.", scope=access.scope))
    if access.name == "moderator":
        check_moderator(here)


def _marked(view: View[P, R], access: Access) -> View[P, R]:
    """Note on the view what its mark says: for tests, and for the OpenAPI document."""
    cast("Any", view).access = access
    return view


def register_token_refusals(app: Flask) -> None:
    """Let the answers to refused tokens say why in WWW-Authenticate (RFC 6750, 3.1)."""
    app.register_error_handler(InvalidToken, _answer_token)
    app.register_error_handler(InsufficientScope, _answer_token)


def _answer_token(refusal: InvalidToken | InsufficientScope) -> Response:
    answer = answer_refusal(refusal)
    answer.headers["WWW-Authenticate"] = f'Bearer realm="eventcal", error="{refusal.code.replace("-", "_")}"'
    return answer
