"""The composition root, which builds the services from the settings and the Flask app from the services."""

import gc
import os
import sys
from operator import attrgetter
from typing import Any

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from eventcal.config import Settings, read_settings
from eventcal.feeds.entries.entry_builder import EntryBuilder
from eventcal.feeds.index.feed_index import FeedIndex
from eventcal.kit.clock import Clock, SystemClock
from eventcal.kit.concurrency import ConcurrencyLimiter
from eventcal.kit.database import Database
from eventcal.members.security_log import write_security_log
from eventcal.metrics import has_metrics
from eventcal.schema import metadata
from eventcal.web.api.auth import auth
from eventcal.web.api.changes import changes
from eventcal.web.api.docs import docs
from eventcal.web.api.event_parts import event_parts
from eventcal.web.api.events import events, occurrences
from eventcal.web.api.invitations import invitations
from eventcal.web.api.me import agenda, contributions, me
from eventcal.web.api.members import members
from eventcal.web.api.speakers import pictures, speakers
from eventcal.web.api.sponsors import sponsors
from eventcal.web.api.talks import talks
from eventcal.web.cache_middleware import ResponseCacheMiddleware
from eventcal.web.embeds import embeds
from eventcal.web.feed_check.views import checking
from eventcal.web.feed_states import FeedStates, FeedStatesWithStandby, create_read_counters
from eventcal.web.feeds.views import calendars, documents
from eventcal.web.http.body_reader import BodyReader
from eventcal.web.http.conditional import register_cors_preflight
from eventcal.web.http.errors import register_error_handlers, requested_route
from eventcal.web.http.slow_clients import SlowClientMiddleware
from eventcal.web.http.url_converters import SegmentConverter
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.i18n import init_translations
from eventcal.web.identity.permissions import register_token_error_handlers
from eventcal.web.limiters import POOLED_CONNECTIONS, THREADS_PER_WORKER, Limiters
from eventcal.web.pages import register_pages
from eventcal.web.process_state import UNKNOWN_ROUTE, BackgroundThread, FetchCounter, RequestCounter
from eventcal.web.request.body import BufferedRequest
from eventcal.web.request.context import EXTENSION_KEY, Services, attach_services, release_write_slot
from eventcal.web.request.rate_limits import init_rate_limits
from eventcal.web.request.rejection_log import init_rejection_log
from eventcal.web.request.security_headers import register_security_headers
from eventcal.web.request.security_log import init_security_log
from eventcal.web.request.session_cookie import init_sessions
from eventcal.web.response_cache import ResponseCache
from eventcal.web.schemas.json_resource_renderer import JsonResourceRenderer
from eventcal.web.system import front, health

API_BLUEPRINTS = (
    auth,
    me,
    contributions,
    agenda,
    invitations,
    members,
    events,
    occurrences,
    event_parts,
    talks,
    speakers,
    sponsors,
    pictures,
    changes,
)
MAX_BODY_BYTES = 1024 * 1024
_RESPONSE_CACHE_BYTES = 32 * 1024 * 1024


def build_services(
    settings: Settings, *, clock: Clock | None = None, background: BackgroundThread | None = None
) -> Services:
    """Create the services. A database hook updates the feed index before each commit."""
    if not metadata.tables:
        raise RuntimeError("the schema is empty")
    clock = clock or SystemClock()
    links = UrlBuilder(settings.base_url)
    feed_index = FeedIndex(EntryBuilder(links=links, domain=settings.domain), JsonResourceRenderer(links))
    limiters = Limiters.create()
    database = Database(
        settings.database_url,
        clock=clock,
        hooks=[feed_index.update_entries],
        pool_size=POOLED_CONNECTIONS,
        slow_answers=limiters.slow_answers,
    )
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        feed_index=feed_index,
        feed_states=_create_feed_states(settings, database),
        links=links,
        responses=ResponseCache(_RESPONSE_CACHE_BYTES),
        fetch_counter=FetchCounter(),
        background=background or BackgroundThread(),
        body_reader=BodyReader(limiters.request_bodies),
        limiters=limiters,
        idempotency_keys=ConcurrencyLimiter("idempotency keys", limit=THREADS_PER_WORKER, per_key=1),
    )


