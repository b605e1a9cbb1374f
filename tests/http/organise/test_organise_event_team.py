"""The page of an event's team: invite addresses, change roles, remove members after confirmation."""

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.enums import TeamRole
from eventcal.events.models import Event, TeamMember
from eventcal.members.models import Member
from tests.api_client import get_row
from tests.factories import make_event, make_member, make_team_invitation
from tests.html_browser import HtmlBrowser
from tests.http_app import database_of, write_session
from tests.team_browsers import HOSTILE_TEXT, create_team_browser, invalid_field_names, is_hostile_text_escaped

PAGE_PATH = "/organise/summit/team"


@pytest.fixture
def organiser_browser(app: Flask, summit: str) -> HtmlBrowser:
    return create_team_browser(app, summit, "olga@example.org")


def load_team(app: Flask) -> dict[str, str]:
    with database_of(app).read_session() as session:
        rows = select(Member.email, TeamMember.role).join(TeamMember, TeamMember.member_id == Member.id)
        return {email: role.value for email, role in session.execute(rows)}


def load_member_id(app: Flask, email: str) -> str:
    found: str = get_row(app, Member, email=email).id
    return found


def post_to_page(browser: HtmlBrowser, **values: str) -> int:
    """Submit these values with the page's CSRF token and return the status."""
    browser.visit(PAGE_PATH)
    csrf = browser.form_values(PAGE_PATH, "add")["csrf_token"]
    browser.response = browser.client.post(PAGE_PATH, data={"csrf_token": csrf, **values})
    return browser.response.status_code


def add_team_member(app: Flask, email: str = "rita@example.org", role: TeamRole = TeamRole.REVIEWER) -> str:
    create_team_browser(app, "summit", email, role=role)
    return load_member_id(app, email)


@pytest.mark.parametrize("email", ["rita@example.org", "nobody@example.org"])
def test_address_is_invited_with_or_without_account(app: Flask, organiser_browser: HtmlBrowser, email: str) -> None:
    with write_session(app) as session:
        make_member(session, email="rita@example.org", name="Rita")
    organiser_browser.visit(PAGE_PATH)
    said = organiser_browser.submit_form(PAGE_PATH, do="add", **{"new-email": f" {email} ", "new-role": "reviewer"})
    assert "Invitation sent. Who is on the team" in said
    assert f"Invitations {email} Reviewer · Expires:" in said
    assert "Rita" not in said
    assert load_team(app) == {"olga@example.org": "organiser"}


def test_invitation_can_be_withdrawn(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        event = session.scalars(select(Event).where(Event.slug == "summit")).one()
        invitation = make_team_invitation(session, event, email="rita@example.org").id
    assert post_to_page(organiser_browser, do="withdraw", row=invitation) == 303
    assert "rita@example.org" not in organiser_browser.visit(PAGE_PATH)
    assert post_to_page(organiser_browser, do="withdraw", row=invitation) == 404


def test_default_role_of_a_new_team_member_is_reviewer(organiser_browser: HtmlBrowser) -> None:
    organiser_browser.visit(PAGE_PATH)
    assert organiser_browser.form_values(PAGE_PATH, "add")["new-role"] == "reviewer"


def test_role_of_a_team_member_can_be_changed(app: Flask, organiser_browser: HtmlBrowser) -> None:
    rita = add_team_member(app)
    assert post_to_page(organiser_browser, do="save", row=rita, **{f"{rita}-role": "organiser"}) == 303
    assert load_team(app)["rita@example.org"] == "organiser"


def test_team_member_is_removed_after_confirmation(app: Flask, organiser_browser: HtmlBrowser) -> None:
    rita = add_team_member(app)
    assert "They will not see what was submitted any more" in organiser_browser.visit(f"{PAGE_PATH}/{rita}/remove")
    assert "rita@example.org" in load_team(app)
    assert "They are not on the team any more." in organiser_browser.submit_form(PAGE_PATH, do="remove")
    assert load_team(app) == {"olga@example.org": "organiser"}


def test_last_organiser_cannot_be_removed_or_demoted(app: Flask, organiser_browser: HtmlBrowser) -> None:
    add_team_member(app)
    own = load_member_id(app, "olga@example.org")
    assert post_to_page(organiser_browser, do="save", row=own, **{f"{own}-role": "reviewer"}) == 409
    assert invalid_field_names(organiser_browser) == {f"{own}-role"}
    assert post_to_page(organiser_browser, do="remove", row=own) == 409
    assert "An event needs at least one organiser" in organiser_browser.main_text()
    assert load_team(app)["olga@example.org"] == "organiser"


def test_organiser_removing_themselves_is_redirected_to_their_own_pages(
    app: Flask, organiser_browser: HtmlBrowser
) -> None:
    add_team_member(app, "otto@example.org", TeamRole.ORGANISER)
    own = load_member_id(app, "olga@example.org")
    assert "That is you" in organiser_browser.visit(f"{PAGE_PATH}/{own}/remove")
    assert post_to_page(organiser_browser, do="remove", row=own) == 303
    assert organiser_browser.response.headers["Location"] == "/me"
    assert organiser_browser.client.get(PAGE_PATH).status_code == 403


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"new-email": "", "new-role": "reviewer"}, {"new-email"}),
        ({"new-email": "no address", "new-role": "admin"}, {"new-email", "new-role"}),
    ],
)
def test_errors_are_shown_beside_their_fields(
    app: Flask, organiser_browser: HtmlBrowser, typed: dict[str, str], wrong: set[str]
) -> None:
    organiser_browser.visit(PAGE_PATH)
    organiser_browser.submit_form(PAGE_PATH, do="add", **typed)
    assert (organiser_browser.response.status_code, invalid_field_names(organiser_browser)) == (422, wrong)
    assert organiser_browser.form_values(PAGE_PATH, "add")["new-email"] == typed["new-email"]
    assert load_team(app) == {"olga@example.org": "organiser"}


def test_members_of_other_teams_return_404(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        make_event(session, slug="other")
    create_team_browser(app, "other", "mallory@example.org")
    theirs = load_member_id(app, "mallory@example.org")
    for one in (theirs, "nothing", ""):
        assert post_to_page(organiser_browser, do="save", row=one, **{f"{one}-role": "reviewer"}) == 404
        assert post_to_page(organiser_browser, do="remove", row=one) == 404
    assert organiser_browser.client.get(f"{PAGE_PATH}/{theirs}/remove").status_code == 404
    assert load_team(app)["mallory@example.org"] == "organiser"


def test_form_without_csrf_token_is_rejected(app: Flask, organiser_browser: HtmlBrowser) -> None:
    rita = add_team_member(app)
    assert organiser_browser.client.post(PAGE_PATH, data={"do": "remove", "row": rita}).status_code == 403
    assert "rita@example.org" in load_team(app)


def test_hostile_names_are_escaped(app: Flask, organiser_browser: HtmlBrowser) -> None:
    rita = add_team_member(app)
    with write_session(app) as session:
        session.get_one(Member, rita).name = HOSTILE_TEXT
    for path in (PAGE_PATH, f"{PAGE_PATH}/{rita}/remove"):
        organiser_browser.visit(path)
        assert is_hostile_text_escaped(organiser_browser)
