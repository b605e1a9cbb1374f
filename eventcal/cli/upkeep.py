"""Commands that keep the database right: its schema, and what follows from the rest of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import click
from sqlalchemy import func, select

from eventcal.cli.running import NotMigrated, Refused, check_migrated, counted, open_house, progress
from eventcal.events.models import Event
from eventcal.feeds.index.feed_index import state_of
from eventcal.kit.refusals import Conflict
from eventcal.talks.models import Talk
from eventcal.web.request.context import House


class RenderedOtherwise(Conflict):
    """The entries of the feeds are not what this release would make of them, with these settings."""

    code = "rendered-otherwise"


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
def upgrade() -> None:
    """Bring the database to this release: its schema, and the entries of the feeds.

    Entries are rendered anew where BASE_URL, DOMAIN, tzdata or this release changed. Does nothing a second time.
    """
    with open_house() as house:
        try:
            check_migrated(house)
        except NotMigrated:
            _migrate(house)
            click.echo("The database was brought up to date.")
        else:
            click.echo("The database is up to date.")
        with _looking_again(house) as tell, house.database.unit_of_work() as unit:
            renewed = house.ledger.renew(unit.session, now=unit.now, tell=tell)
    if renewed:
        click.echo(f"{counted(renewed, 'entry')} of the feeds changed.")


@db.command()
def check() -> None:
    """Say whether the database is up to date; exit code 1 if it is not."""
    with open_house() as house:
        check_migrated(house)
        check_rendered(house)
    click.echo("The database is up to date.")


def _migrate(house: House) -> None:
    # Alembic takes 12 MB, and the workers of `serve` know all commands.
    from alembic.util import CommandError  # noqa: PLC0415 - see above

    from eventcal.kit.migrate import upgrade  # noqa: PLC0415 - see above

    try:
        upgrade(house.database.engine)
    except CommandError as error:
        raise Refused(f"The database is none that this release of eventcal can upgrade: {error}.") from error


def check_rendered(house: House) -> None:
    """Refuse entries that were rendered by another release or with other settings (RenderedOtherwise)."""
    with house.database.reading() as session:
        if state_of(session).renderer != house.ledger.renderer:
            raise RenderedOtherwise(
                "The feeds were rendered by another release, or for another BASE_URL or DOMAIN: "
                "run `eventcal db upgrade`."
            )


def _looking_again(house: House) -> AbstractContextManager[Callable[[int], None]]:
    """Give a progress bar over all events and talks."""
    with house.database.reading() as session:
        length = sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in (Event, Talk))
    return progress("Looking at events and talks again", length=length)


@click.command("recompute-instants")
def recompute_instants() -> None:
    """Derive every instant again from the local time and the zone that people wrote.

    For a new tzdata: meetings stay at their time on the wall, and feeds show the instants that this now is.
    """
    with open_house() as house:
        check_migrated(house)
        with _looking_again(house) as tell, house.database.unit_of_work() as unit:
            changed = house.ledger.recompute(unit.session, now=unit.now, tell=tell)
    click.echo(f"{counted(changed, 'entry')} of the feeds changed.")
