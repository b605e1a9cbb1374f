"""The measured worlds: 1,000 talks of one conference, created as the app does, and copies of it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench.copies import multiply
from bench.databases import Databases
from bench.words import Writer
from eventcal.app import build_services
from eventcal.config import Settings
from eventcal.events.models import Event
from eventcal.kit.ids import hash_secret, new_secret
from eventcal.members.enums import Role, Scope
from eventcal.members.models import AccessToken
from eventcal.members.service import TOKEN_PREFIX
from eventcal.speakers.models import Speaker
from eventcal.talks.enums import TalkState
from eventcal.web.request.context import Services
from tests.clocks import NOON, FixedClock
from tests.make import make_event, make_member, make_speaker, make_talk

TALKS = 1000
ROOMS = 5
CHARACTERS = 600
SLUG = "conference-000"
SECRET_KEY = "b" * 40

_TRACKS, _TAGS, _SPEAKERS = 10, 40, 400
_FIRST = date(2027, 6, 7)
_DAYS = tuple(_FIRST + timedelta(days=i) for i in range(5))
_SLOT = timedelta(minutes=15)
_SLOTS_A_DAY = TALKS // ROOMS // len(_DAYS)


@dataclass(frozen=True)
class World:
    """A database with its name, URL and number of talks. Every thousand talks are one event; `token` is an admin's."""

    name: str
    url: str
    talks: int
    instance: str
    token: str
    slug: str = SLUG

    @property
    def event(self) -> str:
        """Return the path of the first event's feed."""
        return f"/events/{self.slug}.ics"

    @property
    def whole(self) -> str:
        """Return the path of the feed of all events and talks, independent of the current date."""
        return "/calendar.ics?from=2027-01-01&to=2040-01-01"

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that works on this world only."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("EVENTCAL_")}
        return inherited | {
            "EVENTCAL_INSTANCE": self.instance,
            "EVENTCAL_DATABASE_URL": self.url,
            "EVENTCAL_SECRET_KEY": SECRET_KEY,
            "PYTHONUNBUFFERED": "1",
        }

    def settings(self) -> Settings:
        """Return the same settings for this process."""
        return Settings(instance=Path(self.instance), database_url=self.url, secret_key=SECRET_KEY)

    def facts(self) -> Mapping[str, Any]:
        """Return the data with which another process finds this world."""
        return asdict(self)


def make_first(databases: Databases, name: str) -> World:
    """Create the world of 1,000 talks through models and ledger, as the app does, in a database of this name."""
    instance = databases.folder / "instance"
    instance.mkdir(exist_ok=True)
    world = World(name, databases.create(name), TALKS, str(instance), new_secret(TOKEN_PREFIX))
    command = [sys.executable, "-m", "eventcal.cli", "db", "upgrade"]
    subprocess.run(command, check=True, env=world.environment(), stdout=subprocess.DEVNULL)  # noqa: S603 - constant command
    house = build_services(world.settings(), clock=FixedClock())
    with house.database.unit_of_work() as unit:
        _fill(unit.session, Writer(1))
        _add_admin(unit.session, world.token)
    house.database.engine.dispose()
    databases.settle(name)
    return world


def copy_world(databases: Databases, world: World, name: str) -> World:
    """Copy a world that has no connections."""
    return replace(world, name=name, url=databases.copy(world.name, name))


def make_larger(databases: Databases, first: World, name: str, *, talks: int) -> World:
    """Create a world of several thousand talks from a copy of the first."""
    url = databases.copy(first.name, name)
    engine = create_engine(url)
    multiply(engine, talks // TALKS, days=_DAYS, made=NOON)
    engine.dispose()
    databases.settle(name)
    return replace(first, name=name, url=url, talks=talks)


def open_house(world: World) -> Services:
    """Return the application without HTTP on this world, in this process."""
    return build_services(world.settings())


def _fill(session: Session, writer: Writer) -> None:
    event = make_event(
        session,
        slug=SLUG,
        title="The Conference",
        summary=writer.text(120),
        description=writer.text(CHARACTERS),
        venue="Congress Hall",
        address="Alexanderplatz 1",
        city="Berlin",
        country="DE",
        latitude=52.5219,
        longitude=13.4132,
        url="https://conference.example.org/",
        starts=_DAYS[0].isoformat(),
        ends=_DAYS[-1].isoformat(),
        tags=[writer.word() for _ in range(3)],
        tracks=[f"{writer.word().capitalize()} {i}" for i in range(_TRACKS)],
        rooms=[f"Room {i}" for i in range(ROOMS)],
    )
    speakers = [_speaker(session, writer, number) for number in range(_SPEAKERS)]
    tags = sorted({writer.word() for _ in range(_TAGS)})
    dice = Random(1)
    for number in range(TALKS):
        _talk(session, event, number, writer=writer, dice=dice, speakers=speakers, tags=tags)


def _speaker(session: Session, writer: Writer, number: int) -> Speaker:
    name = writer.name()
    slug = f"{name.lower().replace(' ', '-')}-{'x' * (number // 26)}{chr(97 + number % 26)}-000"
    job, company = f"{writer.word().capitalize()} Engineer", f"{writer.word().capitalize()} Ltd"
    return make_speaker(session, slug=slug, name=name, job_title=job, affiliation=company, bio=writer.text(200))


def _talk(
    session: Session,
    event: Event,
    number: int,
    *,
    writer: Writer,
    dice: Random,
    speakers: Sequence[Speaker],
    tags: Sequence[str],
) -> None:
    slot, room = divmod(number, ROOMS)
    day, at = divmod(slot, _SLOTS_A_DAY)
    minutes = 9 * 60 + at * 15
    make_talk(
        session,
        event,
        state=TalkState.CONFIRMED,
        title=writer.title(),
        abstract=writer.text(CHARACTERS),
        language="en",
        duration_minutes=15,
        starts=f"{_DAYS[day].isoformat()}T{minutes // 60:02}:{minutes % 60:02}:00",
        room=event.rooms[room].name,
        track=event.tracks[dice.randrange(_TRACKS)].name,
        speakers=dice.sample(speakers, dice.choice((1, 1, 2))),
        tags=dice.sample(tags, 3),
    )


def _add_admin(session: Session, secret: str) -> None:
    admin = make_member(session, role=Role.ADMIN)
    token = AccessToken(member_id=admin.id, name="bench", token_hash=hash_secret(secret), created_at=NOON)
    token.scopes = [scope.value for scope in Scope]
    session.add(token)
