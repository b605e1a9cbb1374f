"""Forms for the rooms, tracks and team of an event."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.enums import TeamRole
from eventcal.events.errors import DuplicateName, EventPartNotFound, LastOrganiser
from eventcal.events.models import Event, Room, TeamMember, Track
from eventcal.events.queries import list_team_members
from eventcal.events.service import change_team_role, create_track_or_room, edit_track_or_room, remove_team_member
from eventcal.invitations.queries import list_open_team_invitations
from eventcal.invitations.service import withdraw_team_invitation
from eventcal.kit.errors import Message, require
from eventcal.members.errors import QuotaExceeded
from eventcal.members.models import Member
from eventcal.talks.delete_and_merge_referenced import count_talks_in, delete_track_or_room
from eventcal.web.identity.current_user import caller
from eventcal.web.identity.invitation_email import invite_to_team_by_email
from eventcal.web.pages.organise import layout, row_forms
from eventcal.web.pages.organise.labels import enum_choices
from eventcal.web.rendering.dates import format_instant_utc
from eventcal.web.rendering.forms import FormData, done_message, parse_int, validate
from eventcal.web.rendering.labels import TEAM_ROLE_LABELS
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import login_required
from eventcal.web.request.context import now
from eventcal.web.request.rate_limits import count_email
from eventcal.web.schemas.event_parts import RoomFields, RoomIn, TeamMemberIn, TeamRoleIn, TrackFields, TrackIn

Part = Room | Track

_SCHEMAS: Mapping[type[Part], RoomFields | TrackFields] = {Room: RoomFields(), Track: TrackFields()}
_ADD_ACTIONS: Mapping[str, tuple[type[Part], RoomFields | TrackFields]] = {
    "add-room": (Room, RoomIn()),
    "add-track": (Track, TrackIn()),
}
_MEMBER_SCHEMA, _ROLE_SCHEMA = TeamMemberIn(), TeamRoleIn()
_FIELD_PARSERS: Mapping[str, Callable[[str], object]] = {
    "name": str.strip,
    "capacity": parse_int,
    "colour": lambda typed: typed.strip() or None,
}


@pages.route("/organise/<slug>/parts", methods=["GET", "POST"])
@login_required
def event_parts(slug: str) -> Response:
    return row_forms.handle_row_forms(
        slug, _process_part_row, render_list=_build_parts_page, error_fields={DuplicateName: "name"}
    )


@pages.get("/organise/<slug>/parts/<part_id>/remove")
@login_required
def confirm_remove_part(slug: str, part_id: str) -> Response:
    with layout.open_event_session(slug) as (session, event):
        part = _get_room_or_track(event, part_id)
        values = {"part": part, "is_room": isinstance(part, Room), "talks": count_talks_in(session, part)}
        title = _("Remove this room?") if isinstance(part, Room) else _("Remove this track?")
        return layout.confirm_page(event, "event_parts", "remove_part.html", title=title, **values)


def _process_part_row(session: Session, event: Event) -> str:
    do, row, data = row_forms.parse_submitted_row()
    if do in _ADD_ACTIONS:
        table, schema = _ADD_ACTIONS[do]
        create_track_or_room(session, event, _validate_part_row(schema, data), table=table)
        return url_for("pages.event_parts", slug=event.slug, done="added")
    part = _get_room_or_track(event, row)
    if do == "remove":
        delete_track_or_room(session, part)
        return url_for("pages.event_parts", slug=event.slug, done="removed")
    edit_track_or_room(session, part, _validate_part_row(_SCHEMAS[type(part)], data))
    return url_for("pages.event_parts", slug=event.slug, done="saved")


def _validate_part_row(schema: RoomFields | TrackFields, data: FormData) -> dict[str, Any]:
    return validate(schema, {name: _FIELD_PARSERS[name](data.get(name, "")) for name in schema.fields})


def _build_parts_page(_session: Session, event: Event, invalid_row: row_forms.RowForm | None = None) -> Page:
    forms = {row: row_forms.RowForm(row_key=row) for row in (f"{row_forms.NEW_ROW}-room", f"{row_forms.NEW_ROW}-track")}
    parts: list[Part] = [*event.rooms, *event.tracks]
    for part in parts:
        forms[part.id] = row_forms.build_row_form(
            part.id, {name: getattr(part, name) for name in _SCHEMAS[type(part)].fields}
        )
    return layout.render_section(
        event,
        section="event_parts",
        template="parts.html",
        title=_("Rooms and tracks"),
        **row_forms.row_context(forms, invalid_row),
        done=done_message({"added": _("It is added."), "saved": _("It is saved."), "removed": _("It is removed.")}),
    )


def _get_room_or_track(event: Event, part_id: str) -> Part:
    parts: list[Part] = [*event.rooms, *event.tracks]
    for part in parts:
        if part.id == part_id:
            return part
    raise EventPartNotFound(Message("This event has no such room or track."))


@pages.route("/organise/<slug>/team", methods=["GET", "POST"])
@login_required
def event_team(slug: str) -> Response:
    if request.method == "POST" and request.form.get("do") == "add":
        count_email(request.form.get("new-email", ""))
    return row_forms.handle_row_forms(
        slug,
        _process_team_row,
        render_list=_build_team_page,
        error_fields={LastOrganiser: "role", QuotaExceeded: "email"},
    )


@pages.get("/organise/<slug>/team/<member_id>/remove")
@login_required
def confirm_remove_team_member(slug: str, member_id: str) -> Response:
    with layout.open_event_session(slug) as (session, event):
        row, member = _get_team_member(session, event, member_id)
        values = {"someone": member, "role": TEAM_ROLE_LABELS[row.role], "is_self": member.id == caller().member_id}
        return layout.confirm_page(event, "event_team", "remove_teammate.html", title=_("Take off the team?"), **values)


def _process_team_row(session: Session, event: Event) -> str:
    do, row, data = row_forms.parse_submitted_row()
    if do == "add":
        fields = validate(_MEMBER_SCHEMA, {"email": data.get("email", "").strip(), "role": data.get("role", "")})
        invite_to_team_by_email(session, event, **fields)
        return url_for("pages.event_team", slug=event.slug, done="invited")
    if do == "withdraw":
        withdraw_team_invitation(session, event, row, caller=caller())
        return url_for("pages.event_team", slug=event.slug, done="withdrawn")
    if do == "remove":
        remove_team_member(session, event, row)
        if row == caller().member_id and not caller().is_moderator:
            # Organisers who have removed themselves from a team are not allowed to see the team's page.
            return url_for("pages.my_talks")
        return url_for("pages.event_team", slug=event.slug, done="removed")
    change_team_role(session, event, row, **validate(_ROLE_SCHEMA, {"role": data.get("role", "")}))
    return url_for("pages.event_team", slug=event.slug, done="saved")


def _get_team_member(session: Session, event: Event, member_id: str) -> tuple[TeamMember, Member]:
    found = next((row for row in list_team_members(session, event) if row[1].id == member_id), None)
    return require(found, EventPartNotFound(Message("No team member has this id.")))


def _build_team_page(session: Session, event: Event, invalid_row: row_forms.RowForm | None = None) -> Page:
    team = list_team_members(session, event)
    forms = {member.id: row_forms.build_row_form(member.id, {"role": row.role}) for row, member in team}
    forms[row_forms.NEW_ROW] = row_forms.build_row_form(row_forms.NEW_ROW, {"role": TeamRole.REVIEWER})
    return layout.render_section(
        event,
        section="event_team",
        template="team.html",
        title=_("Team"),
        team=[member for _row, member in team],
        **row_forms.row_context(forms, invalid_row),
        roles=enum_choices(TEAM_ROLE_LABELS),
        invitations=[
            {"invitation": row, "role": TEAM_ROLE_LABELS[row.role], "expires": format_instant_utc(row.expires_at)}
            for row in list_open_team_invitations(session, event, now=now())
        ],
        done=done_message(
            {
                "invited": _("Invitation sent."),
                "withdrawn": _("Invitation withdrawn."),
                "saved": _("It is saved."),
                "removed": _("They are not on the team any more."),
            }
        ),
    )
