"""Metrics in the Prometheus text format.

Requests and refusals are counted by each process in files (`kit/shared_counters.py`). The time of the last backup is
that of a file, and all other figures are read from the database.
"""

import hmac
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from eventcal.backup import last_backup_time
from eventcal.config import Settings
from eventcal.feeds.index.models import read_feed_state
from eventcal.kit.database import Database
from eventcal.kit.errors import DatabaseBusy
from eventcal.kit.shared_counters import read_totals
from eventcal.outbox.service import count_unsent_mail

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REQUESTS, REFUSALS = "eventcal_requests_total", "eventcal_refusals_total"
READS, STANDBY_SKIPS = "eventcal_reads_total", "eventcal_standby_skips_total"
LAST_BACKUP = "eventcal_last_backup_timestamp_seconds"

_DESCRIPTIONS = {
    REQUESTS: ("counter", "Responses by route and class of status code."),
    REFUSALS: ("counter", "Requests refused because too many operations of the same kind were running."),
    READS: ("counter", "Reads of the feed state by source, if a standby is configured."),
    STANDBY_SKIPS: ("counter", "Reads for which the standby was asked but could not be used, by reason."),
    "eventcal_database_up": ("gauge", "Whether the database can be read."),
    "eventcal_feed_revision": ("gauge", "The revision of the feeds, which increases with each public change."),
    LAST_BACKUP: ("gauge", "The time of the last backup in seconds since 1970."),
    "eventcal_email_queue": ("gauge", "Email that has not been sent, and email that could not be sent."),
}


def format_series(metric: str, **labels: str) -> str:
    """Return a metric with its labels, as in `eventcal_requests_total{route="/",status="2xx"}`."""
    return metric + "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def render_metrics(database: Database, settings: Settings) -> bytes:
    """Return the current metrics of all processes of the installation."""
    totals = read_totals(settings.counters_folder).items()
    counted = {name: value for name, value in totals if value or REFUSALS in name}
    backed_up_at = last_backup_time(settings)
    backups = {} if backed_up_at is None else {LAST_BACKUP: int(backed_up_at)}
    values = {**counted, **backups, **_read_database_metrics(database)}
    lines = []
    for metric, (kind, description) in _DESCRIPTIONS.items():
        lines += [f"# HELP {metric} {description}", f"# TYPE {metric} {kind}"]
        lines += (f"{name} {values[name]}" for name in sorted(values) if name.partition("{")[0] == metric)
    return "".join(f"{line}\n" for line in lines).encode()


def has_metrics(settings: Settings) -> bool:
    return settings.metrics_port is not None or settings.metrics_token is not None


def _read_database_metrics(database: Database) -> Mapping[str, int]:
    try:
        with database.read_session() as session:
            waiting, failed = count_unsent_mail(session)
            revision = read_feed_state(session.connection()).revision
    except (SQLAlchemyError, DatabaseBusy):
        return {"eventcal_database_up": 0}
    return {
        "eventcal_database_up": 1,
        "eventcal_feed_revision": revision,
        format_series("eventcal_email_queue", state="waiting"): waiting,
        format_series("eventcal_email_queue", state="failed"): failed,
    }


def is_authorized(authorization: str | None, settings: Settings) -> bool:
    """Return whether the Authorization header contains METRICS_TOKEN, or whether no token is required."""
    if settings.metrics_token is None:
        return True
    given = (authorization or "").encode(errors="surrogateescape")
    return hmac.compare_digest(given, f"Bearer {settings.metrics_token}".encode())


def create_metrics_server(database: Database, settings: Settings) -> ThreadingHTTPServer:
    """Return an HTTP server for METRICS_PORT that only serves `/metrics`. Raises OSError if the port is not free."""
    if settings.metrics_port is None:
        raise ValueError("METRICS_PORT is not set")
    server = ThreadingHTTPServer(
        (settings.metrics_host, settings.metrics_port), partial(_MetricsHandler, database, settings)
    )
    server.daemon_threads = True
    return server


class _MetricsHandler(BaseHTTPRequestHandler):
    timeout = 10

    def __init__(self, database: Database, settings: Settings, *args: Any) -> None:
        self._database, self._settings = database, settings
        super().__init__(*args)

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self._respond(HTTPStatus.NOT_FOUND)
        elif not is_authorized(self.headers.get("Authorization"), self._settings):
            self._respond(HTTPStatus.UNAUTHORIZED)
        else:
            self._respond(HTTPStatus.OK, render_metrics(self._database, self._settings))

    def _respond(self, status: HTTPStatus, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Type", MEDIA_TYPE)
        self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no access log."""
