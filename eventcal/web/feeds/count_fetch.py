"""Counting the request under way as a fetch of a feed, once its answer is known and sent."""

from functools import partial

from flask import Response, after_this_request, request

from eventcal.feeds.clients import kind_of
from eventcal.web.request.context import house, now

# What a calendar program that came to a feed was told; whatever else was none.
_COUNTED = frozenset({200, 304, 410})


def count_fetch(feed: str) -> None:
    """Count this request, whatever becomes of it, for what `feed` names: a key of tally.py or feeds/fetches.py.

    It costs no statement. Now and then what was counted is written down, beside the requests.
    """
    after_this_request(partial(_note, feed))


def _note(feed: str, answer: Response) -> Response:
    if answer.status_code in _COUNTED:
        here = house()
        client = kind_of(request.headers.get("User-Agent"))
        if here.tally.note(feed, client, status=answer.status_code, moment=now()):
            here.afterwards.do(partial(here.tally.write, here.database))
    return answer
