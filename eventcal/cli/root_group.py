"""The root command group, which imports a command only when the command is used."""

from pkgutil import resolve_name
from typing import IO, Any

import click

from eventcal.kit.errors import DomainError


class CommandFailed(click.ClickException):
    """An error that terminates the command with a message."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.format_message(), file=file, err=file is None)


class LazyCommand(click.Command):
    """A placeholder for a command in the list of commands. `path` is the import path of the command (MODULE:NAME)."""

    def __init__(self, name: str, *, path: str, short_help: str) -> None:
        # Click truncates `help` to the width of the terminal, but not `short_help`.
        super().__init__(name, help=short_help)
        self.path = path

    def load(self) -> click.Command:
        command: click.Command = resolve_name(self.path)
        return command


class RootGroup(click.Group):
    """A command group that loads lazy commands, and reports domain errors as messages instead of tracebacks."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, remaining = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LazyCommand) else command, remaining

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except DomainError as refusal:
            errors = [f"  {fault.pointer or 'file'}: {fault.detail}" for fault in refusal.errors]
            raise CommandFailed("\n".join([refusal.detail, *errors])) from refusal
