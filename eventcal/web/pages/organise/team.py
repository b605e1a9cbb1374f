"""Who is on an event's team: put there by e-mail, given another role, taken off."""

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.errors import LastOrganiser, NoSuchPart
from eventcal.events.models import Event, TeamMember
from eventcal.events.parts import put_on_team, take_off_team
from eventcal.events.queries import list_team
from eventcal.events.words import TeamRole
from eventcal.kit.refusals import Fault, Invalid, Sentence
from eventcal.members.models import Member
from eventcal.members.queries import find_member_by_email
from eventcal.web.i18n.messages import in_words
from eventcal.web.identity.permissions import caller
from eventcal.web.pages.organise.labels import TEAM_ROLES, choices
from eventcal.web.pages.organise.layout import reading_event, section_page
from eventcal.web.pages.organise.row_forms import NEW, RowForm, handle_row_form, row_form, sent_row
from eventcal.web.rendering.forms import Typed, said_after, validate
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import HOME, answer_page, signed_in
from eventcal.web.schemas.event_parts import TeamMemberIn, TeamRoleIn

_BY_EMAIL, _ROLE = TeamMemberIn(), TeamRoleIn()


@pages.get("/organise/<slug>/team")
@signed_in
def event_team(slug: str) -> Response:
    """Show who is on an event's team, and a form to put somebody on it."""
    with reading_event(slug) as (session, event):
        return answer_page(_render_list(session, event))


@pages.get("/organise/<slug>/team/<member_id>/remove")
@signed_in
def taking_off(slug: str, member_id: str) -> Response:
    """Ask whether somebody is to be taken off the team."""
    with reading_event(slug) as (session, event):
        row, someone = _on_team(session, event, member_id)
        page = section_page(
            event,
            section="event_team",
            template="remove_teammate.html",
            title=_("Take off the team?"),
            within=True,
            someone=someone,
            role=in_words(TEAM_ROLES[row.role]),
            is_self=someone.id == caller().member_id,
        )
        return answer_page(page)


@pages.post("/organise/<slug>/team")
@signed_in
def change_team(slug: str) -> Response:
    """Put somebody on the team, give them another role, or take them off, by the button that was pressed."""
    return handle_row_form(slug, _change, render_list=_render_list, fields={LastOrganiser: "role"})


def _change(session: Session, event: Event) -> str:
    do, row, typed = sent_row()
    if do == "add":
        _add(session, event, typed)
        return url_for("pages.event_team", slug=event.slug, done="added")
    _present, someone = _on_team(session, event, row)
    if do == "remove":
        take_off_team(session, event, someone.id)
        if someone.id == caller().member_id and not caller().moderates:
            # Members who removed themselves may not see the team any more.
            return HOME
        return url_for("pages.event_team", slug=event.slug, done="removed")
    fields = validate(_ROLE, {"role": typed.get("role", "")})
    put_on_team(session, event, someone, fields["role"])
    return url_for("pages.event_team", slug=event.slug, done="saved")


def _add(session: Session, event: Event, typed: Typed) -> None:
    fields = validate(_BY_EMAIL, {"email": typed.get("email", "").strip(), "role": typed.get("role", "")})
    someone = find_member_by_email(session, fields["email"])
    if someone is None:
        unknown = _("Nobody with this address has an account; ask them to register first.")
        raise Invalid(faults=[Fault("/email", unknown)])
    put_on_team(session, event, someone, fields["role"])


def _on_team(session: Session, event: Event, member_id: str) -> tuple[TeamMember, Member]:
    """Return somebody who is on the team. Raises NoSuchPart."""
    for row, someone in list_team(session, event):
        if someone.id == member_id:
            return row, someone
    raise NoSuchPart(Sentence("Nobody by this id is on the team."))


def _render_list(session: Session, event: Event, wrong: RowForm | None = None) -> Page:
    """Return the page; `wrong` replaces the form of the row with the same name."""
    team = list_team(session, event)
    forms = {someone.id: row_form(someone.id, {"role": row.role}) for row, someone in team}
    forms[NEW] = row_form(NEW, {"role": TeamRole.REVIEWER})
    if wrong is not None:
        forms[wrong.row] = wrong
    return section_page(
        event,
        section="event_team",
        template="team.html",
        title=_("Team"),
        team=[someone for _row, someone in team],
        forms=forms,
        wrong=wrong or RowForm(),
        roles=choices(TEAM_ROLES),
        done=said_after(
            {
                "added": _("They are on the team now."),
                "saved": _("It is saved."),
                "removed": _("They are not on the team any more."),
            }
        ),
    )
