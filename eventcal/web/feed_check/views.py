"""The feed check, which reports the content, status, fetches and problems of a feed without sending HTTP requests."""

from collections.abc import Iterable
from datetime import UTC
from functools import partial
from http import HTTPStatus

import orjson
from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from eventcal.feeds.clients import CLIENTS
from eventcal.feeds.fetch_counts import list_feed_fetches, personal_feed_key
from eventcal.feeds.inspect_feed import FeedSummary, summarize_feed
from eventcal.kit.errors import Gone, Invalid, Message, NotFound
from eventcal.kit.localtime import format_utc
from eventcal.members.service import find_personal_feed_by_secret
from eventcal.web.feed_check.feed_url_diagnosis import REDACTED, Diagnosis, FeedUrl, diagnose, diagnose_unknown_url
from eventcal.web.feeds.views import render_feed
from eventcal.web.http.conditional import conditional_response, entity_tag, etag_of
from eventcal.web.http.content_encoding import IDENTITY
from eventcal.web.http.errors import status_of
from eventcal.web.http.representation import Representation
from eventcal.web.i18n import current_language, translate
from eventcal.web.identity.permissions import anonymous
from eventcal.web.params.feed_check import MAX_URL_LENGTH, FeedCheckQuerySchema
from eventcal.web.params.fields import load_query
from eventcal.web.params.listing_filters import FeedQuery, fetch_counter_key, parse_feed_query
from eventcal.web.rendering.page import CONTENT_SECURITY_POLICY, MEDIA_TYPE, Page, render_html
from eventcal.web.request.context import now, read_session, services
from eventcal.web.request.rate_limits import count_feed_check
from eventcal.web.schemas.response_schema import Json

checking = Blueprint("checking", __name__)

JSON, HTML = "application/json", "text/html"
_INVALID_QUERY = Message("See `errors` for details. Within `url`, write & as %(escaped)s.", escaped="%26")
_CLIENTS = [
    {"client": kind, "name": facts.name, "expect": facts.expect, "refresh_now": facts.refresh_now}
    for kind, facts in CLIENTS.items()
]
# The URL of the page can contain a secret, so the URL must not be sent as a referrer or indexed by search engines.
_PAGE_HEADERS = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@checking.get("/feeds/check")
@anonymous
def check() -> Response:
    """Explain why a calendar does not update.

    The report contains the content, latest change and response status of a feed, possible problems, and the fetches and
    known behaviour of each kind of client. Clients that prefer `text/html` get an HTML page. Secrets in URLs are
    replaced with an ellipsis.
    """
    if request.accept_mimetypes.best_match([JSON, HTML], default=JSON) == HTML:
        response = _html_response()
    else:
        response = _uncached_response(orjson.dumps(_check_feed(_load_url_arg(request.args))), JSON)
    response.vary.add("Accept")
    return response


def _html_response() -> Response:
    report, fault = None, None
    if request.args.get("url", "").strip():
        try:
            report = _check_feed(_load_url_arg(MultiDict({"url": request.args["url"]})))
        except Invalid as error:
            fault = translate(error.errors[0].detail)
    # Links to translations of the page do not include the feed URL, which can contain a secret.
    check_url = partial(url_for, "checking.check")
    page = Page(
        template="feeds/check.html",
        title=_("Why does my calendar not update?"),
        indexed=False,
        context={"said": report, "fault": fault, "longest": MAX_URL_LENGTH, "without": check_url},
    )
    response = _uncached_response(render_html(page).encode(), MEDIA_TYPE)
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    if fault is not None:
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    response.headers.update({**_PAGE_HEADERS, "Content-Language": current_language()})
    response.vary.add("Accept-Language")
    return response


def _uncached_response(body: bytes, media_type: str) -> Response:
    etag = etag_of(body)
    rendered = Representation(body=body, media_type=media_type, etag=etag, last_modified=None, cache_control="no-store")
    return conditional_response(rendered, now())


def _load_url_arg(args: MultiDict[str, str]) -> str:
    try:
        return str(load_query(FeedCheckQuerySchema(), args)["url"])
    except Invalid as error:
        raise Invalid(_INVALID_QUERY, errors=error.errors) from error


