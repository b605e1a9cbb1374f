"""Commands that look after the pictures that were uploaded."""

from datetime import timedelta

import click

from eventcal.cli.running import check_migrated, counted, open_house
from eventcal.media.gallery import GRACE, Gallery
from eventcal.web.media import names_in_use


@click.group()
def media() -> None:
    """Look after the pictures in the instance folder."""


@media.command()
@click.option("--at-once", is_flag=True, help="Also what was uploaded within the last day.")
def prune(*, at_once: bool) -> None:
    """Remove the pictures that nobody shows any more.

    Run it once a day. A portrait that was taken away is served until then, to whoever has its address.
    """
    with open_house() as house:
        check_migrated(house)
        # While this unit holds the write lock, nobody names a picture that is about to go.
        with house.database.unit_of_work() as unit:
            before = unit.now + timedelta(seconds=1) if at_once else unit.now - GRACE
            gone = Gallery(house.settings.media).prune(names_in_use(unit.session), before=before)
    click.echo(f"{counted(gone, 'picture')} removed.")
