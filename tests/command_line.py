"""The `eventcal` command for tests, with access to its output and exit code."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import create_engine, text

from eventcal.cli import main
from tests.clocks import FixedClock
from tests.http_app import create_test_app


class CommandLine:
    """Runs `eventcal` commands in a new instance folder."""

    def __init__(self, instance: Path, **settings: str) -> None:
        self.instance = instance
        self.settings = {"EVENTCAL_INSTANCE": str(instance), **settings}

    def run(self, *arguments: str, typed: str | None = None, **settings: str) -> Result:
        """Run a command without a terminal and return its result."""
        environment = {**self.settings, **settings}
        return CliRunner(env=environment).invoke(main, arguments, input=typed, prog_name="eventcal")

    def run_ok(self, *arguments: str, typed: str | None = None, **settings: str) -> str:
        """Run a command that must succeed and return its standard output."""
        result = self.run(*arguments, typed=typed, **settings)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return result.stdout

    def run_expecting_error(self, *arguments: str, typed: str | None = None, **settings: str) -> str:
        """Run a command that must exit with 1 and return its standard error."""
        result = self.run(*arguments, typed=typed, **settings)
        assert (result.exit_code, result.stdout) == (1, ""), result.output
        assert isinstance(result.exception, SystemExit)
        return result.stderr

    def run_expecting_usage_error(self, *arguments: str) -> str:
        """Run a command that must report a usage error and return its standard error."""
        result = self.run(*arguments)
        assert result.exit_code == 2, result.output
        return result.stderr

    def query_rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows that a query finds in the database."""
        engine = create_engine(f"sqlite:///{self.instance}/eventcal.db")
        with engine.begin() as connection:
            result = connection.execute(text(query))
            found = [tuple(row) for row in result] if result.returns_rows else []
        engine.dispose()
        return found

    def write_dataset(self, **sections: Any) -> str:
        """Write a data set to a JSON file and return the path of the file."""
        path = self.instance / "set.json"
        path.write_text(json.dumps(sections), encoding="utf-8")
        return str(path)


@contextmanager
def open_app(cli: CommandLine, clock: FixedClock) -> Iterator[Flask]:
    """Provide the app on the database of the commands."""
    with create_test_app(f"sqlite:///{cli.instance}/eventcal.db", clock) as app:
        yield app
