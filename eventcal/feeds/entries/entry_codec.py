"""Entries as the ledger stores them: JSON text, from which every format but the finished one is written."""

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
from eventcal.feeds.entries.sanitize import clean

# Marks the second of two same local times, which ISO 8601 cannot say.
_SECOND = "*"


def dump_entry(entry: CalendarEntry) -> str:
    """Return the entry as JSON; the same entry gives the same text, and what is no text is U+FFFD in it."""
    return orjson.dumps(_plain(entry), default=str).decode()


def load_entry(stored: str) -> CalendarEntry:
    """Return the entry that `dump_entry` was given, its texts cleaned."""
    return _entry(orjson.loads(stored))


def _plain(entry: CalendarEntry) -> dict[str, Any]:
    return {
        "uid": entry.uid,
        "kind": entry.kind,
        "title": clean(entry.title),
        "starts": _written(entry.starts),
        "ends": _written(entry.ends),
        "zone": entry.zone,
        "status": entry.status,
        "transparent": entry.transparent,
        "created_at": entry.created_at.isoformat(),
        "url": clean(entry.url),
        "description": clean(entry.description),
        "html": clean(entry.html),
        "location": entry.location and clean(entry.location),
        "geo": entry.geo,
        "categories": [clean(category) for category in entry.categories],
        "conference": entry.conference and clean(entry.conference),
        "recurrence": entry.recurrence and clean(entry.recurrence),
        "excluded": [_written(occurrence) for occurrence in entry.excluded],
        "overrides": [(_written(one.occurrence), _plain(one.entry)) for one in entry.overrides],
        "related": entry.related,
        "participants": [_cleaned(vars(one)) for one in entry.participants],
        "talk": _cleaned(vars(entry.talk)) if entry.talk else None,
    }


def _cleaned(fields: dict[str, str | None]) -> dict[str, str | None]:
    return {name: value and clean(value) for name, value in fields.items()}


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
