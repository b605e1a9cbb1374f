"""The rows of the schedule's form, one for each talk: when it is, how long, in which room and track."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson
from flask_babel import gettext as _

from eventcal.kit.refusals import Fault, Invalid, Refusal
from eventcal.talks.models import Talk
from eventcal.web.pages.organise.row_forms import RowForm, row_again, row_form, typed_in, whole_number
from eventcal.web.rendering.dates import short_day
from eventcal.web.rendering.forms import Typed
from eventcal.web.rendering.time_fields import fields_of, read_time, talk_when

_FIELDS = ("starts", "starts_time", "minutes", "room", "track")
# Where in a row a fault of the talk belongs.
_PLACES = {"/duration_minutes": "/minutes", "/ends": "/minutes"}


def row_of(talk: Talk) -> RowForm:
    """Return the row of a talk with what it says; it remembers what it was made of (`revision`, `was`)."""
    values = _values(talk)
    return row_form(talk.id, {**values, "revision": talk.revision, "was": _packed(values)})


def is_changed(talk: Talk, typed: Typed) -> bool:
    """Say whether somebody changed the row of a talk: what the form was made of may be another's by now."""
    row = typed_in(talk.id, typed)
    return row.get("was") != _packed({name: row.get(name, "").strip() for name in _FIELDS})


def fields_in(talk: Talk, typed: Typed) -> dict[str, Any]:
    """Return what the row of a talk changes of it, as the body of a change."""
    row, now_there = typed_in(talk.id, typed), _values(talk)
    body = {
        "starts": read_time(row, "starts"),
        "duration_minutes": whole_number(row.get("minutes", "")),
        "room": row.get("room") or None,
        "track": row.get("track") or None,
    }
    if talk.ends is None:
        return body
    if all(row.get(name, "").strip() == now_there[name] for name in ("starts", "starts_time", "minutes")):
        # Its end was given as a time; as long as nobody moves it, it stays so.
        return {name: body[name] for name in ("room", "track")}
    return body | {"ends": None}


def row_refused(talk: Talk, typed: Typed, refusal: Refusal) -> RowForm:
    """Return the row of a talk with what was typed, and why it cannot be.

    Of one that somebody else changed it says what stands there now: sent again, it is what is wanted.
    """
    if isinstance(refusal, Invalid):
        return row_again(talk.id, typed, refusal.faults, places=_PLACES)
    said = _(
        "Somebody else changed this talk meanwhile. There stands now: %(value)s. If you save, yours will.",
        value=_in_words(talk),
    )
    row = row_again(talk.id, typed, [Fault("/starts", said)])
    seen_now = {row.field("revision"): str(talk.revision), row.field("was"): _packed(_values(talk))}
    return RowForm({**row.values, **seen_now}, row.faults, row.row)


def _values(talk: Talk) -> Mapping[str, str]:
    day = talk.starts[:10] if talk.starts else talk.event.first_day
    return {
        **fields_of("starts", talk.starts, day=day),
        "minutes": _minutes(talk),
        "room": talk.room.name if talk.room else "",
        "track": talk.track.name if talk.track else "",
    }


def _minutes(talk: Talk) -> str:
    """Return how long a talk is, if anybody said so."""
    if talk.ends is None or talk.starts_at is None or talk.ends_at is None:
        return str(talk.duration_minutes or "")
    return str((talk.ends_at - talk.starts_at) // timedelta(minutes=1))


def _packed(values: Mapping[str, str]) -> str:
    return orjson.dumps([values[name] for name in _FIELDS]).decode()


def _in_words(talk: Talk) -> str:
    when = talk_when(talk)
    day = f"{short_day(when.on)}, {when.hours}" if when else _("no time")
    parts: Sequence[str | None] = (day, talk.room.name if talk.room else None, talk.track.name if talk.track else None)
    return "; ".join(part for part in parts if part)
