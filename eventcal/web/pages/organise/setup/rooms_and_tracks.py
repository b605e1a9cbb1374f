"""An event's rooms and tracks: added, changed, removed."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.errors import NameTaken, NoSuchPart
from eventcal.events.models import Event, Room, Track
from eventcal.events.parts import add_room, add_track, edit_part
from eventcal.events.queries import get_organised_event
from eventcal.kit.refusals import Invalid, Refusal
from eventcal.kit.sentences import Sentence
from eventcal.talks.parts import count_talks_in, remove_room, remove_track
from eventcal.web.http.errors import status_of
from eventcal.web.identity.permissions import caller
from eventcal.web.pages.organise.layout import section_page
from eventcal.web.pages.organise.row_forms import NEW, RowForm, row_again, row_form, typed_in, whole_number
from eventcal.web.rendering.forms import Typed, faults_of, load, said_after
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, carry_out, signed_in
from eventcal.web.request.context import reading, unit_of_work
from eventcal.web.schemas.events import RoomFields, RoomIn, TrackFields, TrackIn

Part = Room | Track

_NEW = {"room": RoomIn(), "track": TrackIn()}
_PRESENT = {"room": RoomFields(), "track": TrackFields()}


@pages.get("/organise/<slug>/parts")
@signed_in
def event_parts(slug: str) -> Response:
    """Show an event's rooms and tracks, each to be changed, and a form for another."""
    with reading() as session:
        return answer_page(_page(get_organised_event(session, slug, caller())))


@pages.get("/organise/<slug>/parts/<part_id>/remove")
@signed_in
def removing_part(slug: str, part_id: str) -> Response:
    """Ask whether a room or a track is to be removed, and say how many talks are in it."""
    with reading() as session:
        event = get_organised_event(session, slug, caller())
        part = _part(event, part_id)
        page = section_page(
            event,
            template="remove_part.html",
            title=_("Remove this room?") if isinstance(part, Room) else _("Remove this track?"),
            section="parts",
            within=True,
            part=part,
            is_room=isinstance(part, Room),
            talks=count_talks_in(session, part),
        )
        return answer_page(page)


@pages.post("/organise/<slug>/parts")
@signed_in
def change_parts(slug: str) -> Response:
    """Add, change or remove a room or a track, by the button that was pressed."""

    def change() -> str:
        with unit_of_work() as session:
            done = _change(session, get_organised_event(session, slug, caller()))
        return f"/organise/{slug}/parts?done={done}"

    return carry_out(change, again=partial(_again, slug))


def _change(session: Session, event: Event) -> str:
    """Do what the form asks for. Returns what was done, as the page says it afterwards."""
    asked, row = request.form.get("do", ""), request.form.get("row", "")
    if asked in {"add-room", "add-track"}:
        kind = asked.removeprefix("add-")
        fields = _fields(kind, typed_in(f"{NEW}-{kind}", request.form), is_new=True)
        _ADD[kind](session, event, fields)
        return "added"
    part = _part(event, row)
    if asked == "remove":
        remove_room(session, part) if isinstance(part, Room) else remove_track(session, part)
        return "removed"
    typed = typed_in(row, request.form)
    if isinstance(part, Room):
        edit_part(session, part, _fields("room", typed, is_new=False))
    else:
        edit_part(session, part, _fields("track", typed, is_new=False))
    return "saved"


_ADD = {"room": add_room, "track": add_track}


def _fields(kind: str, typed: Typed, *, is_new: bool) -> dict[str, Any]:
    """Return what was typed of a room or a track. Raises Invalid with every fault."""
    given: dict[str, Any] = {"name": typed.get("name", "").strip()}
    if kind == "room":
        given["capacity"] = whole_number(typed.get("capacity", ""))
    else:
        given["colour"] = typed.get("colour", "").strip() or None
    fields, faults = load((_NEW if is_new else _PRESENT)[kind], given)
    if faults:
        raise Invalid(faults=faults)
    return fields


def _again(slug: str, refusal: Refusal) -> Response:
    asked = request.form.get("do", "")
    row = asked.replace("add-", f"{NEW}-") if asked.startswith("add-") else request.form.get("row", "")
    at = "name" if isinstance(refusal, NameTaken) else ""
    form = row_again(row, request.form, faults_of(refusal, at=at))
    with reading() as session:
        event = get_organised_event(session, slug, caller())
        return answer_page(_page(event, form), status=status_of(type(refusal)))


def _page(event: Event, wrong: RowForm | None = None) -> Page:
    """Return the page; `wrong` stands in the place of the form that could not be taken."""
    forms: dict[str, RowForm] = {
        **{room.id: row_form(room.id, {"name": room.name, "capacity": room.capacity}) for room in event.rooms},
        **{track.id: row_form(track.id, {"name": track.name, "colour": track.colour}) for track in event.tracks},
        **{row: RowForm(row=row) for row in (f"{NEW}-room", f"{NEW}-track")},
    }
    if wrong is not None:
        forms[wrong.row] = wrong
    return section_page(
        event,
        template="parts.html",
        title=_("Rooms and tracks"),
        section="parts",
        forms=forms,
        wrong=wrong or RowForm(),
        done=said_after(_done()),
    )


def _part(event: Event, part_id: str) -> Part:
    """Return a room or a track of this event. Raises NoSuchPart."""
    parts: list[Part] = [*event.rooms, *event.tracks]
    found = next((part for part in parts if part.id == part_id), None)
    if found is None:
        raise NoSuchPart(Sentence("This event has no such room or track."))
    return found


def _done() -> Mapping[str, str]:
    return {"added": _("It is added."), "saved": _("It is saved."), "removed": _("It is removed.")}
