"""Building entries from events and talks: content, status and relations."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from eventcal.events.enums import PUBLIC_STATUSES, Attendance, EventStatus, TalkKind
from eventcal.feeds.entries.entry import (
    CalendarEntry,
    EntryKind,
    Participant,
    ParticipantType,
    Relation,
    Status,
    TalkFacts,
)
from eventcal.kit.validators import COUNTRY
from eventcal.speakers.models import Speaker
from eventcal.sponsors.models import Sponsor, Tier
from eventcal.talks.enums import TalkState
from tests.clocks import NOON
from tests.feed_support.ics_entries import local_time
from tests.feed_support.in_memory_entries import (
    ADA,
    ENTRY_BUILDER,
    GRACE,
    build_event,
    build_event_entry,
    build_talk,
    build_talk_entry,
)

MEETING = "https://meet.example.org/xen"
PLACE: dict[str, Any] = {"venue": "Hall", "address": "1 Main St", "city": "Austin", "region": "TX", "country": "US"}

# Complete entries


def test_talk_entry_has_all_fields() -> None:
    event = build_event(
        venue="Hall", city="Berlin", latitude=52.5, longitude=13.4, online_url="https://meet.example.org/xen"
    )
    talk = build_talk(
        event,
        abstract="What *we* did:\n\n- port\n- test <b>",
        speakers=(GRACE, ADA),
        room="Room 1",
        track="ARM",
        tags=("xen", "ARM"),
        kind=TalkKind.KEYNOTE,
        language="de",
        slides_url="https://slides.example.org/",
        recording_url="https://video.example.org/",
    )
    assert ENTRY_BUILDER.build_talk_entry(talk) == CalendarEntry(
        uid="talk-t1@cal.example.org",
        kind=EntryKind.TALK,
        title="Xen on ARM",
        starts=local_time("2026-06-10T13:30"),
        ends=local_time("2026-06-10T14:30"),
        zone="Europe/Berlin",
        status=Status.CONFIRMED,
        transparent=False,
        created_at=NOON,
        url="https://cal.example.org/talks/t1",
        description="Grace Hopper, Rear Admiral, US Navy\nAda Lovelace\nXen Summit\n\n"
        "What we did:\n\n- port\n- test <b>\n\nhttps://cal.example.org/talks/t1",
        html="<p>Grace Hopper, Rear Admiral, US Navy<br>Ada Lovelace<br>Xen Summit</p>"
        "<p>What <em>we</em> did:</p>\n<ul>\n<li>port</li>\n<li>test &lt;b&gt;</li>\n</ul>\n"
        '<p><a href="https://cal.example.org/talks/t1">https://cal.example.org/talks/t1</a></p>',
        location="Room 1, Hall, Berlin",
        geo=(52.5, 13.4),
        categories=("ARM", "xen"),
        conference="https://meet.example.org/xen",
        related=((Relation.PARENT, "event-summit@cal.example.org"),),
        participants=(
            Participant(
                part=ParticipantType.SPEAKER,
                key="grace",
                name="Grace Hopper",
                about="Rear Admiral, US Navy",
                url="https://cal.example.org/speakers/grace",
            ),
            Participant(
                part=ParticipantType.SPEAKER, key="ada", name="Ada Lovelace", url="https://cal.example.org/speakers/ada"
            ),
        ),
        talk=TalkFacts(
            event="xen-summit",
            kind="keynote",
            abstract="What we did:\n\n- port\n- test <b>",
            language="de",
            track="ARM",
            room="Room 1",
            slides_url="https://slides.example.org/",
            recording_url="https://video.example.org/",
        ),
    )


def test_event_entry_has_all_fields() -> None:
    other = build_event(id="hackday", slug="hackday")
    event = build_event(
        summary="All about **Xen**.",
        description="Three days.",
        venue="Hall",
        city="Berlin",
        latitude=0.0,
        longitude=0.0,
        tags=("xen", "arm"),
        beside=(other,),
        attendance=Attendance.HYBRID,
        online_url="https://meet.example.org/xen",
        registration_url="https://tickets.example.org/",
        price_amount=Decimal("120.5"),
        price_currency="EUR",
        recurrence="FREQ=YEARLY",
    )
    waiting = build_talk(event, starts=None, speakers=(GRACE, ADA))
    gold, silver = Tier(name="Gold"), Tier(name="Silver")
    rackspace = Sponsor(slug="rackspace", name="Rackspace", url="https://rackspace.example")
    citrix, arm = Sponsor(slug="citrix", name="Citrix"), Sponsor(slug="arm", name="ARM")
    sponsors = [(gold, [rackspace, citrix]), (silver, [arm])]
    assert ENTRY_BUILDER.build_event_entry(
        event, talk_count=1, unscheduled_talks=[waiting], sponsors=sponsors
    ) == CalendarEntry(
        uid="event-summit@cal.example.org",
        kind=EntryKind.EVENT,
        title="Xen Summit",
        starts=date(2026, 6, 10),
        ends=date(2026, 6, 13),
        zone="Europe/Berlin",
        status=Status.CONFIRMED,
        transparent=True,
        created_at=NOON,
        url="https://cal.example.org/events/xen-summit",
        description="All about Xen.\n\nThree days.\n\nOnline: https://meet.example.org/xen\n"
        "Registration: 120.50 EUR\nRegister at https://tickets.example.org/\n\n"
        "Line-up:\n- Xen on ARM (Grace Hopper, Ada Lovelace)\n\nhttps://cal.example.org/events/xen-summit",
        html="<p>All about <strong>Xen</strong>.</p>\n<p>Three days.</p>\n"
        "<ul><li>Online: https://meet.example.org/xen</li><li>Registration: 120.50 EUR</li>"
        "<li>Register at https://tickets.example.org/</li></ul>"
        "<ul><li>Xen on ARM (Grace Hopper, Ada Lovelace)</li></ul>"
        '<p><a href="https://cal.example.org/events/xen-summit">https://cal.example.org/events/xen-summit</a></p>',
        location="Hall, Berlin",
        geo=(0.0, 0.0),
        categories=("xen", "arm"),
        conference="https://meet.example.org/xen",
        recurrence="FREQ=YEARLY",
        related=((Relation.SIBLING, "event-hackday@cal.example.org"),),
        participants=(
            Participant(
                part=ParticipantType.SPONSOR,
                key="rackspace",
                name="Rackspace",
                about="Gold",
                url="https://rackspace.example",
            ),
            Participant(part=ParticipantType.SPONSOR, key="citrix", name="Citrix", about="Gold"),
            Participant(part=ParticipantType.SPONSOR, key="arm", name="ARM", about="Silver"),
        ),
    )


def test_talk_without_details_has_minimal_facts() -> None:
    entry = build_talk_entry(speakers=(Speaker(slug="nobody", name="Nobody", affiliation="US Navy"),))
    assert entry.talk == TalkFacts(event="xen-summit", kind="talk", abstract="")
    assert [(one.name, one.about) for one in entry.participants] == [("Nobody", "US Navy")]
    assert build_event_entry().participants == ()


# Texts


def test_description_without_text_is_the_link() -> None:
    assert build_event_entry().description == "https://cal.example.org/events/xen-summit"


def test_names_are_escaped_in_html() -> None:
    entry = build_talk_entry(build_event(title="<i>Xen</i> & more"), speakers=(Speaker(name='<script>"x"</script>'),))
    assert entry.html.startswith(
        "<p>&lt;script&gt;&quot;x&quot;&lt;/script&gt;<br>&lt;i&gt;Xen&lt;/i&gt; &amp; more</p>"
    )
    assert entry.description.startswith('<script>"x"</script>\n<i>Xen</i> & more\n\n')


def test_in_person_event_description_has_no_online_url() -> None:
    assert "Online:" not in build_event_entry(online_url="https://meet.example.org/xen").description


def test_zero_price_is_shown_as_free_of_charge() -> None:
    entry = build_event_entry(price_amount=Decimal(0), price_currency="EUR")
    assert entry.description.startswith("Registration: free of charge\n\n")


def test_line_up_includes_talks_without_speakers() -> None:
    talk = build_talk(build_event(), starts=None)
    assert "Line-up:\n- Xen on ARM\n\n" in build_event_entry(talks=1, line_up=(talk,)).description


@pytest.mark.parametrize(
    ("fields", "location"),
    [
        ({"venue": "Hall", "city": "Berlin"}, "Hall, Berlin"),
        ({"city": "Berlin"}, "Berlin"),
        ({}, None),
        (PLACE, "Hall, 1 Main St, Austin, TX, United States"),
        ({"country": "DE"}, "Germany"),
        ({"attendance": Attendance.ONLINE}, None),
        ({"attendance": Attendance.ONLINE, "online_url": MEETING}, MEETING),
        ({"attendance": Attendance.HYBRID, "online_url": MEETING}, MEETING),
        ({"attendance": Attendance.HYBRID, "online_url": MEETING, "city": "Berlin"}, "Berlin"),
        ({"attendance": Attendance.IN_PERSON, "online_url": MEETING}, None),
    ],
)
def test_location_joins_the_known_parts(fields: dict[str, Any], location: str | None) -> None:
    event = build_event(**fields)
    assert build_event_entry(**fields).location == location
    assert build_talk_entry(event).location == location
    in_room = ", ".join(["Room 1", *([location] if location else [])])
    assert build_talk_entry(event, room="Room 1").location == in_room


def test_occurrence_at_another_venue_has_no_street() -> None:
    override = {"2026-06-10": {"venue": "Barn"}, "2027-06-10": {"title": "Same place"}}
    entry = build_event_entry(**PLACE, recurrence="FREQ=YEARLY", recurrence_overrides=override)
    assert [one.entry.location for one in entry.overrides] == [
        "Barn, Austin, TX, United States",
        "Hall, 1 Main St, Austin, TX, United States",
    ]


def test_online_occurrence_is_located_at_its_own_url() -> None:
    other = "https://meet.example.org/other"
    entry = build_event_entry(
        attendance=Attendance.ONLINE,
        online_url=MEETING,
        recurrence="FREQ=YEARLY",
        recurrence_overrides={"2026-06-10": {"online_url": other}},
    )
    assert [entry.location, *(one.entry.location for one in entry.overrides)] == [MEETING, other]


@pytest.mark.parametrize("code", sorted(COUNTRY.allowed_values() if COUNTRY.allowed_values else ()))
def test_every_country_has_an_english_name(code: str) -> None:
    location = build_event_entry(country=code).location
    assert location is not None
    assert location != code


def test_website_precedes_the_link_to_the_event() -> None:
    entry = build_event_entry(url="https://xen.example/?a=1&b=2")
    assert entry.website == "https://xen.example/?a=1&b=2"
    page = "https://cal.example.org/events/xen-summit"
    assert entry.description == f"Website: https://xen.example/?a=1&b=2\n\n{page}"
    assert entry.html.startswith("<ul><li>Website: https://xen.example/?a=1&amp;b=2</li></ul>")


def test_incomplete_coordinates_are_omitted() -> None:
    assert build_event_entry(latitude=52.5).geo is None


# Status


@pytest.mark.parametrize(
    ("status", "title", "shown"),
    [
        (EventStatus.TENTATIVE, "Xen Summit", Status.TENTATIVE),
        (EventStatus.CONFIRMED, "Xen Summit", Status.CONFIRMED),
        (EventStatus.POSTPONED, "POSTPONED: Xen Summit", Status.TENTATIVE),
        (EventStatus.CANCELLED, "CANCELLED: Xen Summit", Status.CANCELLED),
    ],
)
def test_event_status_determines_title_prefix_status_and_transparency(
    status: EventStatus, title: str, shown: Status
) -> None:
    entry = build_event_entry(status=status)
    assert (entry.title, entry.status, entry.transparent) == (title, shown, shown == Status.CANCELLED)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (EventStatus.TENTATIVE, Status.TENTATIVE),
        (EventStatus.CONFIRMED, Status.CONFIRMED),
        (EventStatus.POSTPONED, Status.TENTATIVE),
    ],
)
def test_talk_has_the_status_of_its_event(status: EventStatus, shown: Status) -> None:
    entry = build_talk_entry(build_event(status=status))
    assert (entry.title, entry.status, entry.transparent) == ("Xen on ARM", shown, False)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (EventStatus.CONFIRMED, TalkState.CANCELLED),
        (EventStatus.CONFIRMED, TalkState.WITHDRAWN),
        (EventStatus.CANCELLED, TalkState.CONFIRMED),
        (EventStatus.CANCELLED, TalkState.WITHDRAWN),
    ],
)
@pytest.mark.parametrize("starts", ["2026-06-10T13:30:00", None])
def test_cancelled_or_withdrawn_talk_has_cancelled_entry(
    status: EventStatus, state: TalkState, starts: str | None
) -> None:
    entry = build_talk_entry(build_event(status=status), state=state, starts=starts)
    assert (entry.title, entry.status, entry.transparent) == ("CANCELLED: Xen on ARM", Status.CANCELLED, True)


def test_status_prefix_is_not_repeated() -> None:
    assert build_event_entry(status=EventStatus.CANCELLED, title="CANCELLED: Xen").title == "CANCELLED: Xen"
    assert build_event_entry(status=EventStatus.POSTPONED, title="POSTPONED: Xen").title == "POSTPONED: Xen"
    assert build_talk_entry(state=TalkState.CANCELLED, title="CANCELLED: Xen").title == "CANCELLED: Xen"


def test_event_with_talks_is_transparent() -> None:
    assert [build_event_entry(talks=n).transparent for n in (0, 1)] == [False, True]


# Relations


@pytest.mark.parametrize("status", EventStatus)
def test_only_public_events_are_listed_as_siblings(status: EventStatus) -> None:
    related = build_event_entry(beside=(build_event(id="hackday", status=status),)).related
    assert bool(related) == (status in PUBLIC_STATUSES)


@pytest.mark.parametrize(
    ("state", "status"),
    [(TalkState.ACCEPTED, EventStatus.CONFIRMED), (TalkState.CONFIRMED, EventStatus.PENDING)],
)
def test_unpublished_earlier_talk_is_not_listed_as_sibling(state: TalkState, status: EventStatus) -> None:
    earlier = build_talk(build_event(id="earlier", status=status), id="t0", state=state, published_at=None)
    assert build_talk_entry(reprise_of=earlier).related == ((Relation.PARENT, "event-summit@cal.example.org"),)


def test_repeated_talk_links_to_the_earlier_talk() -> None:
    earlier = build_talk(build_event(id="earlier"), id="t0")
    assert build_talk_entry(reprise_of=earlier).related == (
        (Relation.PARENT, "event-summit@cal.example.org"),
        (Relation.SIBLING, "talk-t0@cal.example.org"),
    )
