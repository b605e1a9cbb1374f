"""Personal access tokens: made for a program, shown once, listed, revoked."""

from http import HTTPStatus
from typing import Any

from flask import redirect, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from eventcal.kit.localtime import parse_local
from eventcal.kit.paging import Paging
from eventcal.kit.refusals import Fault, Refusal, refuse_faults
from eventcal.members.models import AccessToken
from eventcal.members.queries import get_token, list_tokens
from eventcal.members.rules import useful_scopes
from eventcal.members.service import give_token, revoke_token
from eventcal.members.words import Scope
from eventcal.web.identity.current_user import current_member_id
from eventcal.web.identity.permissions import caller, current_member
from eventcal.web.pages.me.layout import is_taken_now, new_form_key, own_page, show_secret
from eventcal.web.rendering.dates import at
from eventcal.web.rendering.forms import Form, faults_of, load, said_after, typed_again
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, handle_form, signed_in
from eventcal.web.request.context import links, now, reading, unit_of_work
from eventcal.web.schemas.me import TokenIn
from eventcal.web.schemas.out import Json

_TOKEN = TokenIn()
_HOME = "/me/tokens"


@pages.get("/me/tokens")
@signed_in
def tokens() -> Response:
    """Show a member's access tokens by what is kept of them, and the form to make another."""
    with reading() as session:
        return answer_page(_list(session, Form()))


@pages.post("/me/tokens")
@signed_in
def make_token() -> Response:
    """Make an access token and show it, this once; a form that comes again leads back to the list."""
    return handle_form(_create, render_form=_render_error)


def _create() -> str | Response:
    fields = _validate()
    with unit_of_work() as session:
        if not is_taken_now(session):
            return f"{_HOME}?done=before"
        row, secret = give_token(session, current_member(session), **fields, now=now())
    page = own_page(
        template="new_token.html",
        title=_("The new token"),
        path=_HOME,
        token=_told(row),
        secret=secret,
        example=f'curl -H "Authorization: Bearer {secret}" {links().api("/me")}',
    )
    return show_secret(page)


@pages.get("/me/tokens/<token_id>")
@signed_in
def token(token_id: str) -> Response:
    """Ask whether one of a member's access tokens is to be revoked."""
    with reading() as session:
        row = get_token(session, token_id, current_member_id())
        path = f"{_HOME}/{row.id}"
        return answer_page(own_page(template="token.html", title=row.name, path=path, token=_told(row)))


@pages.post("/me/tokens/<token_id>")
@signed_in
def end_token(token_id: str) -> Response:
    """Revoke an access token."""
    with unit_of_work() as session:
        revoke_token(session, get_token(session, token_id, current_member_id()))
    return redirect(f"{_HOME}?done=revoked", HTTPStatus.SEE_OTHER)


def _validate() -> dict[str, Any]:
    """Return the fields of a token from the form. Raises Invalid with every fault."""
    typed = request.form
    given: dict[str, Any] = {"name": typed.get("name", ""), "scopes": typed.getlist("scopes")}
    unlike = []
    try:
        given["expires_at"] = _end_of(typed.get("expires_at", ""))
    except ValueError:
        unlike = [Fault("/expires_at", _("must be a date such as 2026-12-31"))]
    fields, faults = load(_TOKEN, given)
    if not given["scopes"]:
        faults = [fault for fault in faults if fault.pointer != "/scopes"]
        faults.append(Fault("/scopes", _("Choose at least one: a token without any could do nothing.")))
    refuse_faults([*faults, *unlike])
    return fields


def _end_of(day: str) -> str | None:
    """Return the last second of a day (UTC); None where none is named. Raises ValueError."""
    if not day:
        return None
    last = f"{day}T23:59:59"
    parse_local(last)
    return f"{last}Z"


def _render_error(session: Session, error: Refusal) -> Page:
    # A browser does not send check boxes that are not ticked, but their faults belong beside them.
    typed = MultiDict([("scopes", ""), *request.form.items()])
    return _list(session, typed_again(typed, faults_of(error)))


def _list(session: Session, form: Form) -> Page:
    found = list_tokens(session, current_member_id(), paging=Paging(cursor=request.args.get("cursor")))
    words = _scopes_in_words()
    return own_page(
        template="tokens.html",
        title=_("Tokens"),
        path=_HOME,
        tokens=[_told(row) for row in found.items],
        next=found.next,
        form=form,
        form_key=new_form_key(),
        scopes=[(scope.value, words[scope]) for scope in useful_scopes(caller())],
        ticked=request.form.getlist("scopes"),
        done=said_after(
            {
                "revoked": _("The token is revoked."),
                "before": _("This token was made before. It was shown that once; make another if you need it again."),
            }
        ),
    )


def _told(row: AccessToken) -> Json:
    """Return what is said of a token."""
    words = _scopes_in_words()
    return {
        "id": row.id,
        "name": row.name,
        "scopes": [words[Scope(scope)] for scope in row.scopes],
        "made": at(row.created_at, tzid="UTC"),
        "expires": at(row.expires_at, tzid="UTC") if row.expires_at else None,
        "over": row.expires_at is not None and row.expires_at <= now(),
    }


def _scopes_in_words() -> dict[Scope, str]:
    return {
        Scope.READ: _("Read: whatever you can see yourself, your own talks and your agenda among it"),
        Scope.SUBMIT: _("Submit: what every member can do, such as submitting and changing talks"),
        Scope.ORGANISE: _("Organise: what you can do for the events whose team you are on"),
        Scope.ADMIN: _("Administer: whatever you can do on the whole site"),
    }
