"""Every page there is: each puts itself on the blueprint."""

from eventcal.web.pages.account import email_links, login, second_factor
from eventcal.web.pages.me import (
    account,
    agenda,
    delete_account,
    passkeys,
    personal_feeds,
    reauthentication,
    security,
    sessions,
    submit_talk,
    tokens,
)
from eventcal.web.pages.me import speaker as own_speaker
from eventcal.web.pages.me import talks as own_talks
from eventcal.web.pages.moderate import edit_profiles
from eventcal.web.pages.organise import (
    bulk_decisions,
    dashboard,
    edit_event,
    propose_event,
    publishing,
    redact_talk,
    submissions,
)
from eventcal.web.pages.organise import schedule as schedule_form
from eventcal.web.pages.organise import talk as submitted_talk
from eventcal.web.pages.organise.setup import rooms_and_tracks, sponsors, team
from eventcal.web.pages.public import (
    event,
    language_choice,
    listing,
    media_files,
    schedule,
    sitemap,
    speaker,
    subscribe,
    talk,
)
from eventcal.web.rendering import error_pages
from eventcal.web.rendering.page import pages

__all__ = ["pages"]

VIEWS = (
    account,
    agenda,
    bulk_decisions,
    dashboard,
    delete_account,
    edit_event,
    edit_profiles,
    email_links,
    error_pages,
    event,
    language_choice,
    listing,
    login,
    media_files,
    own_speaker,
    own_talks,
    passkeys,
    personal_feeds,
    propose_event,
    publishing,
    reauthentication,
    redact_talk,
    rooms_and_tracks,
    schedule,
    schedule_form,
    second_factor,
    security,
    sessions,
    sitemap,
    speaker,
    sponsors,
    submissions,
    submit_talk,
    submitted_talk,
    subscribe,
    talk,
    team,
    tokens,
)
"""The modules whose views are registered by importing them."""
