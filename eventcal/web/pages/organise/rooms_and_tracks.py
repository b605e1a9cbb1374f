"""An event's rooms and tracks: added, changed, removed."""

from collections.abc import Mapping
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.errors import NameTaken, NoSuchPart
from eventcal.events.models import Event, Room, Track
from eventcal.events.parts import add_part, edit_part
from eventcal.kit.refusals import Sentence
from eventcal.talks.removal import count_talks_in, remove_part
from eventcal.web.pages.organise.layout import reading_event, section_page
from eventcal.web.pages.organise.row_forms import NEW, RowForm, handle_row_form, row_form, sent_row, whole_number
from eventcal.web.rendering.forms import Typed, said_after, validate
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, signed_in
from eventcal.web.schemas.event_parts import RoomFields, RoomIn, TrackFields, TrackIn

Part = Room | Track

_ROOM, _TRACK = RoomFields(), TrackFields()
_ADD: Mapping[str, tuple[type[Part], RoomFields | TrackFields]] = {
    "add-room": (Room, RoomIn()),
    "add-track": (Track, TrackIn()),
}


@pages.get("/organise/<slug>/parts")
@signed_in
def event_parts(slug: str) -> Response:
    """Show an event's rooms and tracks, each to be changed, and a form for another."""
    with reading_event(slug) as (session, event):
        return answer_page(_render_list(session, event))


@pages.get("/organise/<slug>/parts/<part_id>/remove")
@signed_in
def removing_part(slug: str, part_id: str) -> Response:
    """Ask whether a room or a track is to be removed, and say how many talks are in it."""
    with reading_event(slug) as (session, event):
        part = _part(event, part_id)
        is_room = isinstance(part, Room)
        page = section_page(
            event,
            section="event_parts",
            template="remove_part.html",
            title=_("Remove this room?") if is_room else _("Remove this track?"),
            within=True,
            part=part,
            is_room=is_room,
            talks=count_talks_in(session, part),
        )
        return answer_page(page)


@pages.post("/organise/<slug>/parts")
@signed_in
def change_parts(slug: str) -> Response:
    """Add, change or remove a room or a track, by the button that was pressed."""
    return handle_row_form(slug, _change, render_list=_render_list, fields={NameTaken: "name"})


def _change(session: Session, event: Event) -> str:
    do, row, typed = sent_row()
    if do in _ADD:
        table, schema = _ADD[do]
        add_part(session, event, table, _validate(schema, typed))
        return url_for("pages.event_parts", slug=event.slug, done="added")
    part = _part(event, row)
    if do == "remove":
        remove_part(session, part)
        return url_for("pages.event_parts", slug=event.slug, done="removed")
    edit_part(session, part, _validate(_ROOM if isinstance(part, Room) else _TRACK, typed))
    return url_for("pages.event_parts", slug=event.slug, done="saved")


def _validate(schema: RoomFields | TrackFields, typed: Typed) -> dict[str, Any]:
    """Return the fields of a room or a track. Raises Invalid with every fault."""
    given: dict[str, Any] = {"name": typed.get("name", "").strip()}
    if isinstance(schema, RoomFields):
        given["capacity"] = whole_number(typed.get("capacity", ""))
    else:
        given["colour"] = typed.get("colour", "").strip() or None
    return validate(schema, given)


def _render_list(_session: Session, event: Event, wrong: RowForm | None = None) -> Page:
    """Return the page; `wrong` replaces the form of the row with the same name."""
    forms: dict[str, RowForm] = {
        **{room.id: row_form(room.id, {"name": room.name, "capacity": room.capacity}) for room in event.rooms},
        **{track.id: row_form(track.id, {"name": track.name, "colour": track.colour}) for track in event.tracks},
        **{row: RowForm(row=row) for row in (f"{NEW}-room", f"{NEW}-track")},
    }
    if wrong is not None:
        forms[wrong.row] = wrong
    return section_page(
        event,
        section="event_parts",
        template="parts.html",
        title=_("Rooms and tracks"),
        forms=forms,
        wrong=wrong or RowForm(),
        done=said_after({"added": _("It is added."), "saved": _("It is saved."), "removed": _("It is removed.")}),
    )


def _part(event: Event, part_id: str) -> Part:
    """Return a room or a track of this event. Raises NoSuchPart."""
    parts: list[Part] = [*event.rooms, *event.tracks]
    found = next((part for part in parts if part.id == part_id), None)
    if found is None:
        raise NoSuchPart(Sentence("This event has no such room or track."))
    return found
