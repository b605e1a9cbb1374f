"""Showing again who one is: what changes how one signs in is not for whoever finds a browser left alone."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import ParamSpec
from urllib.parse import quote

from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.web.http.errors import TooMany, status_of
from eventcal.web.identity.current_user import SAFE, has_proved_lately, prove
from eventcal.web.identity.passkeys import are_possible, options_to_sign_in
from eventcal.web.identity.schemas import OwnPasswordIn
from eventcal.web.pages.me.layout import own_page
from eventcal.web.rendering.forms import Form, faults_of, load, typed_again
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import answer_page, signed_in, way_on

P = ParamSpec("P")

_PASSWORD = OwnPasswordIn()
_SECRET = ("password",)
_HOME = "/me/security"


def proved_lately(view: Callable[P, Response]) -> Callable[P, Response]:
    """Let members on who signed in, or showed again who they are, within the last minutes; lead others to do so."""

    @wraps(view)
    def led(*args: P.args, **kwargs: P.kwargs) -> Response:
        if has_proved_lately():
            return view(*args, **kwargs)
        onward = request.path if request.method in SAFE else _HOME
        return redirect(f"{_HOME}/again?next={quote(onward, safe='')}", HTTPStatus.SEE_OTHER)

    return led


@pages.get("/me/security/again")
@signed_in
def again() -> Response:
    """Ask a member who is signed in for their password, or a passkey."""
    return _asking(Form())


@pages.post("/me/security/again")
@signed_in
def prove_now() -> Response:
    """Lead a member on who knows their password."""
    given = {name: request.form[name] for name in _SECRET if request.form.get(name)}
    try:
        _fields, faults = load(_PASSWORD, given)
    except TooMany as refusal:
        form = typed_again(request.form, faults_of(refusal, at="password"), secret=_SECRET)
        return _asking(form, status=status_of(type(refusal)))
    if faults:
        return _asking(typed_again(request.form, faults, secret=_SECRET), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    prove()
    return redirect(way_on(request.form.get("next"), otherwise=_HOME), HTTPStatus.SEE_OTHER)


def _asking(form: Form, *, status: int = HTTPStatus.OK) -> Response:
    page = own_page(
        template="security_again.html",
        title=_("Is it you?"),
        path="/me/security/again",
        form=form,
        next=request.form.get("next") or request.args.get("next") or "",
        passkey=options_to_sign_in() if are_possible() else None,
    )
    return answer_page(page, status=status)
