"""Entity tags, and If-Match in edits (RFC 9110, section 13.1.1)."""

import pytest
from werkzeug.exceptions import PreconditionRequired

from eventcal.kit.errors import VersionConflict
from eventcal.web.http.conditional import (
    check_etag,
    check_revision,
    etag_of,
    matches_version,
    revision_etag,
    version_in_epoch,
)
from tests.representations import fetch_representation, make_representation


def test_etag_depends_on_body_or_on_revision_and_renderer() -> None:
    assert etag_of(b"abc") == "cf4ab791c62b8d2b2109c90275287816"
    assert revision_etag(17, "1") == revision_etag(17, "1")
    assert revision_etag(17, "1").startswith("17.")
    assert len({revision_etag(17, "1"), revision_etag(18, "1"), revision_etag(17, "2")}) == 3


@pytest.mark.parametrize("coding", [None, "br", "zstd", "gzip"])
def test_etag_of_any_encoding_matches_its_version_only(coding: str | None) -> None:
    resource = make_representation(etag=version_in_epoch("e1", revision_etag(17, "renderer")))
    tag = fetch_representation(resource, {"Accept-Encoding": coding} if coding else {}).headers["ETag"]
    assert [matches_version(tag, version, separator=".") for version in ("e1.17", "e1.18", "e1.1")] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        ("*", True),
        (' "17.ab" ', True),
        ('"16.ab", "17.cd-gzip"', True),
        ('"17"', True),
        # If-Match uses strong comparison (RFC 9110, section 13.1.1).
        ('W/"17.ab"', False),
        ('W/"17.ab", "16.ab"', False),
        ('"170.ab"', False),
        ('"017.ab"', False),
        ('"x17.ab"', False),
        ("17.ab", False),
        ("", False),
    ],
)
def test_if_match_accepts_star_or_list_in_any_encoding(header: str, *, matches: bool) -> None:
    assert matches_version(header, "17", separator=".") == matches


def test_missing_if_match_requires_precondition() -> None:
    with pytest.raises(PreconditionRequired):
        check_revision(None, 17, epoch="e1")


def test_if_match_of_another_revision_is_stale() -> None:
    check_revision('"e1.17.ab-br"', 17, epoch="e1")
    with pytest.raises(VersionConflict, match="current revision is 18"):
        check_revision('"e1.17.ab-br"', 18, epoch="e1")


@pytest.mark.parametrize("header", ['"abc"', '"abc-gzip"', '"x", "abc-br"', "*"])
def test_if_match_of_same_body_is_accepted(header: str) -> None:
    check_etag(header, "abc")


@pytest.mark.parametrize("header", ['"abd"', 'W/"abc"', "abc", ""])
def test_if_match_of_another_body_is_stale(header: str) -> None:
    with pytest.raises(VersionConflict):
        check_etag(header, "abc")