def _check_feed(url: str) -> Json:
    """Return the report for a feed URL, after counting the check.

    Raises Invalid if the URL does not belong to this site, TooManyRequests, or Overloaded if too many checks run.
    """
    count_feed_check()
    with services().limiters.feed_checks.slot():
        return _build_report(url)


def _build_report(url: str) -> Json:
    here = FeedUrl.parse(url)
    try:
        if not here.endpoint:
            raise NotFound(Message("There is no feed at this address."))
        representation = render_feed(here.endpoint, here.view_args, here.args)
        asked = parse_feed_query(here.args)
    except (NotFound, Gone, Invalid) as error:
        detail = Message("The address contains invalid parameters.") if isinstance(error, Invalid) else error.detail
        return {
            "url": here.redacted_url(None),
            "feed": None,
            "status": int(status_of(type(error))),
            "detail": detail,
            "problems": _diagnoses_json(diagnose_unknown_url(here, error), here),
            "lint": None,
            # The fetches of a revoked feed are reported, because the owner's devices can still request the feed.
            "fetches": _fetches_json(here, FeedQuery()) if isinstance(error, Gone) else [],
            "clients": _CLIENTS,
        }
    seen, lint = _summarize_entries(here, representation), None
    if seen is not None and here.path_suffix == "ics":
        lint = {
            "errors": seen.errors,
            "warnings": seen.warnings,
            "codes": list(seen.finding_codes),
            "complete": seen.is_linted_completely,
        }
    problems = diagnose(here, asked, seen, body_size=len(representation.body), url_length=len(url), now=now())
    return {
        "url": here.redacted_url(asked),
        "feed": _feed_json(here, representation, seen),
        "status": int(HTTPStatus.OK),
        "detail": Message("Every request receives the full feed, or 304 if the client's copy is current."),
        "problems": _diagnoses_json(problems, here),
        "lint": lint,
        "fetches": _fetches_json(here, asked),
        "clients": _CLIENTS,
    }


def _diagnoses_json(diagnoses: Iterable[Diagnosis], feed_url: FeedUrl) -> list[Json]:
    secret = feed_url.secret
    return [
        # `str.replace` is called only if necessary, because it converts a Message to a string without translations.
        {"code": code, "detail": detail.replace(secret, REDACTED) if secret and secret in detail else detail}
        for code, detail in diagnoses
    ]


def _summarize_entries(feed_url: FeedUrl, representation: Representation) -> FeedSummary | None:
    """Return a summary of the .ics feed with the same entries, or None if no .ics feed exists."""
    ics_url = feed_url.in_ics_format()
    if ics_url is None:
        return None
    if ics_url is not feed_url:
        representation = render_feed(ics_url.endpoint, ics_url.view_args, ics_url.args)
    return summarize_feed(representation.body, etag=representation.etag)


def _feed_json(feed_url: FeedUrl, representation: Representation, summary: FeedSummary | None) -> Json:
    newest = summary.newest_change if summary else None
    return {
        "kind": feed_url.kind,
        "title": summary.title if summary else None,
        "media_type": representation.media_type,
        "size": len(representation.body),
        "entries": summary.entries if summary else None,
        "etag": entity_tag(representation.etag, IDENTITY),
        "last_modified": format_utc(representation.last_modified) if representation.last_modified else None,
        "newest_change": {"title": newest.title, "changed_at": format_utc(newest.changed_at)} if newest else None,
    }


def _fetches_json(feed_url: FeedUrl, query: FeedQuery) -> list[Json]:
    today = now().astimezone(UTC).date()
    with read_session() as session:
        personal = find_personal_feed_by_secret(session, feed_url.secret) if feed_url.secret is not None else None
        key = personal_feed_key(personal.id) if personal else fetch_counter_key(feed_url.path, query)
        return [
            {
                "client": row.client,
                "name": CLIENTS[row.client].name,
                "first_at": format_utc(row.first_at),
                "last_at": format_utc(row.last_at),
                "last_status": row.last_status,
                "fetches": row.fetches,
                "today": row.fetches_today if row.last_at.date() == today else 0,
            }
            for row in list_feed_fetches(session, key)
        ]
