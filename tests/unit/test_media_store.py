"""The gallery stores each picture once, completely or not at all, until it is no longer referenced."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from eventcal.media.images import ImageSpec, Picture
from eventcal.media.reencode import reencode_picture
from eventcal.media.store import UNUSED_RETENTION, MediaStore
from tests.clocks import NOON
from tests.images import BLUE, make_image


@pytest.fixture
def media_store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "instance" / "media")


@pytest.fixture
def picture() -> Picture:
    return reencode_picture(make_image(), ImageSpec.PORTRAIT)


def stored_files(media_store: MediaStore) -> list[str]:
    return sorted(file.relative_to(media_store.folder).as_posix() for file in _iter_files(media_store))


def _iter_files(media_store: MediaStore) -> Iterator[Path]:
    return (file for file in media_store.folder.rglob("*") if file.is_file())


def test_stored_picture_is_found_by_its_name(media_store: MediaStore, picture: Picture) -> None:
    assert (media_store.open(f"{picture.digest}.webp"), media_store.exists(f"{picture.digest}.webp")) == (None, False)
    name = media_store.save(picture, now=NOON)
    assert name == f"{picture.digest}.webp"
    assert (media_store.open(name), media_store.exists(name)) == (picture.body, True)
    assert stored_files(media_store) == [f"{picture.digest[:2]}/{name}"]


def test_concurrent_uploads_of_one_picture_create_one_file(media_store: MediaStore, picture: Picture) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: media_store.save(picture, now=NOON), range(40)))
    assert len(names) == len(stored_files(media_store)) == 1


@pytest.mark.parametrize("end", ["", ".webp", "/../secret_key", ".webp\n", ".WEBP", ".png"])
def test_invalid_picture_name_is_not_found(media_store: MediaStore, picture: Picture, end: str) -> None:
    media_store.save(picture, now=NOON)
    (media_store.folder.parent / "secret_key").write_text("secret")
    for name in (f"{picture.digest[:63]}{end}", f"..{end}", f"{picture.digest[:2]}/{picture.digest}{end}", "\x00"):
        assert (media_store.open(name), media_store.exists(name)) == (None, False)


def test_full_disk_leaves_no_partial_file(
    media_store: MediaStore, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        media_store.save(picture, now=NOON)
    assert stored_files(media_store) == []


def test_unreferenced_picture_is_pruned_after_the_grace_period(media_store: MediaStore, picture: Picture) -> None:
    named = media_store.save(picture, now=NOON)
    other = media_store.save(reencode_picture(make_image(colour=BLUE), ImageSpec.PORTRAIT), now=NOON)
    assert media_store.delete_unused({named}, before=NOON + UNUSED_RETENTION - UNUSED_RETENTION) == 0
    assert media_store.delete_unused({named}, before=NOON + timedelta(seconds=1)) == 1
    assert (media_store.exists(named), media_store.exists(other)) == (True, False)
    assert media_store.delete_unused({named}, before=NOON + timedelta(days=365)) == 0


def test_storing_a_picture_again_renews_its_grace_period(media_store: MediaStore, picture: Picture) -> None:
    media_store.save(picture, now=NOON)
    media_store.save(picture, now=NOON + 2 * UNUSED_RETENTION)
    assert media_store.delete_unused(set(), before=NOON + UNUSED_RETENTION) == 0


def test_partially_written_file_is_pruned(media_store: MediaStore, picture: Picture) -> None:
    name = media_store.save(picture, now=NOON)
    half = media_store.folder / name[:2] / "tmpabcd.part"
    half.write_bytes(b"RIFF")
    os.utime(half, (NOON.timestamp(), NOON.timestamp()))
    assert media_store.delete_unused({name}, before=NOON + UNUSED_RETENTION) == 1
    assert stored_files(media_store) == [f"{name[:2]}/{name}"]


def test_pruning_an_empty_gallery_removes_nothing(media_store: MediaStore) -> None:
    assert media_store.delete_unused(set(), before=NOON) == 0
    assert not media_store.folder.exists()
