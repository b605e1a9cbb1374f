"""/me and /me/talks/{id}: the state of each of a member's talks and the next step."""

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, Programme, TeamRole
from eventcal.events.models import TeamMember
from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk, TalkStateChange
from tests.browsing import Browser, browser_of
from tests.clocks import NOON
from tests.http_app import database_of, signed_in, writing
from tests.make import make_event, make_talk
from tests.pages import text_of, tree_of

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def ada(app: Flask) -> Browser:
    browser = browser_of(app)
    browser.client = signed_in(app).client
    return browser


def offer(app: Flask, reason: str | None = None, **fields: object) -> None:
    """Create a talk by Ada at an event with the columns in `event`."""
    with writing(app) as session:
        member = session.query(Member).one()
        event = make_event(session, **fields.pop("event", {}))  # type: ignore[arg-type]  # columns
        talk = make_talk(session, event, id="talk", submitter=member, **fields)  # type: ignore[arg-type]  # columns
        if reason is not None:
            session.add(
                TalkStateChange(talk_id=talk.id, from_state=None, to_state=talk.state, reason=reason, created_at=NOON)
            )


def groups(browser: Browser) -> list[str]:
    return [text_of(one) for one in tree_of(browser.at.text).iter("h2")]


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
    app: Flask, ada: Browser, *, state: TalkState, programme: Programme, group: str, said: str
) -> None:
    offer(app, state=state, event={"programme": programme})
    assert said in ada.go("/me")
    assert groups(ada) == [group]
    assert said in ada.go("/me/talks/talk")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"status": EventStatus.CANCELLED}, "The event was called off"),
        ({"starts": "2026-02-01", "ends": "2026-02-02"}, "The event is over"),
    ],
)
def test_talk_of_a_cancelled_or_past_event_needs_no_confirmation(
    app: Flask, ada: Browser, event: dict[str, object], said: str
) -> None:
    offer(app, state=TalkState.ACCEPTED, event=event)
    assert said in ada.go("/me")
    assert groups(ada) == ["Over"]


def test_accepted_talk_can_be_confirmed_from_the_list_next_to_the_reason(app: Flask, ada: Browser) -> None:
    offer(app, f"We liked it.\n{HOSTILE}", state=TalkState.ACCEPTED)
    said = ada.go("/me")
    assert f"The organisers wrote: We liked it. {HOSTILE}" in said
    assert HOSTILE not in ada.at.text
    assert "It is confirmed. Thank you!" in ada.send("/me/talks/talk", do="confirm")
    # The reason belonged to the previous state.
    assert "The organisers wrote" not in ada.go("/me")
    assert groups(ada) == ["In the programme"]


def test_withdrawing_requires_confirmation_and_states_the_consequences(app: Flask, ada: Browser) -> None:
    offer(app, state=TalkState.CONFIRMED)
    ada.go("/me/talks/talk")
    assert "Everybody sees it as cancelled then" in ada.go("/me/talks/talk/withdraw")
    with database_of(app).read_session() as session:
        assert session.get_one(Talk, "talk").state == TalkState.CONFIRMED
    assert "It is withdrawn." in ada.send("/me/talks/talk", do="withdraw")
    # A withdrawn talk cannot be withdrawn again.
    assert "Withdraw this talk?" not in ada.go("/me/talks/talk/withdraw")


def test_withdrawal_page_of_a_foreign_talk_returns_404(app: Flask, ada: Browser) -> None:
    with writing(app) as session:
        make_talk(session, make_event(session), id="hers", state=TalkState.CONFIRMED)
    assert ada.client.get("/me/talks/hers/withdraw").status_code == 404


def test_unknown_success_message_is_not_shown(app: Flask, ada: Browser) -> None:
    offer(app)
    ada.go(f"/me/talks/talk?done={HOSTILE}")
    assert [one for one in tree_of(ada.at.text).iter() if one.get("role") == "status"] == []


@pytest.mark.parametrize("path", ["/me", "/me/stars", "/me/feeds", "/me/tokens", "/me/account", "/me/talks/talk"])
def test_every_personal_page_links_to_the_others_and_marks_itself(app: Flask, ada: Browser, path: str) -> None:
    offer(app)
    ada.go(path)
    links = list(tree_of(ada.at.text).iter("a"))
    ways = {one.get("href") for one in links}
    assert {"/me", "/me/stars", "/me/feeds", "/me/tokens", "/me/speaker", "/me/security", "/me/account"} < ways
    assert "/propose" in ways
    assert [one.get("href") for one in links if one.get("aria-current")] == [path.replace("/talks/talk", "")]


@pytest.mark.parametrize("team", [None, TeamRole.ORGANISER, TeamRole.REVIEWER, Role.MODERATOR])
def test_only_members_with_duties_see_the_link_to_the_organisers_pages(
    app: Flask, ada: Browser, team: TeamRole | Role | None
) -> None:
    with writing(app) as session:
        member, event = session.query(Member).one(), make_event(session)
        if isinstance(team, TeamRole):
            session.add(TeamMember(event_id=event.id, member_id=member.id, role=team))
        elif team is not None:
            member.role = team
    ada.go("/me")
    assert ("/organise" in {one.get("href") for one in tree_of(ada.at.text).iter("a")}) is (team is not None)
