"""The talk form: converts submitted fields to the API's request body, and talks to field values."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext as _

from eventcal.events.models import Event, Room, Track
from eventcal.events.words import Programme, TalkKind
from eventcal.talks.models import TEXT_COLUMNS, Talk
from eventcal.web.rendering.forms import Choices, Form, Typed, days_of, fields_of, lines, listed, read_time
from eventcal.web.rendering.labels import kind_in_words

_PLAIN = ("title", "kind", "track", "duration_minutes", *TEXT_COLUMNS)
_LONG = frozenset({"abstract", "notes"})
_TIMES = ("starts", "ends")


def talk_fields(typed: Typed, *, whole: bool = False) -> dict[str, Any]:
    """Return the request body for a new talk; with `whole`, the body for a change, in which empty fields are None."""
    fields: dict[str, Any] = {}
    for name in _PLAIN:
        value = typed.get(name, "")
        if name in _LONG:
            value = lines(value)
        if value.strip() or (name == "title" and name in typed):
            fields[name] = int(value) if name == "duration_minutes" and value.isascii() and value.isdigit() else value
        elif whole and name in typed and name != "kind":
            fields[name] = None
    if "tags" in typed:
        fields["tags"] = listed(typed["tags"])
    times = {name: read_time(typed, name) for name in _TIMES if f"{name}_time" in typed}
    return fields | {name: time for name, time in times.items() if whole or time is not None}


def new_form(event: Event, *, kind: str) -> Form:
    """Return an empty form for a new talk of this kind."""
    return Form({"kind": kind, "starts": event.first_day, "ends": event.first_day})


def accepted_kinds(event: Event) -> list[str]:
    """Return the kinds of talks that an event accepts: those of its call for talks, or all kinds."""
    return (event.call.kinds if event.call else []) or [kind.value for kind in TalkKind]


def kind_choices(kinds: Iterable[str]) -> Choices:
    """Return kinds of talks as options of a field."""
    return [(kind, kind_in_words(kind)) for kind in kinds]


def part_choices(parts: Iterable[Room | Track]) -> Choices:
    """Return rooms or tracks as options of a field, after the option "none"."""
    return [("", _("none")), *((part.name, part.name) for part in parts)]


def talk_choices(event: Event, kinds: Iterable[str], *also: str | None) -> dict[str, Any]:
    """Return the options of the submitter's form, at listed events with the event's days and those of `also`."""
    choices: dict[str, Any] = {"kinds": kind_choices(kinds), "tracks": part_choices(event.tracks)}
    if event.programme != Programme.CURATED:
        choices |= {"days": days_of(event, *also), "zone": event.timezone}
    return choices


def form_of(talk: Talk) -> Form:
    """Return the form filled in with the values of a talk."""
    values: Mapping[str, object] = {name: getattr(talk, name) for name in _PLAIN if name != "track"}
    shown = {name: "" if value is None else str(value) for name, value in values.items()}
    shown |= {"track": talk.track.name if talk.track else "", "tags": ", ".join(tag.tag for tag in talk.tags)}
    day = talk.starts[:10] if talk.starts else talk.event.first_day
    for name in _TIMES:
        shown |= fields_of(name, getattr(talk, name), day=day)
    return Form(shown)
