"""The members who sign in to the site of the browser tests, and the data prepared for these members."""

from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select

from eventcal.events.enums import TeamRole
from eventcal.events.models import Event, TeamMember
from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.talks.enums import TalkState
from tests.factories import make_speaker, make_sponsorship, make_talk, make_tier
from tests.http_app import SessionClient, create_signed_in_client, write_session

MEMBER, ORGANISER = "member", "organiser"
_EMAILS = {MEMBER: "ada@example.org", ORGANISER: "olga@example.org"}


@dataclass(frozen=True)
class SignedInMembers:
    """The session cookie of each member by role, and the ids of their talks by name."""

    cookies: dict[str, str]
    talk_ids: dict[str, str]


def add_members(app: Flask, slug: str, *, long_word: str) -> SignedInMembers:
    """Add a member and an organiser, who is also a moderator. Both members have open tasks at the event `slug`."""
    there = {
        MEMBER: create_signed_in_client(app, _EMAILS[MEMBER], name=f"Ada {long_word}"),
        ORGANISER: create_signed_in_client(app, _EMAILS[ORGANISER], role=Role.MODERATOR),
    }
    return SignedInMembers(
        {who: _session_cookie(app, browser) for who, browser in there.items()},
        _add_talks_and_sponsorship(app, slug, long_word),
    )


def _session_cookie(app: Flask, browser: SessionClient) -> str:
    cookie = browser.client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    return cookie.value


def _add_talks_and_sponsorship(app: Flask, slug: str, long_word: str) -> dict[str, str]:
    with write_session(app) as session:
        ada, olga = (session.scalars(select(Member).where(Member.email == email)).one() for email in _EMAILS.values())
        event = session.scalars(select(Event).where(Event.slug == slug)).one()
        session.add(TeamMember(event_id=event.id, member_id=olga.id, role=TeamRole.ORGANISER))
        speaker = make_speaker(session, member=ada, name=ada.name, email=ada.email)
        talks = {
            state: make_talk(
                session,
                event,
                state=state,
                submitter=ada,
                speakers=[speaker],
                title=f"{state}: {long_word if number % 2 else 'how it went'}",
                tags=["xen"],
                abstract=f"About **{long_word}**.",
                notes=f"I come by train, with {long_word}.",
            )
            for number, state in enumerate(TalkState)
        }
        make_sponsorship(session, make_tier(session, event, name="Bronze", rank=9), enquirer=ada, note=long_word)
        names = {"own_draft": talks[TalkState.DRAFT].id, "own_accepted": talks[TalkState.ACCEPTED].id}
        return names | {"submitted": talks[TalkState.SUBMITTED].id, "own_confirmed": talks[TalkState.CONFIRMED].id}
