"""The command-line interface for operators. The exit code is 0 on success, 1 on an error and 2 on a usage error."""

import click

from eventcal import __version__
from eventcal.cli.root_group import LazyCommand, RootGroup


@click.group(cls=RootGroup)
@click.version_option(__version__, package_name="eventcal")
def main() -> None:
    """Manage a community calendar of events and talks.

    Settings are read from EVENTCAL_* environment variables and from instance/config.toml.
    """


for command in (
    LazyCommand(
        "serve",
        path="eventcal.cli.server:serve",
        short_help="Serve the calendar until SIGTERM or SIGINT (Ctrl-C); running requests are completed.",
    ),
    LazyCommand("db", path="eventcal.cli.data:db", short_help="Manage the database."),
    LazyCommand(
        "demo",
        path="eventcal.cli.data:demo",
        short_help="Load the Xen Project's calendar of 2014 and add an organiser account.",
    ),
    LazyCommand(
        "load",
        path="eventcal.cli.data:load",
        short_help="Load a data set completely, or nothing if it has errors.",
    ),
    LazyCommand("members", path="eventcal.cli.accounts:members", short_help="Manage members."),
    LazyCommand("events", path="eventcal.cli.accounts:events", short_help="Manage events."),
    LazyCommand(
        "recompute-instants",
        path="eventcal.cli.data:recompute_instants",
        short_help="Recompute all instants from local times and time zones.",
    ),
    LazyCommand(
        "lint",
        path="eventcal.cli.lint:lint",
        short_help="Check calendars (.ics) for errors, and report them by line.",
    ),
    LazyCommand("mail", path="eventcal.cli.mail:mail", short_help="Manage outgoing email."),
    LazyCommand("media", path="eventcal.cli.data:media", short_help="Manage the images in the instance folder."),
):
    main.add_command(command)
