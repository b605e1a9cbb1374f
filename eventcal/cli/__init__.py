"""The command-line interface for operators. The exit code is 0 on success, 1 on an error and 2 on a usage error."""

import click

from eventcal import __version__
from eventcal.cli.accounts import events, members
from eventcal.cli.common import RootGroup
from eventcal.cli.data import db, demo, load, media, recompute_instants
from eventcal.cli.lint import lint
from eventcal.cli.server import serve


@click.group(cls=RootGroup)
@click.version_option(__version__, package_name="eventcal")
def main() -> None:
    """Manage a community calendar of events and talks.

    Settings are read from EVENTCAL_* environment variables and from instance/config.toml.
    """


for command in (serve, db, demo, load, members, events, recompute_instants, lint, media):
    main.add_command(command)
