"""The calendar program khal, which shows the entries that vdirsyncer copies from a feed."""

import os
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.readers.libraries import Occurrence

_VDIRSYNCER_SETTINGS = """
[general]
status_path = "{folder}/status/"
[pair feed_and_folder]
a = "feed"
b = "folder"
collections = null
[storage feed]
type = "singlefile"
path = "{folder}/feed.ics"
[storage folder]
type = "filesystem"
path = "{folder}/entries"
fileext = ".ics"
"""
_KHAL_SETTINGS = """
[calendars]
[[feed]]
path = {folder}/entries
[sqlite]
path = {folder}/khal.db
[locale]
local_timezone = UTC
default_timezone = UTC
"""
# The command `khal list` queries each day separately.
_KHAL_SCRIPT = """
import sys
from datetime import datetime, timezone
from khal.cli import build_collection
from khal.settings import get_config

collection = build_collection(get_config(sys.argv[1]), None)
first, last = (datetime.fromisoformat(day).replace(tzinfo=timezone.utc) for day in sys.argv[2:])
for event in collection.get_localized(first, last):
    print(int(event.start.timestamp()), int(event.end.timestamp()), event.summary, sep="\\t")
"""


def read_with_vdirsyncer_and_khal(feed: str, first: date, last: date, *, folder: Path) -> set[Occurrence]:
    """Return the occurrences between two days, except those of all-day events. The folder must be empty.

    vdirsyncer copies each entry of the feed to a file in the folder.
    """
    vdirsyncer, khal = _find_program("vdirsyncer"), _find_program("khal")
    (folder / "feed.ics").write_text(feed, encoding="utf-8", newline="")
    (folder / "entries").mkdir()
    for name, text in (("vdirsyncer", _VDIRSYNCER_SETTINGS), ("khal", _KHAL_SETTINGS)):
        (folder / name).write_text(text.format(folder=folder), encoding="utf-8")
    _run(vdirsyncer, "--config", str(folder / "vdirsyncer"), "discover", accepted="y\n" * 4)
    _run(vdirsyncer, "--config", str(folder / "vdirsyncer"), "sync")
    with Path(khal).open(encoding="utf-8") as file:
        interpreter = file.readline().removeprefix("#!").split()
    arguments = [str(folder / "khal"), first.isoformat(), last.isoformat()]
    lines = _run(*interpreter, "-c", _KHAL_SCRIPT, *arguments).splitlines()
    return {
        Occurrence(title, datetime.fromtimestamp(int(start), UTC), datetime.fromtimestamp(int(end), UTC))
        for start, end, title in (line.split("\t") for line in lines)
    }


def _find_program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed: install the Debian package {name}")
    return path


def _run(*command: str, accepted: str = "") -> str:
    done = subprocess.run(  # noqa: S603 - an installed program with arguments of the tests
        command,
        check=False,
        capture_output=True,
        text=True,
        input=accepted,
        # The unusual time zone reveals code that relies on the time zone of the machine.
        env={**os.environ, "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
