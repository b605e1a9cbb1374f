"""Secret addresses of a member's agenda, one for each device: made, shown once, listed, revoked."""

from http import HTTPStatus

from flask import redirect, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.kit.paging import Paging
from eventcal.kit.refusals import Refusal
from eventcal.members.models import PersonalFeed
from eventcal.members.queries import get_feed, list_feeds
from eventcal.members.service import give_feed, revoke_feed
from eventcal.web.identity.current_user import current_member_id
from eventcal.web.identity.permissions import current_member
from eventcal.web.pages.me.layout import is_taken_now, new_form_key, own_page, show_secret
from eventcal.web.rendering.calendar_apps import ways_in
from eventcal.web.rendering.dates import When, at
from eventcal.web.rendering.forms import Form, faults_of, said_after, typed_again, validate
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, handle_form, signed_in
from eventcal.web.request.context import links, now, reading, unit_of_work
from eventcal.web.schemas.me import FeedIn

_FEED = FeedIn()
_HOME = "/me/feeds"


@pages.get("/me/feeds")
@signed_in
def feeds() -> Response:
    """Show the names of a member's secret addresses and when each was last fetched, and the form to make another."""
    with reading() as session:
        return answer_page(_list(session, Form()))


@pages.post("/me/feeds")
@signed_in
def make_feed() -> Response:
    """Make a secret address and show it, this once; a form that comes again leads back to the list."""
    return handle_form(_create, render_form=_render_error)


def _create() -> str | Response:
    fields = validate(_FEED, {"name": request.form.get("name", "")})
    with unit_of_work() as session:
        if not is_taken_now(session):
            return f"{_HOME}?done=before"
        feed, secret = give_feed(session, current_member(session), **fields, now=now())
    shown = ways_in(links().personal_feed(secret), feed.name)
    title = _("The new address")
    return show_secret(own_page(template="new_feed.html", title=title, path=_HOME, feed=feed, **shown))


@pages.get("/me/feeds/<feed_id>")
@signed_in
def feed(feed_id: str) -> Response:
    """Show one of a member's secret addresses by what is kept of it, and ask whether it is to be revoked."""
    with reading() as session:
        row = get_feed(session, feed_id, current_member_id())
        page = own_page(
            template="feed.html",
            title=row.name,
            path=f"{_HOME}/{row.id}",
            feed=row,
            made=_when(row)[0],
            fetched=_when(row)[1],
        )
        return answer_page(page)


@pages.post("/me/feeds/<feed_id>")
@signed_in
def end_feed(feed_id: str) -> Response:
    """Revoke a secret address: whoever has it is told that it is gone."""
    with unit_of_work() as session:
        revoke_feed(session, get_feed(session, feed_id, current_member_id()), now=now())
    return redirect(f"{_HOME}?done=revoked", HTTPStatus.SEE_OTHER)


def _render_error(session: Session, error: Refusal) -> Page:
    return _list(session, typed_again(request.form, faults_of(error)))


def _list(session: Session, form: Form) -> Page:
    found = list_feeds(session, current_member_id(), paging=Paging(cursor=request.args.get("cursor")))
    return own_page(
        template="feeds.html",
        title=_("Calendar addresses"),
        path=_HOME,
        feeds=[(row, *_when(row)) for row in found.items],
        next=found.next,
        form=form,
        form_key=new_form_key(),
        done=said_after(
            {
                "revoked": _("The address is revoked."),
                "before": _("This address was made before. It was shown that once; make another if you need it again."),
            }
        ),
    )


def _when(row: PersonalFeed) -> tuple[When, When | None]:
    """Return when an address was made and when it was last fetched."""
    fetched = row.last_fetched_at
    return at(row.created_at, tzid="UTC"), at(fetched, tzid="UTC") if fetched else None
