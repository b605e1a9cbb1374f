import subprocess
import sys
from pathlib import Path

import pytest

from eventcal.cli import main
from eventcal.cli.root_group import LazyCommand

ROOT = Path(__file__).parents[3]
RUN_COMMAND = "from eventcal.cli import main; main()"


def list_imported_packages(program: str, *arguments: str) -> set[str]:
    """Return the names of the packages that a program imports, even if the program exits with an error."""
    print_modules = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    run = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", f"{print_modules}; {program}", *arguments],
        cwd=ROOT,
        input="BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return {name.partition(".")[0] for name in run.stderr.split()}


@pytest.mark.parametrize("name", main.commands)
def test_listed_help_is_the_help_of_the_command(name: str) -> None:
    listed = main.commands[name]
    assert isinstance(listed, LazyCommand)
    command = listed.load()
    assert command.name == name
    for limit in (45, 200):
        assert listed.get_short_help_str(limit) == command.get_short_help_str(limit)


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("lint", "-")], ids=" ".join)
def test_command_without_database_imports_neither_app_nor_server(arguments: tuple[str, ...]) -> None:
    imported = list_imported_packages(RUN_COMMAND, *arguments)
    assert {"click", "eventcal"} <= imported
    assert imported & {"sqlalchemy", "flask", "marshmallow", "icalendar", "granian"} == set()


def test_master_process_of_serve_does_not_import_the_app() -> None:
    imported = list_imported_packages("import eventcal.cli.server")
    assert {"granian", "sqlalchemy"} <= imported
    assert imported & {"flask", "marshmallow", "icalendar", "PIL", "cryptography", "alembic"} == set()
