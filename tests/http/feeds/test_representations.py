"""Rendered bodies and their encodings."""

from dataclasses import replace
from typing import NamedTuple

from tests.representations import NOW, make_representation

CODINGS = ("br", "zstd", "gzip")


def test_equal_bodies_have_equal_bytes_in_every_encoding() -> None:
    one, other = make_representation(), make_representation()
    for coding in CODINGS:
        assert one.encoded_body(coding) == other.encoded_body(coding)


def test_each_encoding_is_computed_once() -> None:
    rendition = make_representation()
    assert rendition.encoded_body("gzip") is rendition.encoded_body("gzip")


class FakeOrigin(NamedTuple):
    """A stand-in for the origin of a rendition."""

    size: int

    def memory_size(self) -> int:
        """Return the approximate size in bytes."""
        return self.size


def test_copy_with_another_state_keeps_the_encodings() -> None:
    before = make_representation()
    made = [before.encoded_body(coding) for coding in CODINGS]
    again = replace(before, last_modified=NOW, source=FakeOrigin(5))
    assert all(again.encoded_body(coding) is one for coding, one in zip(CODINGS, made, strict=True))
    assert (again.body, again.etag, again.last_modified, again.source) == (before.body, "abc", NOW, FakeOrigin(5))


def test_encoding_computed_later_is_shared_with_copies() -> None:
    before = make_representation()
    again = replace(before, last_modified=NOW, source=None)
    assert again.encoded_body("br") is before.encoded_body("br")


def test_weight_includes_body_origin_and_encodings() -> None:
    plain, made_on = make_representation(), make_representation(source=FakeOrigin(10_000))
    assert (plain.memory_size(), made_on.memory_size()) == (1700, 11_700)
    packed = plain.encoded_body("gzip")
    assert plain.memory_size() == 1700 + len(packed)
