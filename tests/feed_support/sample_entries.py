"""Sample entries for all feed formats, and texts that are difficult to encode."""

import unicodedata
from dataclasses import replace
from datetime import date, datetime

from hypothesis import strategies as st

from eventcal.feeds.entries.entry import (
    CalendarEntry,
    EntryKind,
    FeedHead,
    Override,
    Participant,
    ParticipantType,
    Relation,
    Stamps,
    Status,
)
from tests.clocks import NOON

STAMPS = Stamps(sequence=3, changed_at=NOON)

FEED_HEAD = FeedHead(
    uid="feed-1@cal.example.org",
    name="Xen, all of it",
    description="Events and talks.",
    zone="Europe/Berlin",
    url="https://cal.example.org/",
    source="https://cal.example.org/calendar.ics",
    changed_at=NOON,
)

ALL_DAY_ENTRY = CalendarEntry(
    uid="event-1@cal.example.org",
    kind=EntryKind.EVENT,
    title="Xen Summit",
    starts=date(2026, 6, 10),
    ends=date(2026, 6, 13),
    zone="Europe/Berlin",
    status=Status.TENTATIVE,
    transparent=True,
    created_at=NOON,
    url="https://cal.example.org/events/xen-summit",
    description="Three days of Xen.",
    html="<p>Three days of Xen.</p>",
)

TALK_ENTRY = CalendarEntry(
    uid="talk-1@cal.example.org",
    kind=EntryKind.TALK,
    title="Xen; on ARM, again",
    starts=datetime(2026, 6, 10, 13, 30),  # noqa: DTZ001 - local
    ends=datetime(2026, 6, 10, 14, 15),  # noqa: DTZ001 - local
    zone="Europe/Berlin",
    status=Status.CONFIRMED,
    transparent=False,
    created_at=NOON,
    url="https://cal.example.org/talks/1",
    description="Grace Hopper\n\nWhat, and why.",
    html="<p>Grace Hopper</p>",
    location="Room 1, Halle, Köln",
    geo=(50.9375, -6.96),
    categories=("Hypervisors, big", "arm"),
    conference="https://meet.example.org/xen",
    related=((Relation.PARENT, "event-1@cal.example.org"), (Relation.SIBLING, "talk-2@cal.example.org")),
    participants=(
        Participant(
            part=ParticipantType.SPEAKER,
            key="grace-hopper",
            name="Grace Hopper",
            about="Rear admiral, US Navy",
            url="https://cal.example.org/speakers/grace-hopper",
        ),
        Participant(part=ParticipantType.SPONSOR, key="citrix", name="Citrix", about="Gold"),
    ),
)

_EVENING_ENTRY = replace(
    TALK_ENTRY,
    uid="event-2@cal.example.org",
    kind=EntryKind.EVENT,
    title="Xen evening",
    starts=datetime(2026, 3, 3, 18),  # noqa: DTZ001 - local
    ends=datetime(2026, 3, 3, 20, 30),  # noqa: DTZ001 - local
)

# One occurrence is excluded. Another occurrence is a day later, longer and in another location.
RECURRING_ENTRY = replace(
    _EVENING_ENTRY,
    recurrence="FREQ=MONTHLY;BYDAY=1TU,-1FR;UNTIL=20261231",
    excluded=(datetime(2026, 4, 7, 18),),  # noqa: DTZ001 - local
    overrides=(
        Override(
            occurrence=datetime(2026, 5, 5, 18),  # noqa: DTZ001 - local
            entry=replace(
                _EVENING_ENTRY,
                title="Xen evening: moved",
                starts=datetime(2026, 5, 6, 19),  # noqa: DTZ001 - local
                ends=datetime(2026, 5, 6, 22),  # noqa: DTZ001 - local
                location=None,
                geo=None,
            ),
        ),
    ),
)

# The entry recurs on the first day of each month, and one occurrence is moved to the second day.
RECURRING_ALL_DAY_ENTRY = replace(
    ALL_DAY_ENTRY,
    uid="event-3@cal.example.org",
    starts=date(2026, 3, 1),
    ends=date(2026, 3, 3),
    recurrence="FREQ=MONTHLY;INTERVAL=2;COUNT=6;WKST=SU",
    excluded=(date(2026, 7, 1),),
    overrides=(
        Override(
            occurrence=date(2026, 9, 1),
            entry=replace(ALL_DAY_ENTRY, uid="event-3@cal.example.org", starts=date(2026, 9, 2), ends=date(2026, 9, 3)),
        ),
    ),
)

HOSTILE_TEXTS = (
    "\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n",
    '"],["method",{},"text","CANCEL"],["x',
    '","uid":"stolen","x":{"',
    "</text></summary></properties></vevent>",
    "]]><!--&amp;&#0;<?x?>",
    "\u2028line\u2029\x85\x0b\x0c\x1c\x1d\x1e",
    "\x00\x01\x1b[31m\x7f\x9f",
    "\ud800 half a character \udfff",
    "\ufffe\uffff\ufeff",
    r"C:\New\nightly;a,b\\;\,\N\n",
    "\u202egnp.exe\u202c\u2066\u2069",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "\tindented\r\n\tcode\r",
    "100% %zz %41",
)
ANY_TEXT = (
    st.lists(st.sampled_from(HOSTILE_TEXTS) | st.text(max_size=30), min_size=1, max_size=4).map("".join).filter(bool)
)


def normalise_text(text: str) -> str:
    """Return a text as readers must parse it: with LF line breaks, spaces for tabs, U+FFFD for invalid characters."""

    def normalise_character(character: str) -> str:
        if character.splitlines() == [""]:
            return "\n"
        if character == "\t":
            return " "
        bad = unicodedata.category(character) in {"Cc", "Cs"} or character in "\ufffe\uffff"
        return "\N{REPLACEMENT CHARACTER}" if bad else character

    return "".join([normalise_character(character) for character in text.replace("\r\n", "\n")])


def fill_entry(text: str) -> CalendarEntry:
    """Return an entry with this text in all text fields."""
    return replace(
        TALK_ENTRY,
        uid=text,
        title=text,
        description=text,
        html=text,
        location=text,
        categories=(text, "plain"),
        conference=f"https://meet.example.org/{text}",
        url=f"https://cal.example.org/{text}",
        related=((Relation.PARENT, text),),
        participants=(
            Participant(
                part=ParticipantType.SPEAKER,
                key="mallory",
                name=text,
                about=text,
                url=f"https://cal.example.org/{text}",
            ),
        ),
    )


def fill_feed_head(text: str) -> FeedHead:
    """Return a feed head with this text in all text fields."""
    url = f"https://cal.example.org/{text}"
    return replace(FEED_HEAD, uid=text, name=text, description=text, url=url, source=url)
