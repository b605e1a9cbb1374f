"""The feed views, and access to the content of a feed for other views."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from flask import Blueprint, Response, after_this_request, request
from werkzeug.datastructures import MultiDict

from eventcal.feeds.clients import MAX_USER_AGENT_LENGTH, detect_client_kind
from eventcal.feeds.fetches import personal_feed_key
from eventcal.kit.database import Database
from eventcal.kit.refusals import DatabaseBusy
from eventcal.members.models import PersonalFeed
from eventcal.web.feeds.definitions import check_works, get_personal_feed
from eventcal.web.feeds.endpoints import CALENDAR_FEEDS, FEEDS, OTHER_FEEDS, PERSONAL_FEEDS
from eventcal.web.http.representation import Representation
from eventcal.web.identity.permissions import anonymous as for_everybody
from eventcal.web.params.listing_filters import feed_key, read_feed
from eventcal.web.request.context import now, reading, services
from eventcal.web.serving import render_uncached, serve_cached, serve_uncached

calendars = Blueprint("calendars", __name__)
documents = Blueprint("documents", __name__)

# The resolution of `last_fetched_at` of a personal feed. A finer one would cost a write per fetch.
_NOTED_EVERY = timedelta(hours=1)


@for_everybody
def public_feed(**path_args: str) -> Response:
    """Serve a public feed and count the fetch."""
    asked = read_feed(request.args)
    key = feed_key(request.path, asked)
    _count_fetch(key)
    document = FEEDS[request.endpoint or ""].document(asked, path_args, counted=key)
    # Calls for talks open and close without a new revision, so these feeds must not be cached.
    return serve_uncached(document) if asked.filter.call_open else serve_cached(document)


@for_everybody
def personal_feed(secret: str) -> Response:
    """Serve a member's personal feed, count the fetch and record its time."""
    with reading() as session:
        found = get_personal_feed(session, secret)
    _count_fetch(personal_feed_key(found.id))
    check_works(found)
    answer = serve_uncached(FEEDS[request.endpoint or ""].document(read_feed(request.args), {"secret": secret}))
    moment = now()
    if found.last_fetched_at is None or moment - found.last_fetched_at >= _NOTED_EVERY:
        services().afterwards.submit(partial(_note_fetch, services().database, found.id, moment))
    return answer


def _count_fetch(feed_key: str) -> None:
    """Count this request as a fetch if the response status is meaningful to calendar apps."""

    @after_this_request
    def count(answer: Response) -> Response:
        client = detect_client_kind(request.headers.get("User-Agent", "")[:MAX_USER_AGENT_LENGTH])
        tally, is_counted = services().tally, answer.status_code in {200, 304, 410}
        if is_counted and tally.increment(feed_key, client, status=answer.status_code, moment=now()):
            services().afterwards.submit(partial(tally.flush, services().database))
        return answer


def _note_fetch(database: Database, feed_id: str, moment: datetime) -> None:
    """Record the time of a fetch of a personal feed. If the database is busy, it is skipped."""
    with suppress(DatabaseBusy), database.unit_of_work() as unit:
        unit.session.get_one(PersonalFeed, feed_id).last_fetched_at = moment


def rendition_of(endpoint: str, path_args: Mapping[str, str], args: MultiDict[str, str]) -> Representation:
    """Return the current representation of a feed. Raises the same errors as its view."""
    return render_uncached(FEEDS[endpoint].document(read_feed(args), path_args), now())


for _feed in CALENDAR_FEEDS:
    calendars.add_url_rule(_feed.rule, _feed.name, public_feed)
for _feed in PERSONAL_FEEDS:
    calendars.add_url_rule(_feed.rule, _feed.name, personal_feed)
for _feed in OTHER_FEEDS:
    documents.add_url_rule(_feed.rule, _feed.name, public_feed)
