"""JSON encoding of the entries in the feed index, the source of every format that is not stored rendered."""

from datetime import date, datetime
from typing import Any

import orjson

from eventcal.feeds.entries.entry import (
    CalendarEntry,
    EntryKind,
    Override,
    Part,
    Participant,
    Relation,
    Status,
    TalkFacts,
)
from eventcal.feeds.entries.sanitize import strip_controls

# Marks the second of two ambiguous local times, which ISO 8601 cannot express.
_SECOND = "*"
_RECORDS = (CalendarEntry, Participant, TalkFacts)


def dump_entry(entry: CalendarEntry) -> str:
    """Return the entry as deterministic JSON; characters that are not text are replaced by U+FFFD."""
    return orjson.dumps(_plain(entry), default=str).decode()


def load_entry(stored: str) -> CalendarEntry:
    """Return the entry that `dump_entry` encoded, with cleaned texts."""
    return _entry(orjson.loads(stored))


def _plain(value: object) -> object:
    """Return the JSON value of an entry or of a part of it, with cleaned texts."""
    if isinstance(value, str):
        return strip_controls(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, date):
        return _written(value)
    if isinstance(value, Override):
        value = (value.occurrence, value.entry)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, _RECORDS):
        return {name: _plain(one) for name, one in vars(value).items()}
    return value


def _written(moment: date | datetime) -> str:
    return moment.isoformat() + (_SECOND if isinstance(moment, datetime) and moment.fold else "")


def _read(written: str) -> date | datetime:
    if "T" not in written:
        return date.fromisoformat(written)
    moment = datetime.fromisoformat(written.removesuffix(_SECOND))
    return moment.replace(fold=1) if written.endswith(_SECOND) else moment


def _entry(stored: dict[str, Any]) -> CalendarEntry:
    read = {
        "kind": EntryKind(stored["kind"]),
        "starts": _read(stored["starts"]),
        "ends": _read(stored["ends"]),
        "status": Status(stored["status"]),
        "created_at": datetime.fromisoformat(stored["created_at"]),
        "geo": stored["geo"] and (stored["geo"][0], stored["geo"][1]),
        "categories": tuple(stored["categories"]),
        "excluded": tuple(map(_read, stored["excluded"])),
        "overrides": tuple(Override(occurrence=_read(at), entry=_entry(entry)) for at, entry in stored["overrides"]),
        "related": tuple((Relation(relation), uid) for relation, uid in stored["related"]),
        "participants": tuple(Participant(**{**one, "part": Part(one["part"])}) for one in stored["participants"]),
        "talk": TalkFacts(**stored["talk"]) if stored["talk"] else None,
    }
    return CalendarEntry(**{**stored, **read})
