"""The gallery stores each picture once, completely or not at all, until it is no longer referenced."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from eventcal.media.images import ImageSpec, Picture, reencode_picture
from eventcal.media.store import UNUSED_RETENTION, MediaStore
from tests.clocks import NOON
from tests.images import BLUE, painted


@pytest.fixture
def gallery(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "instance" / "media")


@pytest.fixture
def picture() -> Picture:
    return reencode_picture(painted(), ImageSpec.PORTRAIT)


def files(gallery: MediaStore) -> list[str]:
    return sorted(file.relative_to(gallery.folder).as_posix() for file in _all(gallery))


def _all(gallery: MediaStore) -> Iterator[Path]:
    return (file for file in gallery.folder.rglob("*") if file.is_file())


def test_stored_picture_is_found_by_its_name(gallery: MediaStore, picture: Picture) -> None:
    assert (gallery.open(f"{picture.digest}.webp"), gallery.exists(f"{picture.digest}.webp")) == (None, False)
    name = gallery.save(picture, now=NOON)
    assert name == f"{picture.digest}.webp"
    assert (gallery.open(name), gallery.exists(name)) == (picture.body, True)
    assert files(gallery) == [f"{picture.digest[:2]}/{name}"]


def test_concurrent_uploads_of_one_picture_create_one_file(gallery: MediaStore, picture: Picture) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: gallery.save(picture, now=NOON), range(40)))
    assert len(names) == len(files(gallery)) == 1


@pytest.mark.parametrize("end", ["", ".webp", "/../secret_key", ".webp\n", ".WEBP", ".png"])
def test_invalid_picture_name_is_not_found(gallery: MediaStore, picture: Picture, end: str) -> None:
    gallery.save(picture, now=NOON)
    (gallery.folder.parent / "secret_key").write_text("secret")
    for name in (f"{picture.digest[:63]}{end}", f"..{end}", f"{picture.digest[:2]}/{picture.digest}{end}", "\x00"):
        assert (gallery.open(name), gallery.exists(name)) == (None, False)


def test_full_disk_leaves_no_partial_file(
    gallery: MediaStore, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        gallery.save(picture, now=NOON)
    assert files(gallery) == []


def test_unreferenced_picture_is_pruned_after_the_grace_period(gallery: MediaStore, picture: Picture) -> None:
    named = gallery.save(picture, now=NOON)
    other = gallery.save(reencode_picture(painted(colour=BLUE), ImageSpec.PORTRAIT), now=NOON)
    assert gallery.delete_unused({named}, before=NOON + UNUSED_RETENTION - UNUSED_RETENTION) == 0
    assert gallery.delete_unused({named}, before=NOON + timedelta(seconds=1)) == 1
    assert (gallery.exists(named), gallery.exists(other)) == (True, False)
    assert gallery.delete_unused({named}, before=NOON + timedelta(days=365)) == 0


def test_storing_a_picture_again_renews_its_grace_period(gallery: MediaStore, picture: Picture) -> None:
    gallery.save(picture, now=NOON)
    gallery.save(picture, now=NOON + 2 * UNUSED_RETENTION)
    assert gallery.delete_unused(set(), before=NOON + UNUSED_RETENTION) == 0


def test_partially_written_file_is_pruned(gallery: MediaStore, picture: Picture) -> None:
    name = gallery.save(picture, now=NOON)
    half = gallery.folder / name[:2] / "tmpabcd.part"
    half.write_bytes(b"RIFF")
    os.utime(half, (NOON.timestamp(), NOON.timestamp()))
    assert gallery.delete_unused({name}, before=NOON + UNUSED_RETENTION) == 1
    assert files(gallery) == [f"{name[:2]}/{name}"]


def test_pruning_an_empty_gallery_removes_nothing(gallery: MediaStore) -> None:
    assert gallery.delete_unused(set(), before=NOON) == 0
    assert not gallery.folder.exists()
