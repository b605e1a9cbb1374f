"""Subscribing: any view at hand as a feed, with its address and what each calendar program makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from urllib.parse import parse_qsl

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from eventcal.events.filter import Filter
from eventcal.feeds.options import Cancelled
from eventcal.kit.catalogue import LANGUAGES
from eventcal.kit.refusals import Invalid
from eventcal.web.http.urls import with_query
from eventcal.web.i18n.locale import language
from eventcal.web.i18n.messages import in_words
from eventcal.web.identity.permissions import feed
from eventcal.web.pages.public.feed_target import USUAL, Target, feed_args, settled, target_of
from eventcal.web.params.listing_filters import Asked, Include, canonical_query, read_feed
from eventcal.web.rendering.calendar_apps import ways_in
from eventcal.web.rendering.dates import long_day
from eventcal.web.rendering.labels import value_in_words, word_for
from eventcal.web.rendering.page import MEDIA_TYPE, FeedLink, Page, guarded, pages, render, show

# What the form itself has fields for.
_CHOICES = frozenset({"include", "cancelled"})


@pages.get("/subscribe")
@feed
def subscribe() -> Response:
    """Offer the view that the query describes as a feed; a faulty query is given back with its faults (422)."""
    args = feed_args(request.args)
    try:
        asked = settled(read_feed(args))
    except Invalid as refusal:
        return _faulty(args, refusal)

    def make(session: Session, _moment: datetime) -> Page:
        return _offer(target_of(session, asked))

    return show(make)


def _offer(target: Target) -> Page:
    url = target.url()
    whole = target.asked == Asked()
    return Page(
        template="pages/subscribe.html",
        title=_title(target),
        path=with_query("/subscribe", canonical_query(target.asked)),
        description=_("Events and talks in your own calendar, always up to date."),
        feeds=(FeedLink(url=url, type="text/calendar", title=target.name),),
        indexed=whole,
        values={
            "name": target.name,
            **ways_in(url, target.name),
            "sisters": target.sisters(),
            "holds": _holds(target),
            "form": _form(target.asked, kinds=target.kinds),
        },
    )


def _title(target: Target) -> str:
    if target.asked == Asked():
        return str(_("Subscribe"))
    if target.path == "/calendar":
        return str(_("Subscribe to this selection"))
    return str(_("Subscribe: %(name)s", name=target.name))


def _holds(target: Target) -> Sequence[tuple[str, str]]:
    """Return what a feed holds, as labels and words."""
    kinds = {
        Include.EVENTS: _("Events"),
        Include.TALKS: _("Talks"),
        Include.DEADLINES: _("When calls for talks open and close"),
    }
    included = target.asked.include or USUAL
    said = [(_("Holds"), ", ".join(kinds[one] for one in kinds if one in included))]
    for name, value in _pairs(target.narrowed):
        said.append((_called(name), _shown(target.asked.filter, name, value)))
    days = target.asked.filter.from_day or target.asked.filter.to_day
    if target.path == "/calendar" and days is None:
        said.append((_("Days"), _("The last weeks, and more than a year ahead")))
    return said


def _shown(asked: Filter, name: str, value: str) -> str:
    day = {"from": asked.from_day, "to": asked.to_day}.get(name)
    return long_day(day) if day is not None else value_in_words(name, value)


def _called(name: str) -> str:
    """Return what a parameter is called."""
    own = {"tz": _("Times in"), "profile": _("Details")}
    return own.get(name) or word_for(name)


def _pairs(asked: Asked) -> list[tuple[str, str]]:
    """Return the parameters of what is asked, those apart that the form has fields for."""
    return parse_qsl(canonical_query(replace(asked, include=(), cancelled=Cancelled.KEEP)))


def _form(asked: Asked, *, kinds: bool) -> Mapping[str, object]:
    return {
        "hidden": [*_pairs(asked), *_spoken()],
        "kinds": kinds,
        "include": [one.value for one in asked.include or USUAL],
        "cancelled": asked.cancelled.value,
        "fields": [],
        "faults": {},
    }


def _faulty(args: MultiDict[str, str], refusal: Invalid) -> Response:
    """Give a query back in fields to be put right, each fault beside its own."""
    faults = {fault.pointer.removeprefix("?"): in_words(fault.detail) for fault in reversed(refusal.faults)}
    given = [(name, value) for name, value in args.items(multi=True) if name not in _CHOICES]
    form = {
        "hidden": [*((name, value) for name, value in given if name not in faults), *_spoken()],
        "kinds": True,
        "include": [one for value in args.getlist("include") for one in value.split(",")] or list(USUAL),
        "cancelled": args.get("cancelled", Cancelled.KEEP.value),
        "fields": [(name, _called(name), value) for name, value in given if name in faults],
        "faults": faults,
    }
    page = Page(
        template="pages/subscribe.html",
        title=_("Subscribe"),
        path="/subscribe",
        indexed=False,
        values={"url": None, "form": form},
    )
    answer = Response(render(page), status=HTTPStatus.UNPROCESSABLE_ENTITY, content_type=MEDIA_TYPE)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Language"] = language()
    answer.vary.add("Accept-Language")
    return guarded(answer)


def _spoken() -> list[tuple[str, str]]:
    """Return the language that the reader chose by hand, for the form to keep."""
    chosen = request.args.get("lang")
    return [("lang", chosen)] if chosen in LANGUAGES else []
