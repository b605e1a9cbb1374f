"""Security events for rejected requests, and the details of the request in each line of the security log."""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import cast

from flask import Flask, Response, current_app, g, has_request_context, request

from eventcal.kit.log_throttle import LogThrottle
from eventcal.members.security_log import SECURITY_LOGGER, SecurityEvent, log_security_event
from eventcal.web.http.errors import requested_route
from eventcal.web.request.client_address import client_network
from eventcal.web.request.context import services, settings

_THROTTLE_KEY = "eventcal_rejected_requests"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_EVENTS: Mapping[int, SecurityEvent] = {
    HTTPStatus.FORBIDDEN: SecurityEvent.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS: SecurityEvent.RATE_LIMITED,
}


def init_security_log(app: Flask) -> None:
    """Log responses with status 403 and 429, and add the details of the request to each event."""
    app.extensions[_THROTTLE_KEY] = LogThrottle()
    app.after_request(_log_rejection)
    SECURITY_LOGGER.addFilter(_REQUEST_FIELDS)


def log_rejected_request(event: SecurityEvent) -> None:
    """Log that the request is rejected, at most once a minute for each event and client.

    The next line reports as `repeated` how many rejections have not been logged since the previous line.
    """
    g.rejection_logged = True
    throttle = cast("LogThrottle", current_app.extensions[_THROTTLE_KEY])
    repeated = throttle.admit((event, client_network()), now=services().clock.now())
    if repeated is not None:
        log_security_event(event, repeated=repeated)


def _log_rejection(response: Response) -> Response:
    event = _EVENTS.get(response.status_code)
    if event is not None and "rejection_logged" not in g:
        log_rejected_request(event)
    return response


class _RequestFields(logging.Filter):
    """Adds the client, the route, the signed-in member and the request ID to the events of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        if has_request_context():
            caller = g.get("caller")
            fields = {
                "client": request.remote_addr,
                # The path is not logged, because it can contain a secret.
                "route": requested_route(),
                "by": None if caller is None else caller.member_id,
                "request_id": _request_id(),
            }
            record.security.update({name: value for name, value in fields.items() if value})  # type: ignore[attr-defined]  # an extra attribute
        return True


_REQUEST_FIELDS = _RequestFields()


def _request_id() -> str | None:
    """Return the X-Request-ID header that a trusted proxy has set, or None."""
    if not settings().trusted_proxies:
        return None
    found = _REQUEST_ID.fullmatch(request.headers.get("X-Request-ID", ""))
    return found and found[0]
