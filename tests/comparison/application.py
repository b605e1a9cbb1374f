"""Access to the application for recordings. No other module of this package imports the application."""

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
from eventcal.datasets.import_service import load_dataset
from eventcal.datasets.parser import parse_dataset
from eventcal.events.enums import TeamRole
from eventcal.kit import migrate
from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.outbox.models import OutboxMessage
from eventcal.web.schemas.dataset_records import load_record
from tests import http_app, sample_calendar
from tests.api_client import add_team_member
from tests.clocks import NOON, FixedClock
from tests.factories import make_member

Json = dict[str, Any]

PASSWORD = "correct horse battery"
DEMO_ORGANISER = ORGANISER_EMAIL
LARGE_CALENDAR_NOW = NOON
"""The time at which recordings of the sample calendar begin."""

MODERATOR_TOKEN, MEMBER_TOKEN, FEED_SECRET, REVOKED_FEED_SECRET = (
    sample_calendar.MODERATOR_TOKEN,
    sample_calendar.MEMBER_TOKEN,
    sample_calendar.FEED_SECRET,
    sample_calendar.REVOKED_FEED_SECRET,
)


@dataclass(frozen=True)
class Email:
    """An email in the outbox."""

    to: str
    subject: str
    text: str


@contextmanager
def create_application(folder: Path, moment: datetime, **settings: Any) -> Iterator[tuple[Flask, FixedClock]]:
    """Provide an application with an empty database, and the clock of the application."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'eventcal.db'}"
    migrate.upgrade(url)
    clock = FixedClock(moment)
    with http_app.create_test_app(url, clock, instance=folder, **settings) as app:
        yield app, clock


def finish_background_work(app: Flask) -> None:
    """Run the background tasks that the application has queued, such as recording which clients fetch a feed."""
    http_app.run_background_tasks(app)


def load_demo(app: Flask, moment: datetime) -> None:
    """Load the demo data with its dates of 2014, and create the demo organiser."""
    with http_app.database_of(app).unit_of_work() as unit:
        load_dataset(unit, read_demo_dataset(load_record))
        create_demo_organiser(
            unit.session,
            read_demo_dataset(load_record),
            password_hash=http_app.hash_password_once(PASSWORD),
            now=moment,
        )


def load_json_dataset(app: Flask, dataset: Json) -> None:
    with http_app.database_of(app).unit_of_work() as unit:
        load_dataset(unit, parse_dataset(json.dumps(dataset).encode(), load_record, source_name="dataset.json"))


def load_sample_calendar(app: Flask) -> None:
    """Create the sample calendar. All members have the password PASSWORD."""
    sample_calendar.create_sample_calendar(app)
    with http_app.write_session(app) as session:
        for member in session.scalars(select(Member)):
            member.password = http_app.hash_password_once(PASSWORD)


def add_member(
    app: Flask, email: str, *, role: str = "member", organises: Sequence[str] = (), reviews: Sequence[str] = ()
) -> None:
    """Add a member with the password PASSWORD to the teams of these events."""
    with http_app.write_session(app) as session:
        name, member_id = email.partition("@")[0], f"member-{email.partition('@')[0]}"
        member = make_member(
            session,
            id=member_id,
            email=email,
            name=f"{name.title()} Example",
            role=Role(role),
            password=http_app.hash_password_once(PASSWORD),
        )
        for slugs, team_role in ((organises, TeamRole.ORGANISER), (reviews, TeamRole.REVIEWER)):
            for slug in slugs:
                add_team_member(session, member, slug, role=team_role)


def list_emails(app: Flask) -> list[Email]:
    """Return the emails in the outbox, the oldest first."""
    rows = http_app.list_rows(app, OutboxMessage)
    return [Email(row.payload["to"], row.payload["subject"], row.payload["text"]) for row in rows if row.kind == "mail"]


def run_command(folder: Path, *arguments: str) -> str:
    """Return the output, errors and exit code of a command. File names are relative to the folder."""
    with chdir(folder):
        result = CliRunner(env={"EVENTCAL_INSTANCE": "."}).invoke(main, arguments, prog_name="eventcal")
    return f"$ eventcal {' '.join(arguments)}\n{result.stdout}{result.stderr}exit code {result.exit_code}\n"
