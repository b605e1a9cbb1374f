"""/me and /me/talks/{id}: the state of each of a member's talks and the next step."""

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, Programme, TeamRole
from eventcal.events.models import TeamMember
from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk, TalkStateChange
from tests.clocks import NOON
from tests.factories import make_event, make_talk
from tests.html_browser import HtmlBrowser, create_browser
from tests.html_pages import element_text, parse_html
from tests.http_app import create_signed_in_client, database_of, write_session

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def member_browser(app: Flask) -> HtmlBrowser:
    browser = create_browser(app)
    browser.client = create_signed_in_client(app).client
    return browser


def add_talk(app: Flask, reason: str | None = None, **fields: object) -> None:
    """Create a talk by Ada at an event with the columns in `event`."""
    with write_session(app) as session:
        member = session.query(Member).one()
        event = make_event(session, **fields.pop("event", {}))  # type: ignore[arg-type]  # columns
        talk = make_talk(session, event, id="talk", submitter=member, **fields)  # type: ignore[arg-type]  # columns
        if reason is not None:
            session.add(
                TalkStateChange(talk_id=talk.id, from_state=None, to_state=talk.state, reason=reason, created_at=NOON)
            )


def group_headings(browser: HtmlBrowser) -> list[str]:
    return [element_text(one) for one in parse_html(browser.response.text).iter("h2")]


@pytest.mark.parametrize(
    ("state", "programme", "group", "said"),
    [
        (TalkState.ACCEPTED, Programme.CURATED, "To be confirmed by you", "only then it is in the programme"),
        (TalkState.ACCEPTED, Programme.LISTED, "To be confirmed by you", "Everybody can see it. Confirm"),
        (TalkState.DRAFT, Programme.CURATED, "Drafts", "as long as talks are taken"),
        (TalkState.SUBMITTED, Programme.CURATED, "Waiting for a decision", "The organisers decide on it"),
        (TalkState.SUBMITTED, Programme.LISTED, "Waiting for a decision", "A moderator looks at it"),
        (TalkState.WAITLISTED, Programme.CURATED, "Waiting for a decision", "If a place becomes free"),
        (TalkState.CONFIRMED, Programme.CURATED, "In the programme", "If you cannot give it after all"),
        (TalkState.REJECTED, Programme.CURATED, "Over", "to another event"),
        (TalkState.WITHDRAWN, Programme.CURATED, "Over", "You took it back"),
        (TalkState.CANCELLED, Programme.CURATED, "Over", "The organisers called it off"),
    ],
)
def test_talk_shows_its_state_and_the_next_step(
    app: Flask, member_browser: HtmlBrowser, *, state: TalkState, programme: Programme, group: str, said: str
) -> None:
    add_talk(app, state=state, event={"programme": programme})
    assert said in member_browser.visit("/me")
    assert group_headings(member_browser) == [group]
    assert said in member_browser.visit("/me/talks/talk")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"status": EventStatus.CANCELLED}, "The event was called off"),
        ({"starts": "2026-02-01", "ends": "2026-02-02"}, "The event is over"),
    ],
)
def test_talk_of_a_cancelled_or_past_event_needs_no_confirmation(
    app: Flask, member_browser: HtmlBrowser, event: dict[str, object], said: str
) -> None:
    add_talk(app, state=TalkState.ACCEPTED, event=event)
    assert said in member_browser.visit("/me")
    assert group_headings(member_browser) == ["Over"]


def test_accepted_talk_can_be_confirmed_from_the_list_next_to_the_reason(
    app: Flask, member_browser: HtmlBrowser
) -> None:
    add_talk(app, f"We liked it.\n{HOSTILE}", state=TalkState.ACCEPTED)
    said = member_browser.visit("/me")
    assert f"The organisers wrote: We liked it. {HOSTILE}" in said
    assert HOSTILE not in member_browser.response.text
    assert "It is confirmed. Thank you!" in member_browser.submit_form("/me/talks/talk", do="confirm")
    # The reason belonged to the previous state.
    assert "The organisers wrote" not in member_browser.visit("/me")
    assert group_headings(member_browser) == ["In the programme"]


def test_withdrawing_requires_confirmation_and_states_the_consequences(app: Flask, member_browser: HtmlBrowser) -> None:
    add_talk(app, state=TalkState.CONFIRMED)
    member_browser.visit("/me/talks/talk")
    assert "Everybody sees it as cancelled then" in member_browser.visit("/me/talks/talk/withdraw")
    with database_of(app).read_session() as session:
        assert session.get_one(Talk, "talk").state == TalkState.CONFIRMED
    assert "It is withdrawn." in member_browser.submit_form("/me/talks/talk", do="withdraw")
    # A withdrawn talk cannot be withdrawn again.
    assert "Withdraw this talk?" not in member_browser.visit("/me/talks/talk/withdraw")


def test_withdrawal_page_of_a_foreign_talk_returns_404(app: Flask, member_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        make_talk(session, make_event(session), id="hers", state=TalkState.CONFIRMED)
    assert member_browser.client.get("/me/talks/hers/withdraw").status_code == 404


def test_unknown_success_message_is_not_shown(app: Flask, member_browser: HtmlBrowser) -> None:
    add_talk(app)
    member_browser.visit(f"/me/talks/talk?done={HOSTILE}")
    assert [one for one in parse_html(member_browser.response.text).iter() if one.get("role") == "status"] == []


@pytest.mark.parametrize("path", ["/me", "/me/stars", "/me/feeds", "/me/tokens", "/me/account", "/me/talks/talk"])
def test_every_personal_page_links_to_the_others_and_marks_itself(
    app: Flask, member_browser: HtmlBrowser, path: str
) -> None:
    add_talk(app)
    member_browser.visit(path)
    links = list(parse_html(member_browser.response.text).iter("a"))
    ways = {one.get("href") for one in links}
    assert {"/me", "/me/stars", "/me/feeds", "/me/tokens", "/me/speaker", "/me/security", "/me/account"} < ways
    assert "/propose" in ways
    assert [one.get("href") for one in links if one.get("aria-current")] == [path.replace("/talks/talk", "")]


@pytest.mark.parametrize("team", [None, TeamRole.ORGANISER, TeamRole.REVIEWER, Role.MODERATOR])
def test_only_members_with_duties_see_the_link_to_the_organisers_pages(
    app: Flask, member_browser: HtmlBrowser, team: TeamRole | Role | None
) -> None:
    with write_session(app) as session:
        member, event = session.query(Member).one(), make_event(session)
        if isinstance(team, TeamRole):
            session.add(TeamMember(event_id=event.id, member_id=member.id, role=team))
        elif team is not None:
            member.role = team
    member_browser.visit("/me")
    assert ("/organise" in {one.get("href") for one in parse_html(member_browser.response.text).iter("a")}) is (
        team is not None
    )
