"""The command line: what whoever runs the machine can do. Exit codes: 0 done, 1 refused with a sentence, 2 usage."""

import click

from eventcal import __version__
from eventcal.cli.accounts import events, members
from eventcal.cli.data import db, demo, load, media, recompute_instants
from eventcal.cli.lint import lint
from eventcal.cli.running import Commands
from eventcal.cli.serving import serve


@click.group(cls=Commands)
@click.version_option(__version__, package_name="eventcal")
def main() -> None:
    """Keep a community's calendar of events and talks.

    Settings come from EVENTCAL_* in the environment and from instance/config.toml.
    """


for command in (serve, db, demo, load, members, events, recompute_instants, lint, media):
    main.add_command(command)
