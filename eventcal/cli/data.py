"""Commands for the database schema, the feed index, data sets and images."""

import gc
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import click
from sqlalchemy import func, select

from eventcal.backup import BackupFailed, create_backup
from eventcal.cli.common import open_services, progress_bar
from eventcal.cli.open_database import check_renderer_version, count_needed_connections
from eventcal.cli.root_group import CommandFailed
from eventcal.datasets.demo import (
    ORGANISER_EMAIL,
    create_demo_organiser,
    has_any_event,
    read_demo_dataset,
    shift_dataset_dates,
    weeks_to_future_start,
)
from eventcal.datasets.import_service import SectionCounts, load_dataset, load_dataset_in_batches
from eventcal.datasets.parser import Dataset, read_dataset_file
from eventcal.events.models import Event
from eventcal.feeds.index.restore import complete_restore
from eventcal.kit.text import format_count
from eventcal.media.store import UNUSED_RETENTION, MediaStore
from eventcal.talks.models import Talk
from eventcal.web.identity.password_hashes import hash_password
from eventcal.web.media import referenced_files
from eventcal.web.request.context import Services
from eventcal.web.schemas.dataset_records import load_record


@click.group()
def db() -> None:
    """Manage the database."""


@db.command("upgrade")
def upgrade_schema_and_feeds() -> None:
    """Upgrade the database schema and the feed entries to this release.

    Entries are rendered again if BASE_URL, DOMAIN, tzdata or the release has changed. A second run changes nothing.
    """
    with open_services(must_be_migrated=False) as services:
        if services.database.is_migrated():
            click.echo("The database is up to date.")
        else:
            _migrate_database(services)
            click.echo("The database was upgraded.")
        with _rerender_progress(services) as advance:
            renewed = services.feed_index.rerender_all(services.database, on_progress=advance)
    if renewed:
        click.echo(f"{format_count(renewed, 'entry')} of the feeds changed.")


@db.command("check")
def check_database_is_current() -> None:
    """Check whether the database is up to date; exit with code 1 if it is not."""
    with open_services() as services:
        check_renderer_version(services.database, services.settings)
        allowed = services.database.count_allowed_connections()
    click.echo("The database is up to date.")
    if allowed is not None:
        needed = [count_needed_connections(workers) for workers in (1, 2)]
        click.echo(f"Connections: {needed[0]} for one worker, {needed[1]} for two; the server allows {allowed}.")


@db.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup_installation(file: Path) -> None:
    """Write the database, the images and the secret key to a tar archive.

    The server can be running. Keep FILE secret, because the key signs sessions and links. The operations guide explains
    how to restore it.
    """
    with open_services() as services:
        try:
            create_backup(services.database, services.settings, file.absolute(), now=services.clock.now())
        except BackupFailed as error:
            raise CommandFailed(str(error)) from error
        except OSError as error:
            raise CommandFailed(f"The backup cannot be written: {error}.") from error
    click.echo(f"Backup written to {file}: {file.stat().st_size / 1e6:.1f} MB.")


@db.command("restored")
def start_epoch_after_restore() -> None:
    """Complete a restore, so that no calendar app or API client keeps what the restored database does not contain.

    Run it once after each restore, before the server starts. It can be interrupted and repeated.
    """
    with open_services() as services, _rerender_progress(services) as advance:
        renewed = complete_restore(services.database, services.feed_index, on_progress=advance)
    click.echo(f"The restore is complete: {format_count(renewed, 'entry')} of the feeds will be read again.")


def _migrate_database(services: Services) -> None:
    # Alembic, which uses 12 MB of memory, is imported locally because only `db upgrade` needs it.
    from alembic.util import CommandError  # noqa: PLC0415 - see above

    from eventcal.kit.migrate import upgrade  # noqa: PLC0415 - see above

    try:
        upgrade(services.database.engine)
    except CommandError as error:
        raise CommandFailed(f"This release of eventcal cannot upgrade this database: {error}.") from error


def _rerender_progress(services: Services) -> AbstractContextManager[Callable[[int], None]]:
    with services.database.read_session() as session:
        length = sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in (Event, Talk))
    return progress_bar("Rendering events and talks", length=length)


