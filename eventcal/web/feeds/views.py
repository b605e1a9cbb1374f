"""The views that serve feeds, and a function that renders a feed for the feed check."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from flask import Blueprint, Response, after_this_request, request
from werkzeug.datastructures import MultiDict

from eventcal.feeds.clients import detect_client_kind
from eventcal.feeds.fetch_counts import personal_feed_key
from eventcal.kit.database import Database
from eventcal.kit.errors import DatabaseBusy
from eventcal.members.models import PersonalFeed
from eventcal.web.documents import render_uncached, serve_cached, serve_uncached
from eventcal.web.feeds.definitions import check_feed_active, get_personal_feed
from eventcal.web.feeds.endpoints import CALENDAR_FEEDS, FEEDS, OTHER_FEEDS, PERSONAL_FEEDS
from eventcal.web.http.representation import Representation
from eventcal.web.identity.permissions import anonymous as for_everybody
from eventcal.web.params.listing_filters import fetch_counter_key, parse_feed_query
from eventcal.web.request.context import now, read_session, services

calendars = Blueprint("calendars", __name__)
documents = Blueprint("documents", __name__)

# A finer resolution of the database column `last_fetched_at` would require more database writes.
_FETCH_TIME_RESOLUTION = timedelta(hours=1)


@for_everybody
def public_feed(**path_args: str) -> Response:
    asked = parse_feed_query(request.args)
    key = fetch_counter_key(request.path, asked)
    _count_fetch_after_request(key)
    document = FEEDS[request.endpoint or ""].build_document(asked, path_args, fetch_key=key)
    # Calls for talks open and close without a new revision, so feeds that are filtered by open calls are not cached.
    return serve_uncached(document) if asked.filter.call_open else serve_cached(document)


@for_everybody
def personal_feed(secret: str) -> Response:
    with read_session() as session:
        found = get_personal_feed(session, secret)
    _count_fetch_after_request(personal_feed_key(found.id))
    check_feed_active(found)
    document = FEEDS[request.endpoint or ""].build_document(parse_feed_query(request.args), {"secret": secret})
    response = serve_uncached(document)
    moment = now()
    if found.last_fetched_at is None or moment - found.last_fetched_at >= _FETCH_TIME_RESOLUTION:
        services().background.submit(partial(_record_fetch_time, services().database, found.id, moment))
    return response


def _count_fetch_after_request(feed_key: str) -> None:
    @after_this_request
    def count_response(response: Response) -> Response:
        client = detect_client_kind(request.headers.get("User-Agent", ""))
        tally, is_counted = services().fetch_counter, response.status_code in {200, 304, 410}
        if is_counted and tally.increment(feed_key, client, status=response.status_code, now=now()):
            services().background.submit(partial(tally.flush, services().database))
        return response


def _record_fetch_time(database: Database, feed_id: str, now: datetime) -> None:
    with suppress(DatabaseBusy), database.unit_of_work() as unit:
        unit.session.get_one(PersonalFeed, feed_id).last_fetched_at = now


def render_feed(endpoint: str, path_args: Mapping[str, str], args: MultiDict[str, str]) -> Representation:
    """Return the current representation of a feed. Raises the same errors as the feed view."""
    return render_uncached(FEEDS[endpoint].build_document(parse_feed_query(args), path_args), now())


for _feed in CALENDAR_FEEDS:
    calendars.add_url_rule(_feed.rule, _feed.name, public_feed)
for _feed in PERSONAL_FEEDS:
    calendars.add_url_rule(_feed.rule, _feed.name, personal_feed)
for _feed in OTHER_FEEDS:
    documents.add_url_rule(_feed.rule, _feed.name, public_feed)
