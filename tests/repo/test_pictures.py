"""The README's pictures are there, and are what a command takes."""

import re
from pathlib import Path

from tests.browser.for_readme import PICTURES

ROOT = Path(__file__).parents[2]


def test_every_picture_in_the_readme_is_one_that_the_command_takes_and_was_taken() -> None:
    shown = set(re.findall(r"!\[[^\]]+\]\((docs/pictures/[^)]+)\)", (ROOT / "README.md").read_text()))
    taken = {f"docs/pictures/{name}.png" for name in PICTURES}
    assert shown == taken
    assert all((ROOT / one).read_bytes().startswith(b"\x89PNG") for one in taken)


def test_the_pictures_are_small_enough_for_a_checkout() -> None:
    assert sum(one.stat().st_size for one in (ROOT / "docs" / "pictures").iterdir()) < 300_000
