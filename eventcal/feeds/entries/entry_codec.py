"""JSON encoding of calendar entries for the feed index."""

from datetime import date, datetime
from typing import Any

import orjson

from eventcal.feeds.entries.entry import (
    CalendarEntry,
    EntryKind,
    Override,
    Participant,
    ParticipantType,
    Relation,
    Status,
    TalkFacts,
)
from eventcal.feeds.entries.sanitize import replace_controls

# The suffix for the second instant of an ambiguous local time, which ISO 8601 cannot express.
_FOLD_MARK = "*"
_RECORDS = (CalendarEntry, Participant, TalkFacts)


def dump_entry(entry: CalendarEntry) -> str:
    """Return the entry as deterministic JSON. Invalid characters are replaced by U+FFFD."""
    return orjson.dumps(_to_json_value(entry), default=str).decode()


def load_entry(stored: str) -> CalendarEntry:
    return _entry_from_json(orjson.loads(stored))


def _to_json_value(value: object) -> object:
    if isinstance(value, str):
        return replace_controls(value)
    if isinstance(value, date):
        return _format_time(value)
    if isinstance(value, Override):
        value = (value.occurrence, value.entry)
    if isinstance(value, tuple):
        return [_to_json_value(one) for one in value]
    if isinstance(value, _RECORDS):
        return {name: _to_json_value(one) for name, one in vars(value).items()}
    return value


def _format_time(moment: date | datetime) -> str:
    return moment.isoformat() + (_FOLD_MARK if isinstance(moment, datetime) and moment.fold else "")


def _parse_time(text: str) -> date | datetime:
    if "T" not in text:
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text.removesuffix(_FOLD_MARK))
    return moment.replace(fold=1) if text.endswith(_FOLD_MARK) else moment


def _entry_from_json(stored: dict[str, Any]) -> CalendarEntry:
    read = {
        "kind": EntryKind(stored["kind"]),
        "starts": _parse_time(stored["starts"]),
        "ends": _parse_time(stored["ends"]),
        "status": Status(stored["status"]),
        "created_at": datetime.fromisoformat(stored["created_at"]),
        "geo": stored["geo"] and (stored["geo"][0], stored["geo"][1]),
        "categories": tuple(stored["categories"]),
        "excluded": tuple(map(_parse_time, stored["excluded"])),
        "overrides": tuple(
            Override(occurrence=_parse_time(at), entry=_entry_from_json(entry)) for at, entry in stored["overrides"]
        ),
        "related": tuple((Relation(relation), uid) for relation, uid in stored["related"]),
        "participants": tuple(
            Participant(**{**one, "part": ParticipantType(one["part"])}) for one in stored["participants"]
        ),
        "talk": TalkFacts(**stored["talk"]) if stored["talk"] else None,
    }
    return CalendarEntry(**{**stored, **read})
