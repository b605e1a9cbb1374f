"""Where pictures are kept: one file each, named by its bytes, so that the same picture twice is one file."""

import os
import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from eventcal.media.picture import Picture

GRACE = timedelta(days=1)
"""How long a picture stays that nothing names."""

_NAME = re.compile(r"[0-9a-f]{64}\.webp", re.ASCII)


@dataclass(frozen=True)
class Gallery:
    """The pictures in a folder, which is made when the first one comes."""

    folder: Path

    def keep(self, picture: Picture, *, now: datetime) -> str:
        """Keep a picture, and return its name once it is on the disk.

        Call it inside the unit of work that names it: `prune` is in one too, so neither sees half of the other.
        """
        name = f"{picture.digest}.webp"
        there = self._path(name)
        if not there.exists():
            _write(there, picture.body)
        os.utime(there, (now.timestamp(), now.timestamp()))
        return name

    def find(self, name: str) -> bytes | None:
        """Return the bytes of the picture by this name, whatever stands in it; None where there is none."""
        if not _NAME.fullmatch(name):
            return None
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def has(self, name: str) -> bool:
        """Say whether there is a picture by this name."""
        return bool(_NAME.fullmatch(name)) and self._path(name).is_file()

    def prune(self, named: Collection[str], *, before: datetime) -> int:
        """Remove what is older than `before` and not named, interrupted uploads too. Returns the number of files."""
        files = [file for file in self.folder.glob("[0-9a-f][0-9a-f]/*") if file.is_file()]
        gone = [file for file in files if file.name not in named and file.stat().st_mtime < before.timestamp()]
        for file in gone:
            file.unlink(missing_ok=True)
        return len(gone)

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name


def _write(there: Path, body: bytes) -> None:
    """Write a file that is there whole or not at all, also after the power went."""
    there.parent.mkdir(parents=True, exist_ok=True)
    descriptor, made = tempfile.mkstemp(dir=there.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(made).replace(there)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
    _sync_folder(there.parent)
    _sync_folder(there.parent.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder outlive the power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
