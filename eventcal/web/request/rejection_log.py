"""Log lines for requests that are rejected because the server is busy or because the request is too large.

Requests that exceed a rate limit are logged in the security log.
"""

import logging
from http import HTTPStatus
from typing import cast

from flask import Flask, Response, current_app, g

from eventcal.kit.log_throttle import LogThrottle
from eventcal.web.http.errors import REJECTION_CAUSE, requested_route
from eventcal.web.http.problem_details import ProblemResponse
from eventcal.web.request.context import services

THROTTLE_KEY = "eventcal_rejections"

_LOG = logging.getLogger(__name__)
_LOGGED = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE}


def init_rejection_log(app: Flask) -> None:
    """Log rejected requests, at most once a minute for each error code.

    Flask calls the functions of `after_request` in reverse order, so that this function must be called after the
    registration of the function that renders problem details as HTML.
    """
    app.extensions[THROTTLE_KEY] = LogThrottle()
    app.after_request(_log_rejection)


def _log_rejection(response: Response) -> Response:
    if response.status_code in _LOGGED and isinstance(response, ProblemResponse):
        code = response.problem.code
        throttle = cast("LogThrottle", current_app.extensions[THROTTLE_KEY])
        repeated = throttle.admit(code, now=services().clock.now())
        if repeated is not None:
            cause = g.get(REJECTION_CAUSE)
            _LOG.warning(
                "%s %s at %s%s; %d more since the previous line",
                response.status_code,
                code,
                requested_route(),
                f": {cause}" if cause else "",
                repeated,
            )
    return response
