"""Helpers shared by all commands: access to the services and error reporting."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import click
from sqlalchemy.exc import InterfaceError, OperationalError

from eventcal.app import build_services, create_app
from eventcal.config import ConfigurationError, Settings, read_settings
from eventcal.kit.database import UnitOfWork
from eventcal.kit.errors import Conflict, DomainError, Message
from eventcal.web.request.context import Services
from eventcal.web.request.context import services as current_services


class NotMigrated(Conflict):
    """The database schema is out of date."""

    code = "not-migrated"
    title = Message("The database schema is out of date")

    def __init__(self) -> None:
        super().__init__("The database schema is out of date. Run `eventcal db upgrade` first.")


class CommandFailed(click.ClickException):
    """An error that terminates the command with a message."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.format_message(), file=file, err=file is None)


class RootGroup(click.Group):
    """The root command group, which reports expected errors as messages instead of tracebacks."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except DomainError as refusal:
            errors = [f"  {fault.pointer or 'file'}: {fault.detail}" for fault in refusal.errors]
            raise CommandFailed("\n".join([refusal.detail, *errors])) from refusal
        except ConfigurationError as error:
            raise CommandFailed(str(error)) from error
        except (OperationalError, InterfaceError) as error:
            said = str(error.orig).strip().partition("\n")[0].rstrip(".")
            raise CommandFailed(f"The database cannot be reached: {said}. Check EVENTCAL_DATABASE_URL.") from error


def load_settings() -> Settings:
    """Return the settings. Raises ConfigurationError if a setting is invalid or the instance folder cannot be used."""
    try:
        return read_settings(os.environ)
    except OSError as error:
        raise ConfigurationError(f"The instance folder cannot be used: {error}.") from error


@contextmanager
def open_services(services: Services | None = None, *, must_be_migrated: bool = True) -> Iterator[Services]:
    """Yield `services`, or new services if it is None.

    Raises NotMigrated if `must_be_migrated` is set and the schema is outdated.
    """
    services = services or build_services(load_settings())
    try:
        if must_be_migrated and not services.database.is_migrated():
            raise NotMigrated
        yield services
    finally:
        services.database.engine.dispose()


@contextmanager
def open_unit_of_work() -> Iterator[UnitOfWork]:
    with open_services() as services, services.database.unit_of_work() as unit:
        yield unit


@contextmanager
def open_app_context() -> Iterator[Services]:
    """Yield the services within a Flask app context, which email templates require. Raises NotMigrated."""
    with create_app(load_settings()).app_context(), open_services(current_services()) as services:
        yield services


@contextmanager
def progress_bar(label: str, *, length: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that advances a progress bar of the given length. The bar is shown only on terminals."""
    with click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        yield bar.update
