"""What a person sees where something is refused or broken: the problem in words, and a way on.

Programs are given the problem as it is, and so is whoever fetches a calendar: what it makes of HTML nobody knows.
"""

import logging
from http import HTTPStatus

from flask import Response, request

from eventcal.web.http.problem_details import MEDIA_TYPE as PROBLEM
from eventcal.web.http.problem_details import Problem, ProblemAnswer
from eventcal.web.i18n import faults_in_words, in_words, language, said_to_people
from eventcal.web.rendering.page import MEDIA_TYPE, Page, guarded, render

_LOG = logging.getLogger(__name__)

_HTML, _JSON = "text/html", "application/json"
_API = "/api/"
# How the paths of feeds end, also of those that there are not.
_FEEDS = (".ics", ".jcal", ".xcal", ".jscal", ".csv", ".atom", "/schedule.xml", "/schedule.json")


def explain(answer: Response) -> Response:
    """Put a page in the place of a problem where a browser asked; status and headers stay."""
    if not isinstance(answer, ProblemAnswer) or not _is_for_people():
        return answer
    try:
        body = render(_page(answer.problem))
        spoken = language()
    except Exception:  # noqa: BLE001 - whatever it is, it must not become a second failure
        # What is there already says what happened.
        _LOG.exception("the page for an answer with status %s was not made", answer.status_code)
        return answer
    answer.set_data(body)
    answer.content_type = MEDIA_TYPE
    answer.content_language.add(spoken)
    answer.headers["Cache-Control"] = "no-store"
    answer.vary.update(("Accept", "Accept-Language"))
    return guarded(answer)


def _is_for_people() -> bool:
    """Say whether a browser asked for something that people look at."""
    path = request.path.rstrip("/")
    if request.path.startswith(_API) or path.endswith(_FEEDS):
        return False
    wanted = request.accept_mimetypes
    return bool(wanted[_HTML] > max(wanted[PROBLEM], wanted[_JSON]))


def _page(problem: Problem) -> Page:
    """Return the page that tells of a problem. Its address is not on it: a secret may be in it."""
    return Page(
        template="pages/refused.html",
        title=in_words(problem.title),
        path="/",
        indexed=False,
        values={
            "said": said_to_people(problem.code, problem.detail) if not problem.faults else None,
            "faults": faults_in_words(problem.faults),
            "status": int(problem.status),
            "sign_in": problem.status == HTTPStatus.UNAUTHORIZED,
            "later": problem.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE},
            "ours": problem.status == HTTPStatus.INTERNAL_SERVER_ERROR,
            # Where the home page is in another language; this page's own address is not repeated.
            "home_in": "/?lang={lang}".format,
        },
    )
