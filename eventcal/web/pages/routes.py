"""Every page there is: each puts itself on the blueprint."""

from eventcal.web.pages import (
    events,
    listing,
    mailed,
    me,
    refused,
    schedule,
    signing,
    sitemap,
    speakers,
    submitting,
    subscribe,
    talks,
)
from eventcal.web.pages.showing import pages

__all__ = [
    "events",
    "listing",
    "mailed",
    "me",
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
