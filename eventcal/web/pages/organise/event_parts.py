"""Forms for the rooms, tracks and team of an event."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.errors import DuplicateName, EventPartNotFound, LastOrganiser
from eventcal.events.models import Event, Room, TeamMember, Track
from eventcal.events.queries import list_team_members
from eventcal.events.service import add_team_member, create_track_or_room, edit_track_or_room, remove_team_member
from eventcal.events.words import TeamRole
from eventcal.kit.refusals import FieldError, Invalid, Message
from eventcal.members.models import Member
from eventcal.members.service import find_member_by_email
from eventcal.talks.removal import count_talks_in, delete_track_or_room
from eventcal.web.identity.current_user import caller
from eventcal.web.pages.organise import layout
from eventcal.web.pages.organise.labels import TEAM_ROLES, choices
from eventcal.web.pages.organise.row_forms import NEW, RowForm, handle_rows, row_form, sent_row
from eventcal.web.rendering.forms import Typed, flash_for, validate, whole_number
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import signed_in
from eventcal.web.schemas.event_parts import RoomFields, RoomIn, TeamMemberIn, TeamRoleIn, TrackFields, TrackIn

Part = Room | Track

_SCHEMAS: Mapping[type[Part], RoomFields | TrackFields] = {Room: RoomFields(), Track: TrackFields()}
_ADD: Mapping[str, tuple[type[Part], RoomFields | TrackFields]] = {
    "add-room": (Room, RoomIn()),
    "add-track": (Track, TrackIn()),
}
_BY_EMAIL, _ROLE = TeamMemberIn(), TeamRoleIn()
# Functions that convert the submitted fields of rooms and tracks.
_READ: Mapping[str, Callable[[str], object]] = {
    "name": str.strip,
    "capacity": whole_number,
    "colour": lambda typed: typed.strip() or None,
}


@pages.route("/organise/<slug>/parts", methods=["GET", "POST"])
@signed_in
def event_parts(slug: str) -> Response:
    """Show an event's rooms and tracks, or add, change or remove one, depending on the button that was pressed."""
    return handle_rows(slug, _change_part, render_list=_render_parts, fields={DuplicateName: "name"})


@pages.get("/organise/<slug>/parts/<part_id>/remove")
@signed_in
def removing_part(slug: str, part_id: str) -> Response:
    """Ask for confirmation to remove a room or a track, and show the number of its talks."""
    with layout.reading_event(slug) as (session, event):
        part = _part(event, part_id)
        values = {"part": part, "is_room": isinstance(part, Room), "talks": count_talks_in(session, part)}
        title = _("Remove this room?") if isinstance(part, Room) else _("Remove this track?")
        return layout.ask_before(event, "event_parts", "remove_part.html", title, **values)


def _change_part(session: Session, event: Event) -> str:
    do, row, typed = sent_row()
    if do in _ADD:
        table, schema = _ADD[do]
        create_track_or_room(session, event, table, _validate(schema, typed))
        return url_for("pages.event_parts", slug=event.slug, done="added")
    part = _part(event, row)
    if do == "remove":
        delete_track_or_room(session, part)
        return url_for("pages.event_parts", slug=event.slug, done="removed")
    edit_track_or_room(session, part, _validate(_SCHEMAS[type(part)], typed))
    return url_for("pages.event_parts", slug=event.slug, done="saved")


def _validate(schema: RoomFields | TrackFields, typed: Typed) -> dict[str, Any]:
    return validate(schema, {name: _READ[name](typed.get(name, "")) for name in schema.fields})


def _render_parts(_session: Session, event: Event, wrong: RowForm | None = None) -> Page:
    """Return the page. `wrong` is a form with errors, and replaces the form of its row."""
    forms = {row: RowForm(row=row) for row in (f"{NEW}-room", f"{NEW}-track")}
    for part in _parts(event):
        forms[part.id] = row_form(part.id, {name: getattr(part, name) for name in _SCHEMAS[type(part)].fields})
    if wrong is not None:
        forms[wrong.row] = wrong
    return layout.render_section(
        event,
        section="event_parts",
        template="parts.html",
        title=_("Rooms and tracks"),
        forms=forms,
        wrong=wrong or RowForm(),
        done=flash_for({"added": _("It is added."), "saved": _("It is saved."), "removed": _("It is removed.")}),
    )


def _parts(event: Event) -> list[Part]:
    return [*event.rooms, *event.tracks]


def _part(event: Event, part_id: str) -> Part:
    for part in _parts(event):
        if part.id == part_id:
            return part
    raise EventPartNotFound(Message("This event has no such room or track."))


@pages.route("/organise/<slug>/team", methods=["GET", "POST"])
@signed_in
def event_team(slug: str) -> Response:
    """Show an event's team, or add, change or remove a member, depending on the button that was pressed."""
    return handle_rows(slug, _change_member, render_list=_render_team, fields={LastOrganiser: "role"})


@pages.get("/organise/<slug>/team/<member_id>/remove")
@signed_in
def taking_off(slug: str, member_id: str) -> Response:
    """Ask for confirmation to remove a member from the team."""
    with layout.reading_event(slug) as (session, event):
        row, someone = _on_team(session, event, member_id)
        values = {"someone": someone, "role": TEAM_ROLES[row.role], "is_self": someone.id == caller().member_id}
        return layout.ask_before(event, "event_team", "remove_teammate.html", _("Take off the team?"), **values)


def _change_member(session: Session, event: Event) -> str:
    do, row, typed = sent_row()
    if do == "add":
        fields = validate(_BY_EMAIL, {"email": typed.get("email", "").strip(), "role": typed.get("role", "")})
        member = find_member_by_email(session, fields["email"])
        if member is None:
            unknown = _("Nobody with this address has an account; ask them to register first.")
            raise Invalid(errors=[FieldError("/email", unknown)])
        add_team_member(session, event, member, fields["role"])
        return url_for("pages.event_team", slug=event.slug, done="added")
    _present, someone = _on_team(session, event, row)
    if do == "remove":
        remove_team_member(session, event, someone.id)
        if someone.id == caller().member_id and not caller().is_moderator:
            # Members who removed themselves may no longer see the team.
            return url_for("pages.me")
        return url_for("pages.event_team", slug=event.slug, done="removed")
    fields = validate(_ROLE, {"role": typed.get("role", "")})
    add_team_member(session, event, someone, fields["role"])
    return url_for("pages.event_team", slug=event.slug, done="saved")


def _on_team(session: Session, event: Event, member_id: str) -> tuple[TeamMember, Member]:
    for row, someone in list_team_members(session, event):
        if someone.id == member_id:
            return row, someone
    raise EventPartNotFound(Message("Nobody by this id is on the team."))


def _render_team(session: Session, event: Event, wrong: RowForm | None = None) -> Page:
    """Return the page. `wrong` is a form with errors, and replaces the form of its row."""
    team = list_team_members(session, event)
    forms = {someone.id: row_form(someone.id, {"role": row.role}) for row, someone in team}
    forms[NEW] = row_form(NEW, {"role": TeamRole.REVIEWER})
    if wrong is not None:
        forms[wrong.row] = wrong
    return layout.render_section(
        event,
        section="event_team",
        template="team.html",
        title=_("Team"),
        team=[someone for _row, someone in team],
        forms=forms,
        wrong=wrong or RowForm(),
        roles=choices(TEAM_ROLES),
        done=flash_for(
            {
                "added": _("They are on the team now."),
                "saved": _("It is saved."),
                "removed": _("They are not on the team any more."),
            }
        ),
    )
