"""What the records of a file may hold."""

from eventcal.datasets.fields import (
    Field,
    degrees,
    flag,
    form,
    items,
    line,
    local_time,
    nullable,
    object_of,
    overrides,
    record_of,
    required,
    slug,
    text,
    url,
    whole,
    word,
)
from eventcal.events import limits as event_limits
from eventcal.events.recurrence.overrides import ONLY_TRUE
from eventcal.events.words import Attendance, EventKind, EventStatus, OccurrenceStatus, Programme, TalkKind
from eventcal.kit.values import COLOUR, COUNTRY, CURRENCY, LANGUAGE, TIMEZONE, read_amount
from eventcal.speakers import limits as speaker_limits
from eventcal.sponsors import limits as sponsor_limits
from eventcal.sponsors.words import SponsorshipState
from eventcal.talks import limits as talk_limits
from eventcal.talks.words import TalkState

# Tracks, rooms, tiers or sponsorships of one event.
_PARTS = 500


def _only_true(value: object) -> bool:
    if not flag(value):
        raise ValueError(ONLY_TRUE)
    return True


_TAGS = nullable(items(line(event_limits.TAG), event_limits.TAGS))
_PART_NAME = line(event_limits.PART_NAME)
_TIER_NAME = line(sponsor_limits.TIER_NAME)
_TITLE_OF_TALK = line(talk_limits.TITLE)

MONEY = object_of(amount=required(read_amount), currency=required(form(CURRENCY)))

LINK = object_of(title=required(line(speaker_limits.LINK_TITLE)), url=required(url))

SPEAKER = record_of(
    slug=required(slug),
    name=Field(line(speaker_limits.NAME)),
    job_title=nullable(line(speaker_limits.JOB_TITLE)),
    affiliation=nullable(line(speaker_limits.AFFILIATION)),
    bio=nullable(text(speaker_limits.BIO)),
    links=Field(items(LINK, speaker_limits.LINKS)),
    photo_url=nullable(url),
)

SPONSOR = record_of(
    slug=required(slug),
    name=Field(line(sponsor_limits.NAME)),
    url=nullable(url),
    logo_url=nullable(url),
    description=nullable(text(sponsor_limits.DESCRIPTION)),
)

PLACE = object_of(
    venue=nullable(line(event_limits.VENUE)),
    address=nullable(line(event_limits.ADDRESS)),
    city=nullable(line(event_limits.CITY)),
    region=nullable(line(event_limits.REGION)),
    country=nullable(form(COUNTRY)),
    latitude=nullable(degrees(event_limits.LATITUDE)),
    longitude=nullable(degrees(event_limits.LONGITUDE)),
)

REGISTRATION = object_of(url=nullable(url), price=nullable(MONEY))

OVERRIDE = object_of(
    excluded=nullable(_only_true),
    title=nullable(line(event_limits.TITLE)),
    summary=nullable(text(event_limits.SUMMARY)),
    starts=nullable(local_time),
    ends=nullable(local_time),
    status=nullable(word(OccurrenceStatus)),
    venue=nullable(line(event_limits.VENUE)),
    online_url=nullable(url),
)

CALL_FOR_TALKS = record_of(
    opens_at=nullable(line(event_limits.CALL_TIME)),
    closes_at=nullable(line(event_limits.CALL_TIME)),
    anywhere_on_earth=Field(flag),
    kinds=nullable(items(word(TalkKind), event_limits.CALL_KINDS)),
    note=nullable(text(event_limits.CALL_NOTE)),
)

TRACK = record_of(name=required(_PART_NAME), colour=nullable(form(COLOUR)))

ROOM = record_of(name=required(_PART_NAME), capacity=nullable(whole()))

TIER = record_of(
    name=required(_TIER_NAME),
    rank=Field(whole(sponsor_limits.RANK)),
    price=nullable(MONEY),
    capacity=nullable(whole()),
    benefits=Field(items(line(sponsor_limits.BENEFIT), sponsor_limits.BENEFITS)),
)

# A sponsor, by slug, that holds or asks for a tier of the event, by name.
SPONSORSHIP = record_of(
    sponsor=required(slug),
    tier=required(_TIER_NAME),
    state=Field(word(SponsorshipState)),
    note=nullable(text(sponsor_limits.NOTE)),
)

# A new event also needs title, timezone and starts, which is seen when it is loaded.
EVENT = record_of(
    slug=required(slug),
    title=Field(line(event_limits.TITLE)),
    kind=Field(word(EventKind)),
    summary=nullable(text(event_limits.SUMMARY)),
    description=nullable(text(event_limits.DESCRIPTION)),
    programme=Field(word(Programme)),
    attendance=Field(word(Attendance)),
    timezone=Field(form(TIMEZONE)),
    starts=Field(local_time),
    ends=Field(local_time),
    location=nullable(PLACE),
    online_url=nullable(url),
    url=nullable(url),
    registration=nullable(REGISTRATION),
    tags=_TAGS,
    status=Field(word(EventStatus)),
    series=nullable(line(event_limits.SERIES)),
    recurrence=nullable(line(event_limits.RECURRENCE)),
    recurrence_overrides=nullable(overrides(OVERRIDE)),
    co_located_with=nullable(items(slug, event_limits.NEIGHBOURS)),
    call_for_talks=nullable(CALL_FOR_TALKS),
    tracks=Field(items(TRACK, _PARTS)),
    rooms=Field(items(ROOM, _PARTS)),
    tiers=Field(items(TIER, _PARTS)),
    sponsorships=Field(items(SPONSORSHIP, _PARTS)),
)

# What a talk is known by: its event's slug, and its title.
TALK_NAME = object_of(event=required(slug), title=required(_TITLE_OF_TALK))

# The speakers by slug, and the talk that it repeats by event and title.
TALK = record_of(
    title=required(_TITLE_OF_TALK),
    abstract=nullable(text(talk_limits.ABSTRACT)),
    kind=Field(word(TalkKind)),
    language=nullable(form(LANGUAGE)),
    track=nullable(_PART_NAME),
    starts=nullable(local_time),
    ends=nullable(local_time),
    duration_minutes=nullable(whole(talk_limits.MINUTES)),
    tags=_TAGS,
    speakers=Field(items(slug, talk_limits.SPEAKERS)),
    notes=nullable(text(talk_limits.NOTES)),
    slides_url=nullable(url),
    recording_url=nullable(url),
    reprise_of=nullable(TALK_NAME),
    room=nullable(_PART_NAME),
    event=required(slug),
    state=Field(word(TalkState)),
)
