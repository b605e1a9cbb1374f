"""Stored entries: loading an entry returns the dumped entry with its texts cleaned."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings

from eventcal.feeds.entries.entry import CalendarEntry, Participant, ParticipantType, TalkFacts
from eventcal.feeds.entries.entry_codec import dump_entry, load_entry
from tests.feed_support.feed_calendar import SAMPLE_ENTRY
from tests.feed_support.ics_entries import HOSTILE_TEXTS, MULTI_LINE_TEXTS, any_entries, local_time, make_override
from tests.feed_support.sample_entries import normalise_text

_UNCHANGED_FIELDS = frozenset({"uid", "zone", "related"})
"""Fields that are derived from ids or contain fixed names, not text from users."""


def map_texts(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - any value of an entry
    """Return a copy of the value with the change applied to every text in it."""
    if isinstance(value, str):
        return value if isinstance(value, Enum) else change(value)
    if isinstance(value, tuple):
        return tuple(map_texts(one, change) for one in value)
    if not hasattr(value, "__dataclass_fields__"):
        return value
    own = {one.name: getattr(value, one.name) for one in fields(value) if one.name not in _UNCHANGED_FIELDS}
    return replace(value, **{name: map_texts(part, change) for name, part in own.items()})


@given(entry=any_entries(MULTI_LINE_TEXTS.map(normalise_text)))
@settings(max_examples=60)
def test_entry_with_clean_texts_round_trips(entry: CalendarEntry) -> None:
    found = load_entry(dump_entry(entry))
    # Two times that differ only in their fold are equal but have different representations.
    assert (found, repr(found)) == (entry, repr(entry))


@given(entry=any_entries())
@settings(max_examples=60)
def test_stored_entry_loads_with_cleaned_texts(entry: CalendarEntry) -> None:
    stored = dump_entry(entry)
    assert repr(load_entry(stored)) == repr(map_texts(entry, normalise_text))
    # Databases accept neither surrogates nor NUL.
    assert "\x00" not in stored.encode().decode()
    assert json.loads(stored)["uid"] == entry.uid


@given(entry=any_entries())
@settings(max_examples=50)
def test_dump_is_identical_for_equal_and_reloaded_entries(entry: CalendarEntry) -> None:
    stored = dump_entry(entry)
    assert dump_entry(replace(entry)) == stored == dump_entry(load_entry(stored))


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_text_is_cleaned_in_every_field(text: str) -> None:
    person = Participant(part=ParticipantType.SPEAKER, key=text, name=text, about=text, url=text)
    facts = TalkFacts(
        event=text, kind=text, abstract=text, language=text, track=text, room=text, slides_url=text, recording_url=text
    )
    texts: Any = dict.fromkeys(("title", "url", "description", "html", "location", "conference", "recurrence"), text)
    entry = replace(
        SAMPLE_ENTRY,
        **texts,
        categories=(text, text),
        participants=(person,),
        talk=facts,
    )
    whole = replace(entry, overrides=(make_override(entry, entry.starts),))
    assert load_entry(dump_entry(whole)) == map_texts(whole, normalise_text)


def test_fold_of_a_repeated_hour_round_trips() -> None:
    second = local_time("2026-10-25T02:30", fold=1)
    entry = replace(
        SAMPLE_ENTRY, starts=local_time("2026-10-25T02:30"), ends=second, recurrence="FREQ=DAILY", excluded=(second,)
    )
    whole = replace(
        entry, overrides=(make_override(entry, second, starts=second, ends=local_time("2026-10-25T03:30")),)
    )
    found = load_entry(dump_entry(whole))
    (other,) = found.overrides
    assert (found.starts, found.ends, found.excluded[0], other.occurrence, other.entry.starts) == (
        *(entry.starts, second, second, second, second),
    )
    moments = (found.starts, found.ends, found.excluded[0], other.occurrence, other.entry.starts, other.entry.ends)
    assert [getattr(moment, "fold", None) for moment in moments] == [0, 1, 1, 1, 1, 0]


def test_none_and_empty_text_stay_distinct() -> None:
    nothing = replace(SAMPLE_ENTRY, location=None, geo=None, conference=None, recurrence=None, talk=None)
    empty = replace(SAMPLE_ENTRY, title="", location="", conference="", recurrence="", categories=("",))
    assert [load_entry(dump_entry(entry)) for entry in (nothing, empty)] == [nothing, empty]
