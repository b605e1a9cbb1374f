"""Storage of images as files named by the hash of their content, so that equal images share a file."""

import os
import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from eventcal.media.images import Picture

UNUSED_RETENTION = timedelta(days=1)
_FILE_NAME = re.compile(r"[0-9a-f]{64}\.webp", re.ASCII)


@dataclass(frozen=True)
class MediaStore:
    """A folder of image files, which is created when the first image is saved."""

    folder: Path

    def save(self, picture: Picture, *, now: datetime) -> str:
        """Write an image to disk and return its name.

        Call `save` in the transaction that stores the name, so that `delete_unused` cannot delete the new file.
        """
        name = f"{picture.digest}.webp"
        there = self._path(name)
        if not there.exists():
            _write_atomically(there, picture.body)
        os.utime(there, (now.timestamp(), now.timestamp()))
        return name

    def open(self, name: str) -> bytes | None:
        """Return the content of an image, or None if no image has this name. `name` can be any string."""
        if not _FILE_NAME.fullmatch(name):
            return None
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def exists(self, name: str) -> bool:
        return bool(_FILE_NAME.fullmatch(name)) and self._path(name).is_file()

    def delete_unused(self, used_names: Collection[str], *, before: datetime) -> int:
        """Delete unused files older than `before`, including partial uploads. Return the number of deleted files."""
        files = [file for file in self.folder.glob("[0-9a-f][0-9a-f]/*") if file.is_file()]
        gone = [file for file in files if file.name not in used_names and file.stat().st_mtime < before.timestamp()]
        for file in gone:
            file.unlink(missing_ok=True)
        return len(gone)

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name


def _write_atomically(path: Path, body: bytes) -> None:
    # Only the owner can list the images, because some of them belong to objects that are not public.
    path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor, made = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(made).replace(path)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    _sync_folder(path.parent.parent)


def _sync_folder(folder: Path) -> None:
    """Flush the directory entries to disk, so that new files survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