@click.command("recompute-instants")
def recompute_instants() -> None:
    """Recompute all instants from local times and time zones.

    Run it after an update of tzdata. Local times stay the same, and feeds show the new instants.
    """
    with open_services() as services, _rerender_progress(services) as advance:
        changed = services.feed_index.render_all_again(services.database, on_progress=advance)
    click.echo(f"{format_count(changed, 'entry')} of the feeds changed.")


@click.group()
def media() -> None:
    """Manage the images in the instance folder."""


@media.command("prune")
@click.option("--at-once", is_flag=True, help="Also remove images uploaded within the last day.")
def media_prune(*, at_once: bool) -> None:
    """Remove images that are no longer used.

    Run it once a day. Until then, a removed portrait can still be fetched from its URL.
    """
    # The write lock prevents other processes from saving a reference to an image that is about to be deleted.
    with open_services() as services, services.database.unit_of_work() as unit:
        before = unit.now + timedelta(seconds=1) if at_once else unit.now - UNUSED_RETENTION
        gone = MediaStore(services.settings.media_folder).delete_unused(referenced_files(unit.session), before=before)
    click.echo(f"{format_count(gone, 'image')} removed.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def load(file: Path) -> None:
    """Load a data set completely, or nothing if it has errors.

    FILE is JSON in the format of the demo data. Existing records, identified by slug (talks by event and title), are
    updated; nothing is deleted. Loading the same file again changes nothing.
    """
    dataset = read_dataset_file(file, load_record)
    # Exclude the data set from garbage collection, which otherwise takes a sixth of the time.
    gc.freeze()
    with open_services() as services, progress_bar(f"Loading {file.name}", length=dataset.size) as advance:
        report = load_dataset_in_batches(services.database, dataset, on_progress=advance)
    touched = any(count.new or count.changed for count in report.values())
    click.echo("Loaded:" if touched else "Nothing to load, all records are up to date:")
    for section, count in report.items():
        if count != SectionCounts(new=0, changed=0, unchanged=0):
            click.echo(f"  {section}: {count.new} new, {count.changed} changed, {count.unchanged} unchanged")


@click.command()
@click.option("--as-it-was", is_flag=True, help="Keep the original dates in 2014.")
def demo(*, as_it_was: bool) -> None:
    """Load the Xen Project's calendar of 2014 and add an organiser account.

    Dates are moved by whole weeks so that it begins in two to three weeks. A demo loaded before is left unchanged.
    """
    password = secrets.token_urlsafe(12)
    was, password_hash = read_demo_dataset(load_record), hash_password(password)
    with open_services() as services, services.database.unit_of_work() as unit:
        there = has_any_event(unit.session, was)
        weeks = 0 if as_it_was else weeks_to_future_start(was, today=unit.now.date())
        dataset = shift_dataset_dates(was, weeks=weeks)
        if not there:
            load_dataset(unit, dataset)
        organiser = create_demo_organiser(unit.session, dataset, password_hash=password_hash, now=unit.now)
    unchanged = "The demo calendar has already been loaded and was not changed."
    click.echo(unchanged if there else _demo_message(dataset, weeks=weeks))
    if organiser is None:
        click.echo(
            f"The organiser {ORGANISER_EMAIL} already has an account. To set a new password, run\n"
            f"  eventcal members password {ORGANISER_EMAIL}"
        )
    else:
        url = services.links.api("/auth/login")
        click.echo(
            f"Sign in as {ORGANISER_EMAIL} with the password {password} (shown only once):\n"
            "  curl -c cookies.txt -H 'Content-Type: application/json' \\\n"
            f"""    -d '{{"email": "{ORGANISER_EMAIL}", "password": "{password}"}}' {url}"""
        )


def _demo_message(dataset: Dataset, *, weeks: int) -> str:
    first = min(event.fields["starts"] for event in dataset.records["events"])
    dates = f"with dates moved by {format_count(weeks, 'week')}" if weeks else "with the original dates"
    events = format_count(len(dataset.records["events"]), "event")
    talks = format_count(len(dataset.records["talks"]), "talk")
    loaded = f"Loaded the Xen Project's calendar of 2014: {events} and {talks}, {dates}."
    return f"{loaded} The first event starts on {first[:10]}."
