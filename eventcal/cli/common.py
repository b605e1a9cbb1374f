"""Helpers for commands that use the services of the app."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import click

from eventcal.app import build_services, create_app
from eventcal.cli.open_database import load_settings, use_database
from eventcal.kit.database import UnitOfWork
from eventcal.web.request.context import Services
from eventcal.web.request.context import services as current_services

# The nice value of commands that use the processor for a long time.
_LOW_PRIORITY = 10


@contextmanager
def open_services(services: Services | None = None, *, must_be_migrated: bool = True) -> Iterator[Services]:
    """Yield `services`, or new services if it is None.

    Raises NotMigrated if `must_be_migrated` is set and the schema is outdated.
    """
    services = services or build_services(load_settings())
    with use_database(services.database, must_be_migrated=must_be_migrated):
        yield services


@contextmanager
def open_unit_of_work() -> Iterator[UnitOfWork]:
    """Yield a unit of work. Raises NotMigrated if the database schema is out of date."""
    with open_services() as services, services.database.unit_of_work() as unit:
        yield unit


@contextmanager
def open_app_context() -> Iterator[Services]:
    """Yield the services within a Flask app context, which email templates require. Raises NotMigrated."""
    with create_app(load_settings()).app_context(), open_services(current_services()) as services:
        yield services


@contextmanager
def progress_bar(label: str, *, length: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that advances a progress bar of the given length. The bar is shown only on terminals.

    The block runs with a low priority, so that a server on the same machine continues to respond quickly.
    """
    priority = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(priority, _LOW_PRIORITY))
    try:
        with click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
            yield bar.update
    finally:
        # On Linux, only privileged processes may increase their priority again.
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, priority)
