"""Every page there is: each puts itself on the blueprint."""

from eventcal.web.pages import (
    choosing,
    events,
    listing,
    mailed,
    pictures,
    profiles,
    refused,
    schedule,
    second_factor,
    signing,
    sitemap,
    speakers,
    submitting,
    subscribe,
    talks,
)
from eventcal.web.pages.me import account, agenda, feeds, leaving, passkeys, proving, security, speaker, tokens
from eventcal.web.pages.me import talks as own_talks
from eventcal.web.pages.organise import (
    decisions,
    editing,
    parts,
    proposing,
    publishing,
    redacting,
    scheduling,
    submissions,
    team,
)
from eventcal.web.pages.organise import index as my_events
from eventcal.web.pages.organise import sponsors as sponsorship
from eventcal.web.pages.organise import talks as offered_talks
from eventcal.web.pages.showing import pages

__all__ = [
    "account",
    "agenda",
    "choosing",
    "decisions",
    "editing",
    "events",
    "feeds",
    "leaving",
    "listing",
    "mailed",
    "my_events",
    "offered_talks",
    "own_talks",
    "pages",
    "parts",
    "passkeys",
    "pictures",
    "profiles",
    "proposing",
    "proving",
    "publishing",
    "redacting",
    "refused",
    "schedule",
    "scheduling",
    "second_factor",
    "security",
    "signing",
    "sitemap",
    "speaker",
    "speakers",
    "sponsorship",
    "submissions",
    "submitting",
    "subscribe",
    "talks",
    "team",
    "tokens",
]
