"""The page of an event's team: add members by email, change roles, remove members after confirmation."""

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.enums import TeamRole
from eventcal.events.models import TeamMember
from eventcal.members.models import Member
from tests.api import row
from tests.browsing import Browser
from tests.http_app import database_of, writing
from tests.make import make_event, make_member
from tests.organising import HOSTILE, browser_of_team, invalid_fields, is_harmless

HERE = "/organise/summit/team"


@pytest.fixture
def olga(app: Flask, summit: str) -> Browser:
    return browser_of_team(app, summit, "olga@example.org")


def team(app: Flask) -> dict[str, str]:
    with database_of(app).read_session() as session:
        rows = select(Member.email, TeamMember.role).join(TeamMember, TeamMember.member_id == Member.id)
        return {email: role.value for email, role in session.execute(rows)}


def id_of(app: Flask, email: str) -> str:
    found: str = row(app, Member, email=email).id
    return found


def post(browser: Browser, **typed: str) -> int:
    """Submit these values with the page's CSRF token and return the status."""
    browser.go(HERE)
    csrf = browser.fields(HERE, "add")["csrf_token"]
    browser.at = browser.client.post(HERE, data={"csrf_token": csrf, **typed})
    return browser.at.status_code


def a_teammate(app: Flask, email: str = "rita@example.org", role: TeamRole = TeamRole.REVIEWER) -> str:
    browser_of_team(app, "summit", email, role=role)
    return id_of(app, email)


def test_member_is_added_to_the_team_by_email(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        make_member(session, email="rita@example.org", name="Rita")
    olga.go(HERE)
    said = olga.send(HERE, do="add", **{"new-email": " Rita@Example.org ", "new-role": "reviewer"})
    assert "They are on the team now." in said
    assert "Rita" in said
    assert team(app) == {"olga@example.org": "organiser", "rita@example.org": "reviewer"}


def test_default_role_of_a_new_team_member_is_reviewer(olga: Browser) -> None:
    olga.go(HERE)
    assert olga.fields(HERE, "add")["new-role"] == "reviewer"


def test_role_of_a_team_member_can_be_changed(app: Flask, olga: Browser) -> None:
    rita = a_teammate(app)
    assert post(olga, do="save", row=rita, **{f"{rita}-role": "organiser"}) == 303
    assert team(app)["rita@example.org"] == "organiser"


def test_team_member_is_removed_after_confirmation(app: Flask, olga: Browser) -> None:
    rita = a_teammate(app)
    assert "They will not see what was submitted any more" in olga.go(f"{HERE}/{rita}/remove")
    assert "rita@example.org" in team(app)
    assert "They are not on the team any more." in olga.send(HERE, do="remove")
    assert team(app) == {"olga@example.org": "organiser"}


def test_last_organiser_cannot_be_removed_or_demoted(app: Flask, olga: Browser) -> None:
    a_teammate(app)
    own = id_of(app, "olga@example.org")
    assert post(olga, do="save", row=own, **{f"{own}-role": "reviewer"}) == 409
    assert invalid_fields(olga) == {f"{own}-role"}
    assert post(olga, do="remove", row=own) == 409
    assert "An event needs an organiser" in olga.says()
    assert team(app)["olga@example.org"] == "organiser"


def test_organiser_removing_themselves_is_redirected_to_their_own_pages(app: Flask, olga: Browser) -> None:
    a_teammate(app, "otto@example.org", TeamRole.ORGANISER)
    own = id_of(app, "olga@example.org")
    assert "That is you" in olga.go(f"{HERE}/{own}/remove")
    assert post(olga, do="remove", row=own) == 303
    assert olga.at.headers["Location"] == "/me"
    assert olga.client.get(HERE).status_code == 403


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"new-email": "", "new-role": "reviewer"}, {"new-email"}),
        ({"new-email": "no address", "new-role": "admin"}, {"new-email", "new-role"}),
        ({"new-email": "nobody@example.org", "new-role": "reviewer"}, {"new-email"}),
    ],
)
def test_errors_are_shown_beside_their_fields(
    app: Flask, olga: Browser, typed: dict[str, str], wrong: set[str]
) -> None:
    olga.go(HERE)
    olga.send(HERE, do="add", **typed)
    assert (olga.at.status_code, invalid_fields(olga)) == (422, wrong)
    assert olga.fields(HERE, "add")["new-email"] == typed["new-email"]
    assert team(app) == {"olga@example.org": "organiser"}


def test_members_of_other_teams_return_404(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        make_event(session, slug="other")
    browser_of_team(app, "other", "mallory@example.org")
    theirs = id_of(app, "mallory@example.org")
    for one in (theirs, "nothing", ""):
        assert post(olga, do="save", row=one, **{f"{one}-role": "reviewer"}) == 404
        assert post(olga, do="remove", row=one) == 404
    assert olga.client.get(f"{HERE}/{theirs}/remove").status_code == 404
    assert team(app)["mallory@example.org"] == "organiser"


def test_form_without_csrf_token_is_rejected(app: Flask, olga: Browser) -> None:
    rita = a_teammate(app)
    assert olga.client.post(HERE, data={"do": "remove", "row": rita}).status_code == 403
    assert "rita@example.org" in team(app)


def test_hostile_names_are_escaped(app: Flask, olga: Browser) -> None:
    rita = a_teammate(app)
    with writing(app) as session:
        session.get_one(Member, rita).name = HOSTILE
    for path in (HERE, f"{HERE}/{rita}/remove"):
        olga.go(path)
        assert is_harmless(olga)
