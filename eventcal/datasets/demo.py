"""The demo data set: the Xen Project's calendar of mid-2014, with dates optionally moved to the near future."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib import resources
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.datasets.parser import SECTIONS, Dataset, RecordReader, parse_dataset
from eventcal.events.enums import Programme, TeamRole
from eventcal.events.models import Event
from eventcal.events.service import add_team_member
from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.members.service import create_member, find_member_by_email

ORGANISER_EMAIL = "organiser@example.org"

_A_WEEK = timedelta(days=7)
_DEMO_FILE = "xen-2014.json"


def read_demo_dataset(read_record: RecordReader) -> Dataset:
    return parse_dataset((resources.files(__package__) / _DEMO_FILE).read_bytes(), read_record, source_name=_DEMO_FILE)


def weeks_to_future_start(dataset: Dataset, *, today: date) -> int:
    """Return the number of weeks by which to move a data set so that it begins two to three weeks after `today`."""
    first = min(date.fromisoformat(event.fields["starts"][:10]) for event in dataset.records["events"])
    return math.ceil((today + 2 * _A_WEEK - first) / _A_WEEK)


def shift_dataset_dates(dataset: Dataset, *, weeks: int) -> Dataset:
    """Return the data set with all dates moved by whole weeks, which preserves weekdays and times of day."""
    moved = {
        section: tuple(
            replace(record, fields=_shift_times(record.fields, weeks)) for record in dataset.records[section]
        )
        for section in SECTIONS
    }
    return replace(dataset, records=moved)


def _shift_times(fields: Mapping[str, Any], weeks: int) -> dict[str, Any]:
    moved = dict(fields)
    for name in {"starts", "ends", "opens_at", "closes_at"} & fields.keys():
        if fields[name]:
            day = date.fromisoformat(fields[name][:10]) + weeks * _A_WEEK
            moved[name] = day.isoformat() + fields[name][10:]
    if fields.get("call_for_talks"):
        moved["call_for_talks"] = _shift_times(fields["call_for_talks"], weeks)
    return moved


def has_any_event(session: Session, dataset: Dataset) -> bool:
    slugs = [event.fields["slug"] for event in dataset.records["events"]]
    return session.scalars(select(Event.id).where(Event.slug.in_(slugs)).limit(1)).first() is not None


def create_demo_organiser(session: Session, dataset: Dataset, *, password_hash: str, now: datetime) -> Member | None:
    """Create the demo organiser, or return None if an account with the same email address exists.

    The demo organiser manages all curated demo events and, as a moderator, also selects the talks at listed events.
    """
    if find_member_by_email(session, ORGANISER_EMAIL) is not None:
        return None
    member = create_member(
        session,
        email=ORGANISER_EMAIL,
        name="Demo Organiser",
        password_hash=password_hash,
        now=now,
        confirmed_at=now,
        role=Role.MODERATOR,
    )
    slugs = [event.fields["slug"] for event in dataset.records["events"]]
    curated = select(Event).where(Event.slug.in_(slugs), Event.programme == Programme.CURATED).order_by(Event.slug)
    for event in session.scalars(curated).all():
        add_team_member(session, event, member, role=TeamRole.ORGANISER)
    return member
