"""Visibility of talks, and the lists of public talks, submissions, own talks and starred talks."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from eventcal.events.filter import NO_FILTER, Filter, Sort
from eventcal.kit.database import Database
from eventcal.kit.pagination import PageRequest
from eventcal.members.caller import ANONYMOUS
from eventcal.members.models import Member
from eventcal.talks.enums import TalkState
from eventcal.talks.errors import TalkNotFound
from eventcal.talks.models import Star, Talk
from eventcal.talks.queries import (
    find_talk,
    get_talk,
    list_own_talks,
    list_starred_talks,
    list_submissions,
    list_talks,
    starred_and_own_talk_ids,
)
from tests.clocks import NOON
from tests.factories import (
    MODERATOR_CALLER,
    make_caller,
    make_event,
    make_member,
    make_organiser,
    make_speaker,
    make_talk,
)
from tests.sql_statements import record_statements

ALL_ON_ONE_PAGE = PageRequest(limit=200)
ONE_DAY = timedelta(days=1)


def test_hidden_talk_is_visible_to_its_speakers_its_team_and_moderators(session: Session) -> None:
    event, submitter, speaker = make_event(session), make_member(session), make_member(session)
    talk = make_talk(session, event, submitter=submitter, speakers=[make_speaker(session, member=speaker)])
    callers = {
        "visitor": ANONYMOUS,
        "member": make_caller(make_member(session)),
        "organiser of another": make_organiser(session, make_event(session)),
        "submitter": make_caller(submitter),
        "speaker": make_caller(speaker),
        "reviewer": make_caller(make_member(session), reviews=[event]),
        "organiser": make_organiser(session, event),
        "moderator": MODERATOR_CALLER,
    }
    found = {who for who, caller in callers.items() if find_talk(session, talk.id, caller) is not None}
    assert found == {"submitter", "speaker", "reviewer", "organiser", "moderator"}
    talk.published_at = NOON
    assert {who for who, caller in callers.items() if find_talk(session, talk.id, caller) is not None} == set(callers)


def test_hidden_talk_and_missing_talk_give_the_same_error(session: Session) -> None:
    talk = make_talk(session, make_event(session))
    for talk_id in (talk.id, "nothing"):
        with pytest.raises(TalkNotFound) as refused:
            get_talk(session, talk_id, ANONYMOUS)
        assert refused.value.detail == f"Talk “{talk_id}” not found."


def test_submission_list_filters_by_the_actual_state(session: Session) -> None:
    event, another = make_event(session, slug="xen"), make_event(session)
    for state in TalkState:
        make_talk(session, event, title=state.value, state=state)
        make_talk(session, another, title=f"another {state}", state=state)
    asked = Filter(events=("xen",), states=("submitted", "withdrawn"))
    page = list_submissions(session, asked, caller=MODERATOR_CALLER, sort=Sort.STARTS, paging=ALL_ON_ONE_PAGE, now=NOON)
    assert sorted(talk.title for talk in page.items) == ["submitted", "withdrawn"]


def make_member_with_talks(session: Session) -> Member:
    """Return a member who submitted one talk, speaks in another and starred two, one of them hidden."""
    member, event = make_member(session), make_event(session)
    make_talk(session, event, title="Offered", submitter=member, now=NOON)
    make_talk(session, event, title="Given", speakers=[make_speaker(session, member=member)], now=NOON + ONE_DAY)
    make_talk(session, event, title="Another's", state=TalkState.CONFIRMED, submitter=make_member(session))
    for title, state in (("Starred", TalkState.CONFIRMED), ("Starred, hidden", TalkState.ACCEPTED)):
        talk = make_talk(session, event, title=title, state=state)
        session.add(Star(member_id=member.id, talk_id=talk.id, starred_at=NOON))
    return member


def test_own_talks_include_submitted_and_given_talks_newest_first(session: Session) -> None:
    caller = make_caller(make_member_with_talks(session))
    assert [talk.title for talk in list_own_talks(session, caller, paging=ALL_ON_ONE_PAGE).items] == [
        "Given",
        "Offered",
    ]


def test_star_list_holds_only_public_starred_talks(session: Session) -> None:
    member = make_member_with_talks(session)
    assert [
        talk.title for talk in list_starred_talks(session, make_caller(member), paging=ALL_ON_ONE_PAGE, now=NOON).items
    ] == ["Starred"]
    titles = {session.get_one(Talk, talk_id).title for talk_id in starred_and_own_talk_ids(session, member.id)}
    assert titles == {"Given", "Offered", "Starred", "Starred, hidden"}


@pytest.mark.parametrize("sort", Sort)
def test_paging_lists_every_talk_once_in_order(session: Session, sort: Sort) -> None:
    event = make_event(session)
    for starts in (None, "2026-06-11T10:00:00", "2026-06-10T10:00:00", "2026-06-11T10:00:00", None):
        make_talk(session, event, state=TalkState.CONFIRMED, starts=starts)
    whole = list_talks(session, NO_FILTER, sort=sort, paging=ALL_ON_ONE_PAGE, now=NOON).items
    keys = [(talk.updated_at if sort == Sort.UPDATED else talk.sort_at, talk.id) for talk in whole]
    assert keys == sorted(keys, reverse=sort == Sort.STARTS_DOWN)
    found: list[Talk] = []
    cursor = None
    for _ in range(3):
        page = list_talks(session, NO_FILTER, sort=sort, paging=PageRequest(limit=2, cursor=cursor), now=NOON)
        found.extend(page.items)
        cursor = page.next_cursor
    assert (found, cursor) == (list(whole), None)


def test_talk_list_statement_count_is_independent_of_its_length(database: Database) -> None:
    counts = []
    for more in (1, 49):
        with database.unit_of_work() as unit:
            for _ in range(more):
                _make_complete_public_talk(unit.session)
        with record_statements(database) as sent, database.read_session() as session:
            page = list_talks(session, NO_FILTER, sort=Sort.STARTS, paging=ALL_ON_ONE_PAGE, now=NOON)
            shown = [
                (talk.event.slug, talk.track, talk.room, talk.reprise_of, talk.tags, [s.name for s in talk.speakers])
                for talk in page.items
            ]
        counts.append((len(shown), len(sent)))
    assert [length for length, _ in counts] == [1, 50]
    assert counts[0][1] == counts[1][1]


def _make_complete_public_talk(session: Session) -> None:
    event = make_event(session, tracks=["Main"], rooms=["Hall"])
    make_talk(
        session,
        event,
        state=TalkState.CONFIRMED,
        track="Main",
        room="Hall",
        tags=["xen"],
        speakers=[make_speaker(session), make_speaker(session)],
        reprise_of=make_talk(session, event),
    )
