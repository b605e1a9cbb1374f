"""Every page there is: each puts itself on the blueprint."""

from eventcal.web.pages import (
    choosing,
    events,
    listing,
    mailed,
    refused,
    schedule,
    signing,
    sitemap,
    speakers,
    submitting,
    subscribe,
    talks,
)
from eventcal.web.pages.me import talks as own_talks
from eventcal.web.pages.showing import pages

__all__ = [
    "choosing",
    "events",
    "listing",
    "mailed",
    "own_talks",
    "pages",
    "refused",
    "schedule",
    "signing",
    "sitemap",
    "speakers",
    "submitting",
    "subscribe",
    "talks",
]
