"""Commands that fill the calendar from a file."""

import secrets
from pathlib import Path

import click

from eventcal.cli.running import check_migrated, counted, open_app, open_house, progress
from eventcal.datasets.demo import (
    ORGANISER,
    add_organiser,
    demo_dataset,
    has_any_event,
    move_dataset,
    weeks_until_soon,
)
from eventcal.datasets.reading import Dataset, read_file
from eventcal.datasets.service import Count, Report, load_dataset
from eventcal.web.identity.passwords import hashed
from eventcal.web.request.context import House
from eventcal.web.schemas.datasets import read_record


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def load(file: Path) -> None:
    """Load a data set, whole or not at all.

    FILE is JSON, shaped like the demo's. What is there already, known by slug (a talk by its event and title), is
    brought to what the file gives; nothing is deleted. Loading the same file again changes nothing.
    """
    dataset = read_file(file, read_record)
    with open_house() as house:
        check_migrated(house)
        with progress(f"Loading {file.name}", length=dataset.size) as tell, house.database.unit_of_work() as unit:
            report = load_dataset(unit, dataset, tell=tell)
    click.echo(_told(report))


def _told(report: Report) -> str:
    touched = any(count.new or count.changed for count in report.values())
    lines = [
        _told_section(section, count) for section, count in report.items() if count != Count(new=0, changed=0, same=0)
    ]
    return "\n".join(["Loaded:" if touched else "Everything in this file is here already, as it says:", *lines])


def _told_section(section: str, count: Count) -> str:
    return f"  {section}: {count.new} new, {count.changed} changed, {count.same} as they were"


@click.command()
@click.option("--as-it-was", is_flag=True, help="Leave the dates of 2014 alone.")
def demo(*, as_it_was: bool) -> None:
    """Load the Xen Project's calendar of 2014, with an organiser to sign in as.

    Its dates are moved by whole weeks so that it begins within the next month. What is there is left alone.
    """
    password = secrets.token_urlsafe(12)
    with open_app() as house:
        was = demo_dataset(read_record)
        password_hash = hashed(password)
        with house.database.unit_of_work() as unit:
            there = has_any_event(unit.session, was)
            weeks = 0 if as_it_was else weeks_until_soon(was, today=unit.now.date())
            dataset = move_dataset(was, weeks=weeks)
            if not there:
                load_dataset(unit, dataset)
            organiser = add_organiser(unit.session, dataset, password_hash=password_hash, now=unit.now)
    click.echo("The demo is here already, and was left as it is." if there else _told_demo(dataset, weeks=weeks))
    click.echo(_told_old_organiser() if organiser is None else _told_new_organiser(house, password))


def _told_demo(dataset: Dataset, *, weeks: int) -> str:
    first = min(event.fields["starts"] for event in dataset.records["events"])
    dates = f"with its dates moved by {counted(weeks, 'week')}" if weeks else "with its dates as they were"
    things = f"{counted(len(dataset.records['events']), 'event')} and {counted(len(dataset.records['talks']), 'talk')}"
    return f"The Xen Project's calendar of 2014 is here, {things}, {dates}: it begins on {first[:10]}."


def _told_new_organiser(house: House, password: str) -> str:
    address = house.links.api("/auth/login")
    return f"""\
Sign in as {ORGANISER} with the password {password} (it is shown only now):
  curl -c cookies.txt -H 'Content-Type: application/json' \\
    -d '{{"email": "{ORGANISER}", "password": "{password}"}}' {address}"""


def _told_old_organiser() -> str:
    return (
        f"Its organiser {ORGANISER} has an account already; for a new password run\n"
        f"  eventcal members password {ORGANISER}"
    )
