"""The feeds: a path and a query become a Feed in a format, and that the answer."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from eventcal.feeds.feed import settled
from eventcal.feeds.feed_assembly import Assembly, Wanted, assemble, follow, may_follow
from eventcal.feeds.fetches import personal_feed_key
from eventcal.feeds.format_registry import CALENDARS, CSV, Format, Options
from eventcal.feeds.index.state import State
from eventcal.kit.database import Database
from eventcal.kit.refusals import Busy
from eventcal.members.models import PersonalFeed
from eventcal.web.feeds import definitions
from eventcal.web.feeds.count_fetch import count_fetch
from eventcal.web.feeds.definitions import Subscription, head_of
from eventcal.web.feeds.endpoint import MakeFind, described, offered
from eventcal.web.http.representation import Origin
from eventcal.web.identity.permissions import feed as for_everybody
from eventcal.web.params.listing_filters import Asked, Profile, canonical_query, read_feed
from eventcal.web.request.context import house, now, reading
from eventcal.web.serving.cached_document import NOTHING_KEPT, Document, Find, Made, serve_document

calendars = Blueprint("calendars", __name__)

# How exactly a member is told when a device of theirs last came: each note is a write.
_NOTED_EVERY = timedelta(hours=1)

# What is asked for at a moment, as a subscription, given what the path names; refuses what is not there.
Subscribe = Callable[..., Subscription]


def find_feed(subscribe: Subscribe, asked: Asked, fmt: Format) -> Find:
    """Return what finds a feed, as it was asked for, in a format."""

    def find(session: Session, moment: datetime) -> Document:
        subscription = subscribe(session, asked, moment)
        return Document(
            make=partial(_make, subscription=subscription, asked=asked, fmt=fmt, moment=moment),
            media_type=fmt.media_type,
            filename=f"{subscription.filename}.{fmt.name}",
            cache_control=subscription.cache_control,
            dated=subscription.dated and not asked.filter.call_open,
        )

    return find


def _make(
    session: Session,
    state: State,
    earlier: Origin | None,
    *,
    subscription: Subscription,
    asked: Asked,
    fmt: Format,
    moment: datetime,
) -> Made:
    """Make a feed from an earlier one and what changed since, where that tells everything; else read it whole."""
    wanted = Wanted(
        feed=settled(session, subscription.feed),
        format=fmt,
        options=Options(cancelled=asked.cancelled, utc=asked.utc, rich=asked.profile == Profile.RICH),
        head=head_of(subscription, canonical_query(asked), suffix=fmt.name),
        renderer=house().ledger.renderer,
    )
    if isinstance(earlier, Assembly) and may_follow(earlier, revision=state.revision, reshaped_at=state.reshaped_at):
        made = follow(session, wanted, earlier, revision=state.revision, now=moment)
    else:
        made = assemble(session, wanted, revision=state.revision, now=moment)
    if isinstance(earlier, Assembly) and earlier.version == made.version:
        # Equal bytes are held once.
        made = replace(made, body=earlier.body)
    return Made(version=made.version, body=made.body, origin=made)


def _offer(path: str, subscribe: Subscribe, formats: Iterable[Format]) -> None:
    """Serve a feed at a path, with a suffix for each format."""
    for fmt in formats:
        view = offered(_finds(subscribe, fmt), media_type=fmt.media_type, says=subscribe.__doc__)
        calendars.add_url_rule(f"{path}.{fmt.name}", f"{subscribe.__name__}_{fmt.name}", for_everybody(view))


def _finds(subscribe: Subscribe, fmt: Format) -> MakeFind:
    return lambda asked, **named: find_feed(partial(subscribe, **named), asked, fmt)


def _agenda(fmt: Format) -> Callable[..., Response]:
    """Return the view of a secret feed, which notes for its owner that a device came."""
    make_find = _finds(definitions.one_agenda, fmt)

    def view(*, secret: str) -> Response:
        with reading() as session:
            found = definitions.get_personal_feed(session, secret)
        count_fetch(personal_feed_key(found.id))
        definitions.check_works(found)
        answer = serve_document(make_find(read_feed(request.args), secret=secret), cache=NOTHING_KEPT)
        moment = now()
        if found.last_fetched_at is None or moment - found.last_fetched_at >= _NOTED_EVERY:
            house().afterwards.do(partial(_note_fetch, house().database, found.id, moment))
        return answer

    return described(view, make_find, media_type=fmt.media_type, says=definitions.one_agenda.__doc__)


def _note_fetch(database: Database, feed_id: str, moment: datetime) -> None:
    """Write down for its owner that a device came; where too much else is written, the next time will do."""
    with suppress(Busy), database.unit_of_work() as unit:
        unit.session.get_one(PersonalFeed, feed_id).last_fetched_at = moment


_offer("/calendar", definitions.whole_calendar, [*CALENDARS, CSV])
_offer("/deadlines", definitions.deadlines, CALENDARS)
_offer("/events/<slug>", definitions.one_event, CALENDARS)
_offer("/talks/<talk_id>", definitions.one_talk, CALENDARS)
_offer("/speakers/<slug>", definitions.one_speaker, CALENDARS)
for _fmt in CALENDARS:
    calendars.add_url_rule(f"/feeds/<secret>.{_fmt.name}", f"one_agenda_{_fmt.name}", for_everybody(_agenda(_fmt)))