def _create_feed_states(settings: Settings, database: Database) -> FeedStates:
    if settings.database_read_url is None:
        return FeedStates(database)
    # No thread waits for a standby that does not answer at once.
    impatient = ConcurrencyLimiter("slow standby", limit=0)
    standby = Database(
        settings.database_read_url, clock=database.clock, pool_size=POOLED_CONNECTIONS, slow_answers=impatient
    )
    counters = create_read_counters(settings.counters_folder) if has_metrics(settings) else None
    return FeedStatesWithStandby(database, standby, counters=counters)


def create_app(settings: Settings, *, clock: Clock | None = None, background: BackgroundThread | None = None) -> Flask:
    """Create the Flask app. `create_app` neither creates nor migrates the database."""
    app = EventcalApp("eventcal.web")
    services = build_services(settings, clock=clock, background=background)
    attach_services(app, services)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.url_map.strict_slashes = False
    # Merging slashes would redirect paths that contain "//" to the host given in the Host header, which is not trusted.
    app.url_map.merge_slashes = False
    app.url_map.converters["default"] = SegmentConverter
    app.teardown_appcontext(release_write_slot)
    register_error_handlers(app)
    init_sessions(app, settings)
    register_token_error_handlers(app)
    init_rate_limits(app, settings, services.limiters)
    init_security_log(app)
    init_translations(app)
    register_cors_preflight(app)
    register_security_headers(app)
    for blueprint in (calendars, documents, checking, health, front):
        app.register_blueprint(blueprint)
    register_pages(app)
    for blueprint in (embeds, *API_BLUEPRINTS, docs):
        app.register_blueprint(blueprint)
    init_rejection_log(app)
    counter = _create_request_counter(app, settings) if has_metrics(settings) else None
    # Cached responses are lists and need no body of a request, so that they do not pass through SlowClientMiddleware.
    cache = ResponseCacheMiddleware(SlowClientMiddleware(app.wsgi_app), app.extensions, counter)
    app.wsgi_app = cache  # type: ignore[method-assign]  # Flask documents this assignment
    if hops := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(cache, x_for=hops, x_proto=hops)  # type: ignore[method-assign]  # see above
    return app


def _create_request_counter(app: Flask, settings: Settings) -> RequestCounter:
    """Return a counter that counts all responses of the app."""
    routes = [rule.rule for rule in app.url_map.iter_rules()]
    services: Services = app.extensions[EXTENSION_KEY]
    counter = RequestCounter(
        settings.counters_folder, routes, sorted(services.limiters.all_and_budgets(), key=attrgetter("name"))
    )

    @app.after_request
    def count_response(response: Response) -> Response:
        counter.count_response(request.url_rule.rule if request.url_rule else UNKNOWN_ROUTE, response.status_code)
        counter.update_refusals()
        return response

    return counter


def create_worker_app() -> Flask:
    """Create the app of a worker process. The settings are read from the environment.

    Security events are written to standard error, unless the logger of the security log has been configured. Existing
    objects are excluded from garbage collection, because a full collection would delay requests by 60 ms.
    """
    write_security_log(sys.stderr)
    app = create_app(read_settings(os.environ))
    gc.collect()
    gc.freeze()
    return app


class EventcalApp(Flask):
    """A Flask app that logs unhandled exceptions with the route instead of the path, which can contain a secret."""

    request_class = BufferedRequest

    def log_exception(self, exc_info: Any) -> None:  # noqa: ANN401 - Flask's signature, which is a union of three types
        self.logger.error("failed at %s", requested_route(), exc_info=exc_info)
