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
from tests.feed_support.entries import readable
from tests.feed_support.ics_entries import HOSTILE, TEXTS, any_entry, local, otherwise
from tests.feed_support.make_feeds import ENTRY

_AS_THEY_ARE = frozenset({"uid", "zone", "related"})
"""Fields that are derived from ids or contain fixed names, not text from users."""


def texts_mapped(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - any value of an entry
    """Return a copy of the value with the change applied to every text in it."""
    if isinstance(value, str):
        return value if isinstance(value, Enum) else change(value)
    if isinstance(value, tuple):
        return tuple(texts_mapped(one, change) for one in value)
    if not hasattr(value, "__dataclass_fields__"):
        return value
    own = {one.name: getattr(value, one.name) for one in fields(value) if one.name not in _AS_THEY_ARE}
    return replace(value, **{name: texts_mapped(part, change) for name, part in own.items()})


@given(entry=any_entry(TEXTS.map(readable)))
@settings(max_examples=60)
def test_entry_with_clean_texts_round_trips(entry: CalendarEntry) -> None:
    found = load_entry(dump_entry(entry))
    # Two times that differ only in their fold are equal but have different representations.
    assert (found, repr(found)) == (entry, repr(entry))


@given(entry=any_entry())
@settings(max_examples=60)
def test_stored_entry_loads_with_cleaned_texts(entry: CalendarEntry) -> None:
    stored = dump_entry(entry)
    assert repr(load_entry(stored)) == repr(texts_mapped(entry, readable))
    # Databases accept neither surrogates nor NUL.
    assert "\x00" not in stored.encode().decode()
    assert json.loads(stored)["uid"] == entry.uid


@given(entry=any_entry())
@settings(max_examples=50)
def test_dump_is_identical_for_equal_and_reloaded_entries(entry: CalendarEntry) -> None:
    stored = dump_entry(entry)
    assert dump_entry(replace(entry)) == stored == dump_entry(load_entry(stored))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_cleaned_in_every_field(text: str) -> None:
    person = Participant(part=ParticipantType.SPEAKER, key=text, name=text, about=text, url=text)
    facts = TalkFacts(
        event=text, kind=text, abstract=text, language=text, track=text, room=text, slides_url=text, recording_url=text
    )
    texts: Any = dict.fromkeys(("title", "url", "description", "html", "location", "conference", "recurrence"), text)
    entry = replace(
        ENTRY,
        **texts,
        categories=(text, text),
        participants=(person,),
        talk=facts,
    )
    whole = replace(entry, overrides=(otherwise(entry, entry.starts),))
    assert load_entry(dump_entry(whole)) == texts_mapped(whole, readable)


def test_fold_of_a_repeated_hour_round_trips() -> None:
    second = local("2026-10-25T02:30", fold=1)
    entry = replace(ENTRY, starts=local("2026-10-25T02:30"), ends=second, recurrence="FREQ=DAILY", excluded=(second,))
    whole = replace(entry, overrides=(otherwise(entry, second, starts=second, ends=local("2026-10-25T03:30")),))
    found = load_entry(dump_entry(whole))
    (other,) = found.overrides
    assert (found.starts, found.ends, found.excluded[0], other.occurrence, other.entry.starts) == (
        *(entry.starts, second, second, second, second),
    )
    moments = (found.starts, found.ends, found.excluded[0], other.occurrence, other.entry.starts, other.entry.ends)
    assert [getattr(moment, "fold", None) for moment in moments] == [0, 1, 1, 1, 1, 0]


def test_none_and_empty_text_stay_distinct() -> None:
    nothing = replace(ENTRY, location=None, geo=None, conference=None, recurrence=None, talk=None)
    empty = replace(ENTRY, title="", location="", conference="", recurrence="", categories=("",))
    assert [load_entry(dump_entry(entry)) for entry in (nothing, empty)] == [nothing, empty]
