"""Everything that a recording needs of the application: the only module of this package that imports it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from eventcal.cli import main
from eventcal.datasets.demo import ORGANISER_EMAIL, create_demo_organiser, read_demo_dataset
from eventcal.datasets.parser import parse_dataset
from eventcal.datasets.service import load_dataset
from eventcal.events.enums import TeamRole
from eventcal.kit import migrate
from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.outbox.models import OutboxMessage
from eventcal.web.schemas.dataset_records import load_record
from tests import http_app, world
from tests.api import put_on_team
from tests.clocks import NOON, FixedClock
from tests.make import make_member

Json = dict[str, Any]

PASSWORD = "correct horse battery"
DEMO_ORGANISER = ORGANISER_EMAIL
LARGE_NOW = NOON
"""The moment for which tests/world.py is made."""

MODERATORS_TOKEN, MEMBERS_TOKEN, SECRET_FEED, REVOKED_FEED = (
    world.MODERATORS_TOKEN,
    world.MEMBERS_TOKEN,
    world.FEED,
    world.REVOKED_FEED,
)


@dataclass(frozen=True)
class Email:
    """An email that waits in the outbox."""

    to: str
    subject: str
    text: str


@contextmanager
def application(folder: Path, moment: datetime, **settings: Any) -> Iterator[tuple[Flask, FixedClock]]:
    """Yield an application on a database of its own with nothing in it, and the clock that it goes by."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'eventcal.db'}"
    migrate.upgrade(url)
    clock = FixedClock(moment)
    with http_app.running(url, clock, instance=folder, **settings) as app:
        yield app, clock


def finish_background_work(app: Flask) -> None:
    """Do what the application does after its answers, such as writing down who fetched a feed."""
    http_app.catch_up(app)


def load_demo(app: Flask, moment: datetime) -> None:
    """Load the demo data with its dates of 2014, and its organiser."""
    with http_app.database_of(app).unit_of_work() as unit:
        load_dataset(unit, read_demo_dataset(load_record))
        create_demo_organiser(
            unit.session, read_demo_dataset(load_record), password_hash=http_app.password_hash(PASSWORD), now=moment
        )


def load_data(app: Flask, dataset: Json) -> None:
    """Load a data set."""
    with http_app.database_of(app).unit_of_work() as unit:
        load_dataset(unit, parse_dataset(json.dumps(dataset).encode(), load_record, source_name="dataset.json"))


def load_one_of_everything(app: Flask) -> None:
    """Make the calendar of tests/world.py, whose members can sign in with PASSWORD."""
    world.build(app)
    with http_app.writing(app) as session:
        for member in session.scalars(select(Member)):
            member.password = http_app.password_hash(PASSWORD)


def add_person(
    app: Flask, email: str, *, role: str = "member", organises: Sequence[str] = (), reviews: Sequence[str] = ()
) -> None:
    """Add a member who can sign in with PASSWORD, and is on the teams of these events."""
    with http_app.writing(app) as session:
        name, member_id = email.partition("@")[0], f"member-{email.partition('@')[0]}"
        member = make_member(
            session,
            id=member_id,
            email=email,
            name=f"{name.title()} Example",
            role=Role(role),
            password=http_app.password_hash(PASSWORD),
        )
        for slugs, team_role in ((organises, TeamRole.ORGANISER), (reviews, TeamRole.REVIEWER)):
            for slug in slugs:
                put_on_team(session, member, slug, role=team_role)


def emails(app: Flask) -> list[Email]:
    """Return the emails in the outbox, the oldest first."""
    rows = http_app.rows(app, OutboxMessage)
    return [Email(row.payload["to"], row.payload["subject"], row.payload["text"]) for row in rows if row.kind == "mail"]


def run_command(folder: Path, *arguments: str) -> str:
    """Return what a command prints, its errors and its exit code; file names are relative to the folder."""
    with chdir(folder):
        result = CliRunner(env={"EVENTCAL_INSTANCE": "."}).invoke(main, arguments, prog_name="eventcal")
    return f"$ eventcal {' '.join(arguments)}\n{result.stdout}{result.stderr}exit code {result.exit_code}\n"
