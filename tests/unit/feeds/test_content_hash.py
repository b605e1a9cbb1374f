"""Content hashes are stored in the database, so a release must compute the same ones as its predecessors."""

from dataclasses import replace

import pytest

from eventcal.feeds.index.entry_writer import hash_content
from tests.feed_support.sample_entries import TALK_ENTRY


@pytest.mark.parametrize(
    ("participants", "digest"),
    [
        (0, "14048c77a85dc2b8af130d55bb375de5afe9d62a3d132db017e7954c813b91de"),
        (1, "0329703068497f2aac816a01b9bf7f8c36fcb06fe938d79e705651f05f593f43"),
        (2, "76321c8fa2c84325f6afbb325ac08cf2cd775b2844264147ea8d9acad7c21818"),
    ],
)
def test_content_hash_equals_that_of_earlier_releases(participants: int, digest: str) -> None:
    assert (
        hash_content(replace(TALK_ENTRY, participants=TALK_ENTRY.participants[:participants]), "BEGIN:VEVENT") == digest
    )
