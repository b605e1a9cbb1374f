"""Retention: expired data is deleted after its documented period, and not earlier."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventcal.events.enums import TeamRole
from eventcal.feeds.clients import ClientKind
from eventcal.feeds.fetch_counts import FeedFetches
from eventcal.invitations.models import Invitation
from eventcal.invitations.rules import LIFETIME
from eventcal.invitations.service import invite_to_team
from eventcal.kit.database import Database
from eventcal.kit.models import Base
from eventcal.members.enums import Role
from eventcal.members.guessing_limits import PASSWORD_LIMIT, count_attempt
from eventcal.members.models import AccessToken, GuessCounter, IdempotencyRecord, Member, MemberSession, PersonalFeed
from eventcal.members.service import create_personal_feed
from eventcal.members.sessions import IDLE_TIMEOUT, build_session
from eventcal.outbox.enums import MailKind
from eventcal.outbox.models import OutboxMessage
from eventcal.outbox.service import queue_mail
from eventcal.retention import RULES, RetentionRule, delete_expired_data
from eventcal.schema import metadata
from tests.clocks import NOON, FixedClock
from tests.factories import MODERATOR_CALLER, make_event, make_member, make_speaker, make_talk
from tests.http_app import MAIL_URL, make_settings

SECOND = timedelta(seconds=1)
WITH_MAIL = replace(make_settings("sqlite://"), mail_url=MAIL_URL)
WITHOUT_MAIL = make_settings("sqlite://")

# The tables whose rows are kept until a person deletes them, or the object that they belong to.
KEPT_TABLES = {
    *("passkeys", "recovery_codes", "totp_secrets", "personal_feeds"),
    *("events", "event_tags", "calls_for_talks", "co_locations", "rooms", "tracks", "team_members"),
    *("talks", "talk_tags", "talk_speakers", "talk_state_changes", "stars"),
    *("speakers", "sponsors", "sponsorships", "tiers"),
    *("feed_entries", "feed_state"),
}


def add_sent_mail(session: Session) -> None:
    add_mail(session)
    for row in session.scalars(select(OutboxMessage)):
        row.sent_at = NOON


def add_mail(session: Session) -> None:
    queue_mail(session, MailKind.RESET, to="ada@example.org", subject="s", text="t", now=NOON)
    session.flush()


def add_fetches(session: Session) -> None:
    counts = {"fetches": 1, "fetches_today": 1, "last_status": 200}
    session.add(FeedFetches(feed="f", client=next(iter(ClientKind)), first_at=NOON, last_at=NOON, **counts))


def add_session(session: Session) -> None:
    started_at = NOON - IDLE_TIMEOUT
    session.add(build_session(make_member(session), secret="s", user_agent=None, now=started_at))


def add_token(session: Session) -> None:
    member = make_member(session)
    row = AccessToken(
        member_id=member.id, name="n", token_hash="h", scopes=[], granted_role=Role.MEMBER, created_at=NOON
    )
    row.expires_at = NOON
    session.add(row)


def add_idempotency_record(session: Session) -> None:
    values = {"key": "k", "fingerprint": "f", "status": 201, "body": "", "created_at": NOON}
    session.add(IdempotencyRecord(member_id=make_member(session).id, **values))


def add_guess(session: Session) -> None:
    count_attempt(session, PASSWORD_LIMIT, "subject", now=NOON)


def add_invitation(session: Session) -> None:
    invited_at = NOON - LIFETIME
    event = make_event(session)
    invite_to_team(
        session, event, email="a@example.org", role=TeamRole.REVIEWER, caller=MODERATOR_CALLER, now=invited_at
    )


def add_unconfirmed_member(session: Session) -> None:
    make_member(session, confirmed_at=None)


CASES: dict[str, tuple[type[Base], Callable[[Session], None]]] = {
    "Email that was sent or given up": (OutboxMessage, add_sent_mail),
    "Email that is not sent, because email is disabled": (OutboxMessage, add_mail),
    "Counts of feed fetches": (FeedFetches, add_fetches),
    "Expired sessions": (MemberSession, add_session),
    "Expired access tokens": (AccessToken, add_token),
    "Stored responses for idempotency keys": (IdempotencyRecord, add_idempotency_record),
    "Counters of wrong passwords and codes": (GuessCounter, add_guess),
    "Expired invitations": (Invitation, add_invitation),
    "Unconfirmed accounts without content": (Member, add_unconfirmed_member),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.data)
def test_data_is_deleted_after_its_period(database: Database, clock: FixedClock, rule: RetentionRule) -> None:
    table, add = CASES[rule.data]
    settings = WITHOUT_MAIL if "email is disabled" in rule.data else WITH_MAIL
    with database.unit_of_work() as unit:
        add(unit.session)
    clock.set_time(NOON + rule.kept_for - SECOND)
    delete_expired_data(database, settings)
    assert count_rows(database, table) == 1
    clock.set_time(NOON + rule.kept_for + SECOND)
    delete_expired_data(database, settings)
    assert count_rows(database, table) == 0


def count_rows(database: Database, table: type[Base]) -> int:
    with database.read_session() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def test_every_table_has_a_rule_or_is_kept() -> None:
    limited = {table.__tablename__ for table, _add in CASES.values()}
    assert limited | KEPT_TABLES == set(metadata.tables)
    assert not limited & KEPT_TABLES


def test_every_rule_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    for rule in RULES:
        days = rule.kept_for.days
        assert f"| {rule.data} | {days} day{'' if days == 1 else 's'} |" in page


def test_unconfirmed_accounts_with_content_are_kept(database: Database, clock: FixedClock) -> None:
    with database.unit_of_work() as unit:
        session = unit.session
        unused, submitter, linked, confirmed = (
            make_member(session, confirmed_at=None),
            make_member(session, confirmed_at=None),
            make_member(session, confirmed_at=None),
            make_member(session),
        )
        make_talk(session, make_event(session), submitter=submitter)
        make_speaker(session, member=linked)
        feed, _secret = create_personal_feed(session, unused, name="Phone", now=NOON)
    clock.tick(timedelta(days=365).total_seconds())
    delete_expired_data(database, WITHOUT_MAIL)
    assert count_rows(database, Member) == 4
    delete_expired_data(database, WITH_MAIL)
    with database.read_session() as session:
        assert set(session.scalars(select(Member.id))) == {submitter.id, linked.id, confirmed.id}
        assert session.get_one(PersonalFeed, feed.id).revoked_at == clock.now()
