"""`python -m tests.comparison record DIRECTORY` and `python -m tests.comparison compare BEFORE AFTER`."""

import sys
from pathlib import Path
from time import monotonic

import click

from tests.comparison.compare_files import compare_recordings as compare_folders


@click.group()
def main() -> None:
    """Record everything that the application serves, and compare two recordings."""


@main.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def record(directory: Path) -> None:
    """Record every response into DIRECTORY, which must not exist or be empty."""
    # The import inside the function allows comparisons without an installed application.
    from tests.comparison.recording import IncompleteRecordingError, record_all as record_into  # noqa: I001, PLC0415 - as above

    if directory.exists() and any(directory.iterdir()):
        raise click.ClickException(f"{directory} is not empty; remove it first.")
    started = monotonic()
    try:
        count = record_into(directory)
    except IncompleteRecordingError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{count} files in {directory}, after {monotonic() - started:.0f} s")


@main.command()
@click.argument("before", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("after", type=click.Path(exists=True, file_okay=False, path_type=Path))
def compare(before: Path, after: Path) -> None:
    """List the files that are missing, new or different in AFTER; exit with 1 if there are any."""
    found = compare_folders(before, after)
    for line in found.report_lines():
        click.echo(line)
    sys.exit(0 if found.is_equal else 1)


if __name__ == "__main__":
    main()
