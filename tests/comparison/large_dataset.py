"""A reproducible data set of about 1,000 talks with every kind of event, state and time zone."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

Json = dict[str, Any]

CONFERENCES = {
    "berlin": ("Europe/Berlin", date(2026, 6, 15), 400),
    "sydney": ("Australia/Sydney", date(2026, 10, 2), 300),
    "new-york": ("America/New_York", date(2026, 10, 31), 200),
}
"""Curated conferences: time zone, first day and number of talks. Daylight saving time changes during two of them."""

_STATES = ("confirmed",) * 12 + ("accepted", "submitted", "waitlisted", "rejected", "withdrawn", "cancelled", "draft")
_KINDS = ("talk", "talk", "talk", "keynote", "lightning", "tutorial", "workshop", "panel", "bof", "poster")
_LANGUAGES = ("en", "en", "de", "pt-BR", None)
_TAGS = ("xen", "kernel", "security", "ARM & RISC-V", "Überblick", "日本語", "testing", "cloud")
_TRACKS = (("Security", "#ffee00"), ("Embedded", "#101010"), ("Cloud", None), ("Community, people", "#1f6f8b"))
_ROOMS = (("Großer Saal", 400), ("Room 2", 80), ("Attic", None), ("Kitchen; downstairs", 12))
_NAMES = ("Ada", "Grace", "Noor", "Łukasz", "李", "Zoë", "O'Neill", "Søren", "Ana María", "Thandiwe")
_WORDS = (  # noqa: SIM905 - words are easier to read without quotation marks
    "memory scheduler hypervisor guest interrupt latency driver firmware boot tracing fuzzing patch release "
    "community review device tree page table migration snapshot console network storage power"
).split()


def make_large_dataset() -> Json:
    """Return the data set in the JSON format of data set files."""
    dice = Random(1000)  # noqa: S311 - reproducible values
    talks = [talk for slug in CONFERENCES for talk in _iter_conference_talks(dice, slug)]
    return {
        "about": "made for comparisons",
        "speakers": list(_iter_speakers(dice)),
        "sponsors": list(_iter_sponsors()),
        "events": [*_iter_conferences(dice), *_iter_recurring_events(), *_iter_single_events(), *_iter_meetups(dice)],
        "talks": [*talks, *_iter_meetup_talks(dice), *_iter_reprised_talks()],
    }


def _make_title(dice: Random) -> str:
    return " ".join(dice.sample(_WORDS, dice.randint(2, 6))).capitalize()


def _make_markdown(dice: Random) -> str:
    sentences = [f"{' '.join(dice.choices(_WORDS, k=9)).capitalize()}." for _ in range(dice.randint(1, 5))]
    extras = (
        f"## {_make_title(dice)}\n\n- *{dice.choice(_WORDS)}*\n- **{dice.choice(_WORDS)}**, `code`; commas, \\ and all",
        f"> {dice.choice(_WORDS)} — “quoted” <b>not HTML</b> & more\n\n1. one\n2. two",
        f"[A link](https://example.org/{dice.choice(_WORDS)}?a=1&b=2) and https://example.org/plain",
        "    indented code\n\n" + "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk" * 3,
    )
    return "\n\n".join([" ".join(sentences), *dice.sample(extras, dice.randint(0, 2))])


def _iter_speakers(dice: Random) -> Iterator[Json]:
    for number in range(120):
        name = f"{dice.choice(_NAMES)} {dice.choice(_WORDS).capitalize()}"
        yield {
            "slug": f"speaker-{number:03}",
            "name": name,
            "job_title": dice.choice(("Engineer", "Maintainer, retired", None)),
            "affiliation": dice.choice(("Example & Sons", "Universität Wien", None)),
            "bio": _make_markdown(dice) if number % 3 else None,
            "links": [{"title": "Home", "url": f"https://example.org/~{number}"}] if number % 4 == 0 else [],
        }


def _iter_sponsors() -> Iterator[Json]:
    for number in range(8):
        yield {
            "slug": f"company-{number}",
            "name": f"Company {number} GmbH & Co. KG",
            "url": f"https://company-{number}.example/" if number % 2 else None,
            "description": "Makes *things*." if number % 3 else None,
        }


def _iter_conferences(dice: Random) -> Iterator[Json]:
    for number, (slug, (zone, first, _talks)) in enumerate(CONFERENCES.items()):
        last = first + timedelta(days=3)
        timed = number == 1
        yield {
            "slug": slug,
            "title": f"{slug.title()} Conference, {first.year}",
            "kind": "conference",
            "summary": "Four days; talks, and more.",
            "description": _make_markdown(dice),
            "programme": "curated",
            "attendance": ("in_person", "hybrid", "online")[number],
            "timezone": zone,
            "starts": f"{first}T09:00:00" if timed else f"{first}",
            "ends": f"{last}T17:30:00" if timed else f"{last}",
            "location": {
                "venue": "Congress Hall",
                "address": "1 Long Street, entrance B",
                "city": slug.title(),
                "country": ("DE", "AU", "US")[number],
                "latitude": 52.5219 if number == 0 else None,
                "longitude": 13.4132 if number == 0 else None,
            },
            "online_url": "https://live.example.org/room" if number else None,
            "url": f"https://{slug}.example.org/",
            "registration": {
                "url": f"https://{slug}.example.org/tickets",
                "price": {"amount": "99.50", "currency": "EUR"},
            },
            "tags": ["xen", "conference", _TAGS[number]],
            "series": "The Conference",
            "tracks": [{"name": name, "colour": colour} for name, colour in _TRACKS],
            "rooms": [{"name": name, "capacity": capacity} for name, capacity in _ROOMS],
            "call_for_talks": {
                "opens_at": "2026-01-10T08:00:00",
                "closes_at": f"{first - timedelta(days=60)}{'' if number == 0 else 'T23:59:00'}",
                "anywhere_on_earth": number == 0,
                "kinds": ["talk", "bof", "keynote"] if number else [],
                "note": "Short ones, please.\n\nTwo paragraphs.",
            },
            "tiers": [
                {"name": "Platinum", "rank": 1, "price": {"amount": "10000.00", "currency": "EUR"}, "capacity": 2},
                {"name": "Bronze", "rank": 3, "benefits": ["A table", "Logo; on the site"]},
            ],
            "sponsorships": [
                {"sponsor": f"company-{number}", "tier": "Platinum", "state": "confirmed"},
                {"sponsor": f"company-{number + 3}", "tier": "Bronze", "state": "enquiry", "note": "Call us."},
                {"sponsor": f"company-{number + 4}", "tier": "Bronze", "state": "cancelled"},
            ],
        }


def _iter_recurring_events() -> Iterator[Json]:
    """Yield recurring events with moved, changed, cancelled and excluded occurrences."""
    yield _make_event(
        "monthly",
        "Europe/London",
        "2026-02-03T18:30:00",
        ends="2026-02-03T21:00:00",
        recurrence="FREQ=MONTHLY;BYDAY=1TU",
        recurrence_overrides={
            "2026-04-07T18:30:00": {"starts": "2026-04-08T19:00:00", "venue": "Another pub, across the street"},
            "2026-05-05T18:30:00": {"status": "cancelled"},
            "2026-06-02T18:30:00": {"excluded": True},
            "2026-07-07T18:30:00": {"title": "Summer party", "summary": "Bring cake.", "ends": "2026-07-07T23:00:00"},
        },
    )
    yield _make_event(
        "weekly",
        "Asia/Kolkata",
        "2026-01-05T10:00:00",
        ends="2026-01-05T10:45:00",
        recurrence="FREQ=WEEKLY;COUNT=30",
        attendance="online",
        online_url="https://live.example.org/weekly",
    )
    yield _make_event(
        "yearly",
        "America/Sao_Paulo",
        "2024-08-09",
        ends="2024-08-11",
        recurrence="FREQ=YEARLY",
        recurrence_overrides={"2026-08-09": {"starts": "2026-08-16", "ends": "2026-08-18"}},
    )
    yield _make_event(
        "nightly",
        "America/New_York",
        "2026-03-06T23:30:00",
        ends="2026-03-07T03:30:00",
        recurrence="FREQ=DAILY;UNTIL=20260312T050000Z",
        kind="hackathon",
    )


def _iter_single_events() -> Iterator[Json]:
    """Yield an event of each status, and events with unusual values."""
    for status in ("tentative", "postponed", "cancelled", "draft", "pending"):
        yield _make_event(f"status-{status}", "Europe/Lisbon", "2026-05-20", ends="2026-05-21", status=status)
    yield _make_event("one-day", "UTC", "2026-04-01", ends="2026-04-01", title="A day; with, separators\\ in it")
    yield _make_event(
        "far-east", "Pacific/Apia", "2026-04-04T02:00:00", ends="2026-04-05T02:30:00", attendance="hybrid"
    )
    yield _make_event("clock-change", "Europe/Paris", "2026-03-29T01:30:00", ends="2026-03-29T04:00:00", kind="webinar")
    yield _make_event("long-ago", "Asia/Tokyo", "2019-11-11", ends="2019-11-13", tags=["history"])
    yield _make_event("far-away", "America/St_Johns", "2031-07-01T08:15:00", ends="2031-07-02T12:00:00")
    yield _make_event(
        "beside", "Europe/Berlin", "2026-06-14", ends="2026-06-14", kind="workshop", co_located_with=["berlin"]
    )


def _iter_meetups(dice: Random) -> Iterator[Json]:
    zones = ("Europe/Vienna", "America/Los_Angeles", "Asia/Kathmandu", "Africa/Nairobi")
    for number in range(20):
        day = date(2026, 3, 2) + timedelta(days=9 * number)
        yield _make_event(
            f"meetup-{number:02}",
            zones[number % 4],
            f"{day}T18:00:00",
            ends=f"{day}T21:00:00",
            title=f"Meetup: {_make_title(dice)}",
            description=_make_markdown(dice),
            kind="meetup",
            tags=dice.sample(_TAGS, 2),
            call_for_talks={"kinds": ["talk", "lightning"]} if number % 3 else None,
        )


def _make_event(slug: str, zone: str, starts: str, *, ends: str, **fields: Any) -> Json:
    usual = {
        "title": f"Event {slug}",
        "kind": "meetup",
        "programme": "listed",
        "status": "confirmed",
        "location": {"venue": "The pub", "city": zone.rpartition("/")[2], "country": "GB"},
    }
    return {**usual, "slug": slug, "timezone": zone, "starts": starts, "ends": ends, **fields}


def _iter_conference_talks(dice: Random, slug: str) -> Iterator[Json]:
    _zone, first, talks = CONFERENCES[slug]
    for number in range(talks):
        slot, room = divmod(number, len(_ROOMS))
        day, at = divmod(slot, 26)
        minutes = 9 * 60 + at * 15
        placed = number % 10 != 9
        starts = f"{first + timedelta(days=day % 4)}T{minutes // 60:02}:{minutes % 60:02}:00"
        yield _make_talk(
            dice,
            slug,
            number,
            starts=starts if placed else None,
            duration_minutes=dice.choice((15, 15, 30, None)) if placed else None,
            room=_ROOMS[room][0] if placed else None,
            track=dice.choice(_TRACKS)[0] if number % 7 else None,
            state=_STATES[number % len(_STATES)],
        )


def _iter_meetup_talks(dice: Random) -> Iterator[Json]:
    for number in range(100):
        day = date(2026, 3, 2) + timedelta(days=9 * (number % 20))
        slot = number // 20
        state = ("accepted", "accepted", "submitted", "cancelled")[number % 4]
        yield _make_talk(
            dice,
            f"meetup-{number % 20:02}",
            number,
            starts=f"{day}T{18 + slot // 2}:{30 * (slot % 2):02}:00",
            ends=f"{day}T20:55:00" if slot == 4 else None,
            state=state,
        )


def _iter_reprised_talks() -> Iterator[Json]:
    original = {"event": "berlin", "title": "An original talk"}
    yield {**original, "state": "confirmed", "speakers": ["speaker-001"], "starts": "2026-06-18T16:00:00"}
    yield {"event": "sydney", "title": "The talk again", "state": "confirmed", "reprise_of": original}


def _make_talk(dice: Random, event: str, number: int, **fields: Any) -> Json:
    speakers: Sequence[int] = dice.sample(range(120), dice.choice((0, 1, 1, 1, 2, 3)))
    return {
        "event": event,
        "title": f"{_make_title(dice)} ({number})",
        "abstract": _make_markdown(dice) if number % 8 else None,
        "kind": dice.choice(_KINDS) if event in CONFERENCES else "talk",
        "language": dice.choice(_LANGUAGES),
        "speakers": [f"speaker-{one:03}" for one in speakers],
        "tags": dice.sample(_TAGS, dice.randint(0, 3)),
        "notes": "Needs a microphone." if number % 6 == 0 else None,
        "slides_url": f"https://slides.example.org/{number}?page=1&x=y" if number % 5 == 0 else None,
        "recording_url": f"https://video.example.org/{number}" if number % 9 == 0 else None,
        **fields,
    }
