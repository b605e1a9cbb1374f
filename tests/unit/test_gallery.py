"""Pictures are kept whole or not at all, each once, until nobody names them."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from eventcal.media.gallery import GRACE, Gallery
from eventcal.media.picture import Frame, Picture, read_picture
from tests.clocks import NOON
from tests.images import BLUE, painted


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    return Gallery(tmp_path / "instance" / "media")


@pytest.fixture
def picture() -> Picture:
    return read_picture(painted(), Frame.PORTRAIT)


def files(gallery: Gallery) -> list[str]:
    return sorted(file.relative_to(gallery.folder).as_posix() for file in _all(gallery))


def _all(gallery: Gallery) -> Iterator[Path]:
    return (file for file in gallery.folder.rglob("*") if file.is_file())


def test_a_picture_is_found_under_the_name_it_got(gallery: Gallery, picture: Picture) -> None:
    assert (gallery.find(f"{picture.digest}.webp"), gallery.has(f"{picture.digest}.webp")) == (None, False)
    name = gallery.keep(picture, now=NOON)
    assert name == f"{picture.digest}.webp"
    assert (gallery.find(name), gallery.has(name)) == (picture.body, True)
    assert files(gallery) == [f"{picture.digest[:2]}/{name}"]


def test_the_same_picture_many_times_at_once_is_one_file(gallery: Gallery, picture: Picture) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: gallery.keep(picture, now=NOON), range(40)))
    assert len(names) == len(files(gallery)) == 1


@pytest.mark.parametrize("end", ["", ".webp", "/../secret_key", ".webp\n", ".WEBP", ".png"])
def test_what_is_no_name_of_a_picture_is_not_looked_for(gallery: Gallery, picture: Picture, end: str) -> None:
    gallery.keep(picture, now=NOON)
    (gallery.folder.parent / "secret_key").write_text("secret")
    for name in (f"{picture.digest[:63]}{end}", f"..{end}", f"{picture.digest[:2]}/{picture.digest}{end}", "\x00"):
        assert (gallery.find(name), gallery.has(name)) == (None, False)


def test_a_disk_that_is_full_leaves_nothing(
    gallery: Gallery, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        gallery.keep(picture, now=NOON)
    assert files(gallery) == []


def test_what_nothing_names_goes_after_a_day(gallery: Gallery, picture: Picture) -> None:
    named = gallery.keep(picture, now=NOON)
    other = gallery.keep(read_picture(painted(colour=BLUE), Frame.PORTRAIT), now=NOON)
    assert gallery.prune({named}, before=NOON + GRACE - GRACE) == 0
    assert gallery.prune({named}, before=NOON + timedelta(seconds=1)) == 1
    assert (gallery.has(named), gallery.has(other)) == (True, False)
    assert gallery.prune({named}, before=NOON + timedelta(days=365)) == 0


def test_what_is_sent_again_is_as_if_it_were_new(gallery: Gallery, picture: Picture) -> None:
    gallery.keep(picture, now=NOON)
    gallery.keep(picture, now=NOON + 2 * GRACE)
    assert gallery.prune(set(), before=NOON + GRACE) == 0


def test_what_was_left_half_written_goes_too(gallery: Gallery, picture: Picture) -> None:
    name = gallery.keep(picture, now=NOON)
    half = gallery.folder / name[:2] / "tmpabcd.part"
    half.write_bytes(b"RIFF")
    os.utime(half, (NOON.timestamp(), NOON.timestamp()))
    assert gallery.prune({name}, before=NOON + GRACE) == 1
    assert files(gallery) == [f"{name[:2]}/{name}"]


def test_where_no_picture_ever_came_there_is_nothing_to_remove(gallery: Gallery) -> None:
    assert gallery.prune(set(), before=NOON) == 0
    assert not gallery.folder.exists()
