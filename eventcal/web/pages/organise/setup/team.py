"""Who is on an event's team: put there by e-mail, given another role, taken off."""

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.errors import LastOrganiser, NoSuchPart
from eventcal.events.models import Event, TeamMember
from eventcal.events.parts import put_on_team, take_off_team
from eventcal.events.queries import get_organised_event, list_team
from eventcal.kit.refusals import Fault, Invalid, Sentence
from eventcal.members.models import Member
from eventcal.members.queries import find_member_by_email
from eventcal.web.identity.permissions import caller
from eventcal.web.pages.organise.labels import role_in_words, roles
from eventcal.web.pages.organise.layout import section_page, show_event_page
from eventcal.web.pages.organise.row_forms import NEW, RowForm, handle_row_form, row_form, typed_in
from eventcal.web.rendering.forms import load, said_after, validate
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import HOME, answer_page, signed_in
from eventcal.web.request.context import reading
from eventcal.web.schemas.event_parts import TeamMemberIn, TeamRoleIn

_BY_EMAIL, _ROLE = TeamMemberIn(), TeamRoleIn()


@pages.get("/organise/<slug>/team")
@signed_in
def event_team(slug: str) -> Response:
    """Show who is on an event's team, and a form to put somebody on it."""
    return show_event_page(slug, _render_list)


@pages.get("/organise/<slug>/team/<member_id>/remove")
@signed_in
def taking_off(slug: str, member_id: str) -> Response:
    """Ask whether somebody is to be taken off the team."""
    with reading() as session:
        event = get_organised_event(session, slug, caller())
        row, someone = _on_team(session, event, member_id)
        page = section_page(
            event,
            template="remove_teammate.html",
            title=_("Take off the team?"),
            section="team",
            within=True,
            someone=someone,
            role=role_in_words(row.role),
            is_self=someone.id == caller().member_id,
        )
        return answer_page(page)


@pages.post("/organise/<slug>/team")
@signed_in
def change_team(slug: str) -> Response:
    """Put somebody on the team, give them another role, or take them off, by the button that was pressed."""
    row = NEW if request.form.get("do") == "add" else request.form.get("row", "")

    def process(session: Session, event: Event) -> str:
        return _next_path(slug, _change(session, event))

    return handle_row_form(slug, process, row=row, render_list=_render_list, fields={LastOrganiser: "role"})


def _change(session: Session, event: Event) -> str:
    """Add, change or remove the team member. Returns the word for what was done."""
    asked, row = request.form.get("do", ""), request.form.get("row", "")
    if asked == "add":
        _add(session, event)
        return "added"
    _present, someone = _on_team(session, event, row)
    if asked == "remove":
        take_off_team(session, event, someone.id)
        return "removed"
    fields = validate(_ROLE, {"role": typed_in(row, request.form).get("role", "")})
    put_on_team(session, event, someone, fields["role"])
    return "saved"


def _add(session: Session, event: Event) -> None:
    typed = typed_in(NEW, request.form)
    fields, faults = load(_BY_EMAIL, {"email": typed.get("email", "").strip(), "role": typed.get("role", "")})
    someone = find_member_by_email(session, fields["email"]) if fields else None
    if fields and someone is None:
        faults = [Fault("/email", _("Nobody with this address has an account; ask them to register first."))]
    if faults or someone is None:
        raise Invalid(faults=faults)
    put_on_team(session, event, someone, fields["role"])


def _on_team(session: Session, event: Event, member_id: str) -> tuple[TeamMember, Member]:
    """Return somebody who is on the team. Raises NoSuchPart."""
    found = next((pair for pair in list_team(session, event) if pair[1].id == member_id), None)
    if found is None:
        raise NoSuchPart(Sentence("Nobody by this id is on the team."))
    return found


def _next_path(slug: str, done: str) -> str:
    """Return where to redirect to: members who removed themselves may not see the team any more."""
    gave_away = request.form.get("row") == caller().member_id and not caller().moderates
    return HOME if gave_away and done == "removed" else f"/organise/{slug}/team?done={done}"


def _render_list(session: Session, event: Event, wrong: RowForm | None = None) -> Page:
    """Return the page; `wrong` replaces the form of the row with the same name."""
    team = list_team(session, event)
    forms = {someone.id: row_form(someone.id, {"role": row.role.value}) for row, someone in team}
    forms[NEW] = row_form(NEW, {"role": roles()[-1][0]})
    if wrong is not None:
        forms[wrong.row] = wrong
    return section_page(
        event,
        template="team.html",
        title=_("Team"),
        section="team",
        team=[someone for _row, someone in team],
        forms=forms,
        wrong=wrong or RowForm(),
        roles=roles(),
        done=said_after(
            {
                "added": _("They are on the team now."),
                "saved": _("It is saved."),
                "removed": _("They are not on the team any more."),
            }
        ),
    )
