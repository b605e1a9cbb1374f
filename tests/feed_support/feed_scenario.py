"""A small calendar with every relation that feed entries show, and changes to this calendar."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Unpack

from sqlalchemy.orm import Session

from eventcal.events import service
from eventcal.events.enums import EventStatus
from eventcal.events.fields import EventFields
from eventcal.events.models import Event, Room, Track
from eventcal.events.queries import get_event
from eventcal.events.service import edit_event
from eventcal.members.models import Member
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import update_speaker
from eventcal.sponsors.enums import SponsorshipState
from eventcal.talks.delete_and_merge_referenced import merge_speakers
from eventcal.talks.enums import TalkState
from eventcal.talks.fields import TalkFields
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk
from eventcal.talks.rules import TalkAction
from eventcal.talks.service import edit_talk
from eventcal.talks.state_changes import apply_talk_action
from tests.clocks import FixedClock
from tests.factories import (
    MODERATOR_CALLER,
    make_caller,
    make_event,
    make_member,
    make_speaker,
    make_sponsor,
    make_sponsorship,
    make_talk,
    make_tier,
)
from tests.feed_support.feed_calendar import FeedCalendar, open_feed_calendar


@dataclass(frozen=True)
class FeedScenario:
    """A small calendar with the ids of its rows by name.

    A summit has a sponsor, a scheduled talk in a room, an unscheduled talk and a draft. A hackday, co-located with
    the summit, repeats the scheduled talk. Another event is in review.
    """

    calendar: FeedCalendar
    ids: dict[str, str]

    def get_event(self, session: Session, name: str = "summit") -> Event:
        """Return an event as a request handler loads it."""
        return get_event(session, session.get_one(Event, self.ids[name]).slug, MODERATOR_CALLER)

    def get_talk(self, session: Session, name: str = "talk") -> Talk:
        """Return a talk as a request handler loads it."""
        return get_talk(session, self.ids[name], MODERATOR_CALLER)

    def get_row(self, session: Session, table: Any, name: str) -> Any:  # noqa: ANN401 - any table
        """Return a row by its name in the scenario."""
        return session.get_one(table, self.ids[name])

    def names_by_id(self) -> dict[str, str]:
        """Return the names of the rows by id."""
        return {id_: name for name, id_ in self.ids.items()}


Change = Callable[[FeedScenario, Session], object]
"""A change that is made in a unit of work."""


@contextmanager
def open_scenario(url: str, clock: FixedClock) -> Iterator[FeedScenario]:
    """Provide the scenario in a migrated database."""
    with open_feed_calendar(url, clock) as calendar:
        yield create_scenario(calendar)


def create_scenario(calendar: FeedCalendar) -> FeedScenario:
    """Return the scenario after creating its rows in an empty calendar."""
    with calendar.write_session() as session:
        world = FeedScenario(calendar, _create_rows(session))
    with calendar.write_session() as session:
        # Each event lists its co-located events independently of the other event.
        beside: EventFields = {"co_located_with": ["summit"]}
        edit_event(session, world.get_event(session, "hackday"), beside, now=calendar.clock.now())
    return world


def _create_rows(session: Session) -> dict[str, str]:
    member = make_member(session)
    summit = make_event(session, slug="summit", tracks=["ARM"], rooms=["Room 1"], tags=["xen"], venue="Hall", call={})
    hackday = make_event(session, slug="hackday", title="Hackday")
    proposed = make_event(session, slug="proposed", title="Proposed", status=EventStatus.PENDING)
    edit_event(session, summit, {"co_located_with": ["hackday"]}, now=summit.created_at)
    edit_event(session, proposed, {"co_located_with": ["summit"]}, now=summit.created_at)
    grace, ada = make_speaker(session, slug="grace"), make_speaker(session, slug="ada", name="Ada Lovelace")
    unknown = make_speaker(session, slug="unknown", name="Not yet known")
    on_stage: dict[str, Any] = {"speakers": [grace, ada], "state": TalkState.CONFIRMED, "submitter": member}
    talk = make_talk(session, summit, room="Room 1", track="ARM", starts="2026-06-10T13:30:00", tags=["a"], **on_stage)
    waiting = make_talk(session, summit, title="Waiting", **on_stage)
    again = make_talk(session, hackday, title="Again", reprise_of=talk, starts="2026-06-11T10:00:00", **on_stage)
    draft = make_talk(
        session, summit, title="Draft", state=TalkState.DRAFT, speakers=[unknown, grace], submitter=member
    )
    sequel = make_talk(session, hackday, title="Sequel", reprise_of=draft, **on_stage)
    tier, sponsor = make_tier(session, summit, name="Gold"), make_sponsor(session, slug="rackspace")
    sponsorship = make_sponsorship(session, tier, sponsor=sponsor, state=SponsorshipState.CONFIRMED)
    rows: dict[str, Any] = {
        "member": member,
        "summit": summit,
        "hackday": hackday,
        "proposed": proposed,
        "grace": grace,
        "ada": ada,
        "unknown": unknown,
        "talk": talk,
        "waiting": waiting,
        "again": again,
        "draft": draft,
        "sequel": sequel,
        "room": summit.rooms[0],
        "track": summit.tracks[0],
        "tier": tier,
        "sponsor": sponsor,
        "sponsorship": sponsorship,
    }
    return {name: row.id for name, row in rows.items()}


def edit_summit(**fields: Unpack[EventFields]) -> Change:
    """Return a change that edits the summit."""
    return lambda world, session: edit_event(session, world.get_event(session), fields, now=world.calendar.clock.now())


def change_talk(name: str, **fields: Unpack[TalkFields]) -> Change:
    """Return a change in which an organiser edits a talk."""

    def do(world: FeedScenario, session: Session) -> None:
        edit_talk(
            session, world.get_talk(session, name), fields, caller=MODERATOR_CALLER, now=world.calendar.clock.now()
        )

    return do


def apply_action(name: str, wanted: TalkAction) -> Change:
    """Return a change that applies an action to a talk, by a caller with permission for the action."""

    def do(world: FeedScenario, session: Session) -> None:
        own = make_caller(world.get_row(session, Member, "member"))
        caller = own if wanted in {TalkAction.WITHDRAW, TalkAction.CONFIRM, TalkAction.SUBMIT} else MODERATOR_CALLER
        talk = world.get_talk(session, name)
        apply_talk_action(session, talk, wanted, caller=caller, reason=None, now=world.calendar.clock.now())

    return do


def edit_grace(**fields: Any) -> Change:
    """Return a change that edits a public speaker."""

    def do(world: FeedScenario, session: Session) -> None:
        grace = world.get_row(session, Speaker, "grace")
        update_speaker(session, grace, fields, caller=MODERATOR_CALLER, now=world.calendar.clock.now())

    return do


def edit_room(**fields: Any) -> Change:
    """Return a change that edits the room of the scheduled talk."""
    return lambda world, session: service.edit_track_or_room(session, world.get_row(session, Room, "room"), fields)


def edit_track(**fields: Any) -> Change:
    """Return a change that edits the track of the scheduled talk."""
    return lambda world, session: service.edit_track_or_room(session, world.get_row(session, Track, "track"), fields)


def set_columns(table: Any, name: str, /, **columns: Any) -> Change:  # noqa: ANN401 - any table, any column
    """Return a change that sets columns of a row."""

    def do(world: FeedScenario, session: Session) -> None:
        row = world.get_row(session, table, name)
        for column, value in columns.items():
            setattr(row, column, value)

    return do


def publish_draft(world: FeedScenario, session: Session) -> None:
    """Submit, accept and confirm the draft."""
    talk = world.get_talk(session, "draft")
    for caller, wanted in (
        (make_caller(world.get_row(session, Member, "member")), TalkAction.SUBMIT),
        (MODERATOR_CALLER, TalkAction.ACCEPT),
        (make_caller(world.get_row(session, Member, "member")), TalkAction.CONFIRM),
    ):
        apply_talk_action(session, talk, wanted, caller=caller, reason=None, now=world.calendar.clock.now())


def merge_ada_into_grace(world: FeedScenario, session: Session) -> None:
    grace, ada = (world.get_row(session, Speaker, name) for name in ("grace", "ada"))
    merge_speakers(session, grace, ada, caller=MODERATOR_CALLER, now=world.calendar.clock.now())
