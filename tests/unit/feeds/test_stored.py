"""Entries as the ledger stores them: what is read is what was written, with its texts cleaned."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings

from eventcal.feeds.entries.entry import CalendarEntry, Part, Participant, TalkFacts
from eventcal.feeds.entries.entry_codec import dump_entry, load_entry
from tests.feed_support.entries import readable
from tests.feed_support.ics_entries import HOSTILE, TEXTS, any_entry, local, otherwise
from tests.feed_support.make_feeds import ENTRY

_AS_THEY_ARE = frozenset({"uid", "zone", "related"})
"""What is made of ids, and names of ours: no text that anybody wrote."""


def texts_mapped(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - any value of an entry
    """Return a value with each text in it changed."""
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
def test_an_entry_of_clean_texts_is_read_as_it_was_written(entry: CalendarEntry) -> None:
    found = load_entry(dump_entry(entry))
    # Two times that differ in their fold alone are equal, but do not look the same.
    assert (found, repr(found)) == (entry, repr(entry))


@given(entry=any_entry())
@settings(max_examples=60)
def test_whatever_was_typed_is_read_as_what_calendars_can_hold(entry: CalendarEntry) -> None:
    stored = dump_entry(entry)
    assert repr(load_entry(stored)) == repr(texts_mapped(entry, readable))
    # Whatever a database may hold: no half characters, and no NUL.
    assert "\x00" not in stored.encode().decode()
    assert json.loads(stored)["uid"] == entry.uid


@given(entry=any_entry())
@settings(max_examples=50)
def test_the_same_entry_is_the_same_text_also_once_it_was_read(entry: CalendarEntry) -> None:
    stored = dump_entry(entry)
    assert dump_entry(replace(entry)) == stored == dump_entry(load_entry(stored))


@pytest.mark.parametrize("text", HOSTILE)
def test_awkward_text_is_cleaned_wherever_it_stands(text: str) -> None:
    person = Participant(part=Part.SPEAKER, key=text, name=text, about=text, url=text)
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


def test_the_second_of_two_same_hours_stays_the_second() -> None:
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


def test_what_is_not_known_stays_unknown_and_what_is_empty_stays_empty() -> None:
    nothing = replace(ENTRY, location=None, geo=None, conference=None, recurrence=None, talk=None)
    empty = replace(ENTRY, title="", location="", conference="", recurrence="", categories=("",))
    assert [load_entry(dump_entry(entry)) for entry in (nothing, empty)] == [nothing, empty]
