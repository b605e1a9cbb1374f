"""The measured datasets: the talks of one conference, created through the models of the app, and enlarged copies."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench.databases import Databases
from bench.multiply_event import multiply_event
from bench.text_generator import TextGenerator
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
from tests.factories import make_event, make_member, make_speaker, make_talk

TALK_COUNT = 1000
ROOM_COUNT = 5
TEXT_LENGTH = 600
EVENT_SLUG = "conference-000"
SECRET_KEY = "b" * 40

_TRACK_COUNT, _TAG_COUNT, _SPEAKER_COUNT = 10, 40, 400
_FIRST_DAY = date(2027, 6, 7)
_DAYS = tuple(_FIRST_DAY + timedelta(days=i) for i in range(5))
_SLOT_LENGTH = timedelta(minutes=15)
_SLOTS_A_DAY = TALK_COUNT // ROOM_COUNT // len(_DAYS)


@dataclass(frozen=True)
class Dataset:
    """A database with its name, URL and number of talks. Each event has at most 1,000 talks.

    `token` is an access token of an administrator.
    """

    name: str
    url: str
    talks: int
    instance: str
    token: str
    slug: str = EVENT_SLUG

    @property
    def event_feed(self) -> str:
        """Return the path of the feed of the first event."""
        return f"/events/{self.slug}.ics"

    @property
    def full_feed(self) -> str:
        """Return the path of the feed of all events and talks, which does not depend on the current date."""
        return "/calendar.ics?from=2027-01-01&to=2040-01-01"

    def environment(self) -> dict[str, str]:
        """Return the environment variables for a process that uses only this dataset."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("EVENTCAL_")}
        return inherited | {
            "EVENTCAL_INSTANCE": self.instance,
            "EVENTCAL_DATABASE_URL": self.url,
            "EVENTCAL_SECRET_KEY": SECRET_KEY,
            "PYTHONUNBUFFERED": "1",
        }

    def settings(self) -> Settings:
        """Return the settings for an app with this dataset in the current process."""
        return Settings(instance=Path(self.instance), database_url=self.url, secret_key=SECRET_KEY)

    def as_json(self) -> Mapping[str, Any]:
        """Return the attributes with which another process can open the dataset."""
        return asdict(self)


def create_first_dataset(databases: Databases, name: str, *, talks: int = TALK_COUNT) -> Dataset:
    """Create a dataset of one event with models and feed index, as in the app, in a new database."""
    instance = databases.folder / "instance"
    instance.mkdir(exist_ok=True)
    world = Dataset(name, databases.create(name), talks, str(instance), new_secret(TOKEN_PREFIX))
    command = [sys.executable, "-m", "eventcal.cli", "db", "upgrade"]
    subprocess.run(command, check=True, env=world.environment(), stdout=subprocess.DEVNULL)  # noqa: S603 - constant command
    house = build_services(world.settings(), clock=FixedClock())
    with house.database.unit_of_work() as unit:
        _add_event(unit.session, TextGenerator(1), talks=talks)
        _add_admin(unit.session, world.token)
    house.database.engine.dispose()
    databases.optimise(name)
    return world


def copy_dataset(databases: Databases, world: Dataset, name: str) -> Dataset:
    """Copy a dataset whose database has no connections."""
    return replace(world, name=name, url=databases.copy(world.name, name))


def create_larger_dataset(databases: Databases, first: Dataset, name: str, *, talks: int) -> Dataset:
    """Create a dataset of several thousand talks from a copy of the first dataset."""
    url = databases.copy(first.name, name)
    engine = create_engine(url)
    multiply_event(engine, talks // TALK_COUNT, days=_DAYS, made=NOON)
    engine.dispose()
    databases.optimise(name)
    return replace(first, name=name, url=url, talks=talks)


def open_services(world: Dataset) -> Services:
    """Return the services of an app with this dataset."""
    return build_services(world.settings())


def _add_event(session: Session, writer: TextGenerator, *, talks: int) -> None:
    event = make_event(
        session,
        slug=EVENT_SLUG,
        title="The Conference",
        summary=writer.text(120),
        description=writer.text(TEXT_LENGTH),
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
        tracks=[f"{writer.word().capitalize()} {i}" for i in range(_TRACK_COUNT)],
        rooms=[f"Room {i}" for i in range(ROOM_COUNT)],
    )
    speakers = [_add_speaker(session, writer, number) for number in range(_SPEAKER_COUNT)]
    tags = sorted({writer.word() for _ in range(_TAG_COUNT)})
    dice = Random(1)
    for number in range(talks):
        _add_talk(session, event, number, writer=writer, dice=dice, speakers=speakers, tags=tags)


def _add_speaker(session: Session, writer: TextGenerator, number: int) -> Speaker:
    name = writer.name()
    slug = f"{name.lower().replace(' ', '-')}-{'x' * (number // 26)}{chr(97 + number % 26)}-000"
    job, company = f"{writer.word().capitalize()} Engineer", f"{writer.word().capitalize()} Ltd"
    return make_speaker(session, slug=slug, name=name, job_title=job, affiliation=company, bio=writer.text(200))


def _add_talk(
    session: Session,
    event: Event,
    number: int,
    *,
    writer: TextGenerator,
    dice: Random,
    speakers: Sequence[Speaker],
    tags: Sequence[str],
) -> None:
    slot, room = divmod(number, ROOM_COUNT)
    day, at = divmod(slot, _SLOTS_A_DAY)
    minutes = 9 * 60 + at * 15
    make_talk(
        session,
        event,
        state=TalkState.CONFIRMED,
        title=writer.title(),
        abstract=writer.text(TEXT_LENGTH),
        language="en",
        duration_minutes=15,
        starts=f"{_DAYS[day].isoformat()}T{minutes // 60:02}:{minutes % 60:02}:00",
        room=event.rooms[room].name,
        track=event.tracks[dice.randrange(_TRACK_COUNT)].name,
        speakers=dice.sample(speakers, dice.choice((1, 1, 2))),
        tags=dice.sample(tags, 3),
    )


def _add_admin(session: Session, secret: str) -> None:
    admin = make_member(session, role=Role.ADMIN)
    token = AccessToken(member_id=admin.id, name="bench", token_hash=hash_secret(secret), created_at=NOON)
    token.granted_role, token.expires_at = admin.role, datetime.max.replace(tzinfo=UTC)
    token.scopes = [scope.value for scope in Scope]
    session.add(token)
