"""Pages for API access tokens and secret URLs of agenda feeds. A secret is shown only when it is created."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.events.queries import list_team_events
from eventcal.kit.errors import FieldError, raise_if_invalid
from eventcal.kit.localtime import parse_local
from eventcal.kit.pagination import MAX_LIMIT, PageRequest
from eventcal.members import service
from eventcal.members.enums import Scope
from eventcal.members.rules import grantable_scopes
from eventcal.web.identity import access_tokens
from eventcal.web.identity.access_tokens import TokenWithEvents
from eventcal.web.identity.current_user import caller, current_member, current_member_id
from eventcal.web.identity.schemas import FeedIn, TokenIn
from eventcal.web.pages.public.subscribe import calendar_apps_context
from eventcal.web.rendering import forms
from eventcal.web.rendering.dates import format_instant_utc
from eventcal.web.rendering.forms import EMPTY_FORM, Form
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import (
    form_view,
    login_required,
    private_page_response,
    redisplay,
    secret_page_response,
)
from eventcal.web.request.context import links, now, read_session, unit_of_work
from eventcal.web.schemas.response_schema import Json

_TOKEN, _FEED = TokenIn(), FeedIn()


@pages.get("/me/tokens")
@login_required
def tokens(form: Form = EMPTY_FORM, status: int = HTTPStatus.OK) -> Response:
    done = {
        "revoked": _("The token is revoked."),
        "before": _("This token was made before. It was shown that once; make another if you need it again."),
    }
    labels, paging = _scope_labels(), PageRequest(cursor=request.args.get("cursor"))
    with read_session() as session:
        page = access_tokens.list_access_tokens(session, current_member_id(), paging=paging)
        return private_page_response(
            template="me/tokens.html",
            title=_("Tokens"),
            status=status,
            tokens=[_token_row(row) for row in page.items],
            next=page.next_cursor,
            form=form,
            form_key=forms.new_form_key(),
            scopes=[(scope.value, labels[scope]) for scope in grantable_scopes(caller())],
            events=_list_upcoming_team_events(session),
            ticked=request.form.getlist("scopes") + request.form.getlist("events"),
            done=forms.done_message(done),
        )


@pages.post("/me/tokens")
@login_required
@form_view(redisplay(tokens, optional_fields=("scopes", "events")))
def create_token() -> str | Response:
    """Create an access token and show it once. Resubmitting the form redirects to the list of tokens."""
    fields = _validate_token_form()
    with unit_of_work() as session:
        if not forms.claim_submitted_form(session):
            return url_for("pages.tokens", done="before")
        row, secret = access_tokens.create_access_token(session, fields)
    return secret_page_response(
        template="me/new_token.html",
        title=_("The new token"),
        token=_token_row(row),
        secret=secret,
        example=f'curl -H "Authorization: Bearer {secret}" {links().api("/me")}',
    )


@pages.get("/me/tokens/<token_id>")
@login_required
def confirm_revoke_token(token_id: str) -> Response:
    with read_session() as session:
        row = access_tokens.get_access_token(session, token_id, current_member_id())
        return private_page_response(template="me/token.html", title=row.token.name, token=_token_row(row))


@pages.post("/me/tokens/<token_id>")
@login_required
def revoke_token(token_id: str) -> Response:
    with unit_of_work() as session:
        service.delete_access_token(session, token_id, current_member_id())
    return redirect(url_for("pages.tokens", done="revoked"), HTTPStatus.SEE_OTHER)


def _validate_token_form() -> dict[str, Any]:
    fields: dict[str, Any]
    body: dict[str, Any] = {
        "name": request.form.get("name", ""),
        "scopes": request.form.getlist("scopes"),
        "events": request.form.getlist("events") or None,
    }
    wrong_day = []
    if last_day := request.form.get("expires_at"):
        try:
            parse_local(f"{last_day}T23:59:59")
        except ValueError:
            wrong_day = [FieldError("/expires_at", _("must be a date such as 2026-12-31"))]
        else:
            body["expires_at"] = f"{last_day}T23:59:59Z"
    fields, errors = forms.load_with_errors(_TOKEN, body)
    if not body["scopes"]:
        errors = [error for error in errors if error.pointer != "/scopes"]
        errors.append(FieldError("/scopes", _("Choose at least one: a token without any could do nothing.")))
    raise_if_invalid([*errors, *wrong_day])
    return fields


def _list_upcoming_team_events(session: Session) -> Sequence[Event]:
    return list_team_events(session, caller(), past=False, paging=PageRequest(limit=MAX_LIMIT), now=now()).items


def _token_row(row: TokenWithEvents) -> Json:
    labels, token = _scope_labels(), row.token
    return {
        "id": token.id,
        "name": token.name,
        "scopes": [labels[Scope(scope)] for scope in token.scopes],
        "events": row.events,
        "made": format_instant_utc(token.created_at),
        "used": format_instant_utc(token.last_used_at),
        "expires": format_instant_utc(token.expires_at),
        "over": token.expires_at <= now(),
    }


def _scope_labels() -> dict[Scope, str]:
    return {
        Scope.READ: _("Read: whatever you can see yourself, your own talks and your agenda among it"),
        Scope.SUBMIT: _("Submit: what every member can do, such as submitting and changing talks"),
        Scope.ORGANISE: _("Organise: what you can do for the events whose team you are on"),
        Scope.ADMIN: _("Administer: whatever you can do on the whole site"),
    }


@pages.get("/me/feeds")
@login_required
def personal_feeds(form: Form = EMPTY_FORM, status: int = HTTPStatus.OK) -> Response:
    done = {
        "revoked": _("The address is revoked."),
        "before": _("This address was made before. It was shown that once; make another if you need it again."),
    }
    paging = PageRequest(cursor=request.args.get("cursor"))
    with read_session() as session:
        page = service.list_personal_feeds(session, current_member_id(), paging=paging)
        return private_page_response(
            template="me/feeds.html",
            title=_("Calendar addresses"),
            status=status,
            feeds=[
                (row, format_instant_utc(row.created_at), format_instant_utc(row.last_fetched_at)) for row in page.items
            ],
            next=page.next_cursor,
            form=form,
            form_key=forms.new_form_key(),
            done=forms.done_message(done),
        )


@pages.post("/me/feeds")
@login_required
@form_view(redisplay(personal_feeds))
def create_personal_feed() -> str | Response:
    """Create a secret URL and show it once. Resubmitting the form redirects to the list of URLs."""
    fields = forms.validate(_FEED, {"name": request.form.get("name", "")})
    with unit_of_work() as session:
        if not forms.claim_submitted_form(session):
            return url_for("pages.personal_feeds", done="before")
        row, secret = service.create_personal_feed(session, current_member(session), **fields, now=now())
    context: dict[str, Any] = calendar_apps_context(links().personal_feed(secret), row.name)
    return secret_page_response(template="me/new_feed.html", title=_("The new address"), feed=row, **context)


@pages.get("/me/feeds/<feed_id>")
@login_required
def confirm_revoke_personal_feed(feed_id: str) -> Response:
    with read_session() as session:
        row = service.get_personal_feed(session, feed_id, current_member_id())
        created, fetched = format_instant_utc(row.created_at), format_instant_utc(row.last_fetched_at)
        return private_page_response(template="me/feed.html", title=row.name, feed=row, made=created, fetched=fetched)


@pages.post("/me/feeds/<feed_id>")
@login_required
def revoke_personal_feed(feed_id: str) -> Response:
    """Revoke a secret URL. Requests for a revoked URL receive a 410 (Gone) response."""
    with unit_of_work() as session:
        service.revoke_personal_feed(session, feed_id, current_member_id(), now=now())
    return redirect(url_for("pages.personal_feeds", done="revoked"), HTTPStatus.SEE_OTHER)
