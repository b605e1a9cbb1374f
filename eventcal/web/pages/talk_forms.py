"""The form of a talk: what a member types, as the API's body; and a talk as what stands in the form."""

from collections.abc import Mapping
from typing import Any

from eventcal.talks.models import Talk
from eventcal.web.pages.forms import Form, Typed, lines, listed

_PLAIN = ("title", "abstract", "kind", "language", "track", "duration_minutes", "slides_url", "recording_url", "notes")
_LONG = frozenset({"abstract", "notes"})


def talk_fields(typed: Typed, *, whole: bool = False) -> dict[str, Any]:
    """Return the body of a talk that is offered; with `whole` that of one that is changed: what is empty is None."""
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
    return fields


def form_of(talk: Talk) -> Form:
    """Return the form with what a talk says."""
    values: Mapping[str, object] = {name: getattr(talk, name) for name in _PLAIN if name != "track"}
    shown = {name: "" if value is None else str(value) for name, value in values.items()}
    tags = ", ".join(tag.tag for tag in talk.tags)
    return Form({**shown, "track": talk.track.name if talk.track else "", "tags": tags})
