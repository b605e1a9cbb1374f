"""Tests that the screenshots in the README exist and that the command takes them."""

import re
from pathlib import Path

from tests.browser.readme_screenshots import SCREENSHOTS

ROOT = Path(__file__).parents[2]


def test_readme_shows_exactly_the_pictures_taken_by_the_command() -> None:
    shown = set(re.findall(r"!\[[^\]]+\]\((docs/pictures/[^)]+)\)", (ROOT / "README.md").read_text()))
    taken = {f"docs/pictures/{name}.png" for name in SCREENSHOTS}
    assert shown == taken
    assert all((ROOT / one).read_bytes().startswith(b"\x89PNG") for one in taken)


def test_pictures_are_smaller_than_300_kb_in_total() -> None:
    assert sum(one.stat().st_size for one in (ROOT / "docs" / "pictures").iterdir()) < 300_000
