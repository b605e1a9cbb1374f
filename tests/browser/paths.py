"""Every page that is looked at in a browser. A new page is one line here, and all tests look at it."""

from dataclasses import dataclass
from http import HTTPStatus

import pytest


@dataclass(frozen=True)
class Address:
    """Where a page is: a path, in which {names} stand for what the site gave its things; and how it is answered."""

    path: str
    status: HTTPStatus = HTTPStatus.OK


PAGES = {
    "events": Address("/"),
    "talks": Address("/?show=talks"),
    "month": Address("/?view=month"),
    "nothing-found": Address("/?q=nothing-is-called-this"),
    "event": Address("/events/{event}"),
    "crowded-event": Address("/events/{crowded_event}"),
    "schedule": Address("/events/{event}/schedule"),
    "crowded-schedule": Address("/events/{crowded_event}/schedule"),
    "talk": Address("/talks/{talk}"),
    "crowded-talk": Address("/talks/{crowded_talk}"),
    "speaker": Address("/speakers/{speaker}"),
    "crowded-speaker": Address("/speakers/{crowded_speaker}"),
    "subscribe": Address("/subscribe"),
    "login": Address("/login"),
    "register": Address("/register"),
    "reset": Address("/reset"),
    "embed": Address("/embed"),
    "not-there": Address("/events/nobody-made-this", HTTPStatus.NOT_FOUND),
}

# What stands without the site's header and footer.
BARE = {
    "embedded": Address("/embed/listing"),
    "feed-check": Address("/feeds/check"),
}
ALL = PAGES | BARE

every_page = pytest.mark.parametrize("name", PAGES)
every_document = pytest.mark.parametrize("name", ALL)
