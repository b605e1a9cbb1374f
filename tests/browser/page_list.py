"""The pages that are tested in a browser. All browser tests cover a page that is added to the list."""

from dataclasses import dataclass
from http import HTTPStatus

import pytest

from tests.browser.signed_in_members import MEMBER, ORGANISER


@dataclass(frozen=True)
class TestedPage:
    """The path and the expected status of a page. Names in braces stand for ids and slugs of the site.

    `signed_in_as` is the member who must be signed in, or None.
    """

    path: str
    status: HTTPStatus = HTTPStatus.OK
    signed_in_as: str | None = None


PUBLIC_PAGES = {
    "events": TestedPage("/"),
    "talks": TestedPage("/?show=talks"),
    "month": TestedPage("/?view=month"),
    "nothing-found": TestedPage("/?q=nothing-is-called-this"),
    "event": TestedPage("/events/{event}"),
    "crowded-event": TestedPage("/events/{crowded_event}"),
    "schedule": TestedPage("/events/{event}/schedule"),
    "crowded-schedule": TestedPage("/events/{crowded_event}/schedule"),
    "talk": TestedPage("/talks/{talk}"),
    "crowded-talk": TestedPage("/talks/{crowded_talk}"),
    "speaker": TestedPage("/speakers/{speaker}"),
    "crowded-speaker": TestedPage("/speakers/{crowded_speaker}"),
    "subscribe": TestedPage("/subscribe"),
    "login": TestedPage("/login"),
    "register": TestedPage("/register"),
    "reset": TestedPage("/reset"),
    "embed": TestedPage("/embed"),
    "feed-check": TestedPage("/feeds/check"),
    "not-there": TestedPage("/events/nobody-made-this", HTTPStatus.NOT_FOUND),
}

SIGNED_IN_PAGES = {
    "me": TestedPage("/me", signed_in_as=MEMBER),
    "own-draft": TestedPage("/me/talks/{own_draft}", signed_in_as=MEMBER),
    "own-accepted": TestedPage("/me/talks/{own_accepted}", signed_in_as=MEMBER),
    "withdraw": TestedPage("/me/talks/{own_draft}/withdraw", signed_in_as=MEMBER),
    "agenda": TestedPage("/me/stars", signed_in_as=MEMBER),
    "star": TestedPage("/me/stars/{crowded_talk}", signed_in_as=MEMBER),
    "calendar-addresses": TestedPage("/me/feeds", signed_in_as=MEMBER),
    "tokens": TestedPage("/me/tokens", signed_in_as=MEMBER),
    "own-profile": TestedPage("/me/speaker", signed_in_as=MEMBER),
    "account": TestedPage("/me/account", signed_in_as=MEMBER),
    "new-address": TestedPage("/me/account/email", signed_in_as=MEMBER),
    "security": TestedPage("/me/security", signed_in_as=MEMBER),
    "security-again": TestedPage("/me/security/again", signed_in_as=MEMBER),
    "leaving": TestedPage("/me/account/delete", signed_in_as=MEMBER),
    "submit-where": TestedPage("/submit", signed_in_as=MEMBER),
    "submit": TestedPage("/submit?event={crowded_event}", signed_in_as=MEMBER),
    "propose": TestedPage("/propose", signed_in_as=MEMBER),
    "edited-speaker": TestedPage("/speakers/{crowded_speaker}/edit", signed_in_as=ORGANISER),
    "edited-sponsor": TestedPage("/sponsors/longest/edit", signed_in_as=ORGANISER),
    "organised": TestedPage("/organise", signed_in_as=ORGANISER),
    "organised-submissions": TestedPage("/organise/{crowded_event}?state=all", signed_in_as=ORGANISER),
    "organised-talk": TestedPage("/organise/{crowded_event}/talks/{submitted}", signed_in_as=ORGANISER),
    "organised-decision": TestedPage(
        "/organise/{crowded_event}/decide?do=accept&talk={submitted}", signed_in_as=ORGANISER
    ),
    "organised-redaction": TestedPage("/organise/{crowded_event}/talks/{submitted}/redact", signed_in_as=ORGANISER),
    "organised-event": TestedPage("/organise/{crowded_event}/event", signed_in_as=ORGANISER),
    "organised-schedule": TestedPage("/organise/{crowded_event}/schedule", signed_in_as=ORGANISER),
    "organised-parts": TestedPage("/organise/{crowded_event}/parts", signed_in_as=ORGANISER),
    "organised-sponsors": TestedPage("/organise/{crowded_event}/sponsors", signed_in_as=ORGANISER),
    "organised-team": TestedPage("/organise/{crowded_event}/team", signed_in_as=ORGANISER),
    "organised-publishing": TestedPage("/organise/{crowded_event}/publishing", signed_in_as=ORGANISER),
    "organised-cancelling": TestedPage("/organise/{crowded_event}/publishing/cancel", signed_in_as=ORGANISER),
}

# Pages without the header and footer of the site.
EMBEDDED_PAGES = {"embedded": TestedPage("/embed/listing")}
ALL_PAGES = PUBLIC_PAGES | SIGNED_IN_PAGES | EMBEDDED_PAGES

parametrize_pages = pytest.mark.parametrize("name", ALL_PAGES)
