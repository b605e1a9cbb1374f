"""Every page that is tested in a browser. A new page is one line here, and is covered by all tests."""

from dataclasses import dataclass
from http import HTTPStatus

import pytest

from tests.browser.people import MEMBER, ORGANISER


@dataclass(frozen=True)
class Address:
    """The address of a page: a path, in which {names} stand for ids and slugs of the site, and the expected status.

    who: the person who must be signed in, if any.
    """

    path: str
    status: HTTPStatus = HTTPStatus.OK
    who: str | None = None


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
    "feed-check": Address("/feeds/check"),
    "not-there": Address("/events/nobody-made-this", HTTPStatus.NOT_FOUND),
}

OWN = {
    "me": Address("/me", who=MEMBER),
    "own-draft": Address("/me/talks/{own_draft}", who=MEMBER),
    "own-accepted": Address("/me/talks/{own_accepted}", who=MEMBER),
    "withdraw": Address("/me/talks/{own_draft}/withdraw", who=MEMBER),
    "agenda": Address("/me/stars", who=MEMBER),
    "star": Address("/me/stars/{crowded_talk}", who=MEMBER),
    "calendar-addresses": Address("/me/feeds", who=MEMBER),
    "tokens": Address("/me/tokens", who=MEMBER),
    "own-profile": Address("/me/speaker", who=MEMBER),
    "account": Address("/me/account", who=MEMBER),
    "security": Address("/me/security", who=MEMBER),
    "security-again": Address("/me/security/again", who=MEMBER),
    "leaving": Address("/me/account/delete", who=MEMBER),
    "submit-where": Address("/submit", who=MEMBER),
    "submit": Address("/submit?event={crowded_event}", who=MEMBER),
    "propose": Address("/propose", who=MEMBER),
    "edited-speaker": Address("/speakers/{crowded_speaker}/edit", who=ORGANISER),
    "edited-sponsor": Address("/sponsors/longest/edit", who=ORGANISER),
    "organised": Address("/organise", who=ORGANISER),
    "organised-submissions": Address("/organise/{crowded_event}?state=all", who=ORGANISER),
    "organised-talk": Address("/organise/{crowded_event}/talks/{submitted}", who=ORGANISER),
    "organised-decision": Address("/organise/{crowded_event}/decide?do=accept&talk={submitted}", who=ORGANISER),
    "organised-redaction": Address("/organise/{crowded_event}/talks/{submitted}/redact", who=ORGANISER),
    "organised-event": Address("/organise/{crowded_event}/event", who=ORGANISER),
    "organised-schedule": Address("/organise/{crowded_event}/schedule", who=ORGANISER),
    "organised-parts": Address("/organise/{crowded_event}/parts", who=ORGANISER),
    "organised-sponsors": Address("/organise/{crowded_event}/sponsors", who=ORGANISER),
    "organised-team": Address("/organise/{crowded_event}/team", who=ORGANISER),
    "organised-publishing": Address("/organise/{crowded_event}/publishing", who=ORGANISER),
    "organised-cancelling": Address("/organise/{crowded_event}/publishing/cancel", who=ORGANISER),
}

# Pages without the site's header and footer.
BARE = {"embedded": Address("/embed/listing")}
ALL = PAGES | OWN | BARE

every_document = pytest.mark.parametrize("name", ALL)
