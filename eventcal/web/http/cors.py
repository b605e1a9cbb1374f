"""Answers to a browser that asks, for a page of another origin, what it may send (the Fetch standard, 4.9).

Any origin may read what is public, with conditional headers and without credentials. Nothing else is allowed: no
cookie, no token and no unsafe method ever comes from another origin's page.
"""

from flask import Flask, Response, request

_READ_WITH = "Accept, If-Modified-Since, If-None-Match"
_FOR_A_DAY = "86400"


def answer_preflights(app: Flask) -> None:
    """Let `app` say to preflight requests that reading is free."""
    app.after_request(_allow_reading)


def _allow_reading(answer: Response) -> Response:
    wanted = request.headers.get("Access-Control-Request-Method")
    if request.method == "OPTIONS" and wanted in {"GET", "HEAD"} and "GET" in (answer.allow or ()):
        answer.headers["Access-Control-Allow-Origin"] = "*"
        answer.headers["Access-Control-Allow-Methods"] = "GET, HEAD"
        answer.headers["Access-Control-Allow-Headers"] = _READ_WITH
        answer.headers["Access-Control-Max-Age"] = _FOR_A_DAY
    return answer
