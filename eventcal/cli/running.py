"""What every command stands on: the house that it works in, and how a refusal ends it."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import click
from sqlalchemy.exc import InterfaceError, OperationalError

from eventcal.app import create_app, create_house
from eventcal.config import ConfigurationError, Settings, read_settings
from eventcal.kit.database import Unit
from eventcal.kit.refusals import Conflict, Refusal, Sentence
from eventcal.web.request.context import House
from eventcal.web.request.context import house as current_house


class NotMigrated(Conflict):
    """The database has not the schema that this code expects."""

    code = "not-migrated"
    title = Sentence("The database is not up to date")

    def __init__(self) -> None:
        super().__init__("The database is not up to date: run `eventcal db upgrade` first.")


class Refused(click.ClickException):
    """A command that ends with a sentence that its reader can act on."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence, and nothing else, where errors go."""
        click.echo(self.format_message(), file=file, err=file is None)


class Commands(click.Group):
    """The group at the root: whatever of its commands is refused ends in a sentence, never in a traceback."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own
        """Run what was asked for."""
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            faults = [f"  {fault.pointer or 'the whole file'}: {fault.detail}" for fault in refusal.faults]
            raise Refused("\n".join([refusal.detail, *faults])) from refusal
        except ConfigurationError as error:
            raise Refused(str(error)) from error
        except (OperationalError, InterfaceError) as error:
            said = str(error.orig).strip().partition("\n")[0].rstrip(".")
            raise Refused(f"The database does not answer: {said}. Is EVENTCAL_DATABASE_URL right?") from error


def settings() -> Settings:
    """Return the settings. Raises ConfigurationError, also where the instance folder cannot be used."""
    try:
        return read_settings(os.environ)
    except OSError as error:
        raise ConfigurationError(f"The instance folder cannot be used: {error}.") from error


@contextmanager
def open_house(house: House | None = None, *, migrated: bool = True) -> Iterator[House]:
    """Give everything below HTTP, by default as the settings say. Raises NotMigrated, unless `migrated` is false."""
    house = house or create_house(settings())
    try:
        if migrated:
            check_migrated(house)
        yield house
    finally:
        house.database.engine.dispose()


@contextmanager
def open_unit() -> Iterator[Unit]:
    """Give a unit of work. Raises NotMigrated."""
    with open_house() as house, house.database.unit_of_work() as unit:
        yield unit


@contextmanager
def open_app() -> Iterator[House]:
    """Give the house within an app, which the templates of mails need. Raises NotMigrated."""
    with create_app(settings()).app_context(), open_house(current_house()) as house:
        yield house


def check_migrated(house: House) -> None:
    """Refuse to work with a database of another schema (NotMigrated)."""
    if not house.database.is_migrated():
        raise NotMigrated


@contextmanager
def progress(label: str, *, length: int) -> Iterator[Callable[[int], None]]:
    """Give what moves a progress bar of `length` on by so many; the bar is seen on a terminal only."""
    with click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        yield bar.update
