"""The talk form: conversion of submitted fields to API request bodies, and of talks to field values."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext as _

from eventcal.events.enums import Programme, TalkKind
from eventcal.events.models import Event, Room, Track
from eventcal.talks.models import TEXT_COLUMNS, Talk
from eventcal.web.rendering import forms
from eventcal.web.rendering.labels import kind_label

_TEXT_FIELDS = ("title", "kind", "track", "duration_minutes", *TEXT_COLUMNS)
_MULTILINE_FIELDS = frozenset({"abstract", "notes"})
_TIME_FIELDS = ("starts", "ends")


def parse_talk_form(data: forms.FormData, *, for_update: bool = False) -> dict[str, Any]:
    """Return an API request body that creates or updates a talk. In an update, the values of empty fields are None."""
    fields: dict[str, Any] = {}
    for name in _TEXT_FIELDS:
        value = data.get(name, "")
        if name in _MULTILINE_FIELDS:
            value = forms.normalise_newlines(value)
        if value.strip() or (name == "title" and name in data):
            fields[name] = int(value) if name == "duration_minutes" and value.isascii() and value.isdigit() else value
        elif for_update and name in data and name != "kind":
            fields[name] = None
    if "tags" in data:
        fields["tags"] = forms.split_comma_list(data["tags"])
    times = {name: forms.parse_day_and_time(data, name) for name in _TIME_FIELDS if f"{name}_time" in data}
    return fields | {name: time for name, time in times.items() if for_update or time is not None}


def build_new_talk_form(event: Event, *, kind: str) -> forms.Form:
    return forms.Form({"kind": kind, "starts": event.first_day, "ends": event.first_day})


def accepted_talk_kinds(event: Event) -> list[str]:
    """Return the kinds of talks that can be submitted to the event, by default all kinds."""
    return (event.call.kinds if event.call else []) or [kind.value for kind in TalkKind]


def talk_kind_choices(kinds: Iterable[str]) -> forms.Choices:
    return [(kind, kind_label(kind)) for kind in kinds]


def room_or_track_choices(parts: Iterable[Room | Track]) -> forms.Choices:
    return [("", _("none")), *((part.name, part.name) for part in parts)]


def talk_form_choices(event: Event, kinds: Iterable[str], *extra_times: str | None) -> dict[str, Any]:
    choices: dict[str, Any] = {"kinds": talk_kind_choices(kinds), "tracks": room_or_track_choices(event.tracks)}
    if event.programme != Programme.CURATED:
        choices |= {"days": forms.day_choices(event, *extra_times), "zone": event.timezone}
    return choices


def build_talk_form(talk: Talk) -> forms.Form:
    values: Mapping[str, object] = {name: getattr(talk, name) for name in _TEXT_FIELDS if name != "track"}
    texts = {name: "" if value is None else str(value) for name, value in values.items()}
    texts |= {"track": talk.track.name if talk.track else "", "tags": ", ".join(tag.tag for tag in talk.tags)}
    day = talk.starts[:10] if talk.starts else talk.event.first_day
    for name in _TIME_FIELDS:
        texts |= forms.day_and_time_values(name, getattr(talk, name), default_day=day)
    return forms.Form(texts)
