"""Tests of the comparison of recordings, and of masks for values that differ in every recording."""

from pathlib import Path

import pytest

from tests.comparison.compare_files import compare_recordings
from tests.comparison.masks import mask_cookie, mask_headers, mask_text


def write_recording(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def test_equal_recordings_have_no_differences(tmp_path: Path) -> None:
    before, after = (write_recording(tmp_path / name, one="200 OK\n\nbody", two="404") for name in ("before", "after"))
    found = compare_recordings(before, after)
    assert found.is_equal
    assert list(found.report_lines()) == ["0 missing, 0 new, 0 different"]


def test_missing_new_and_changed_files_are_reported(tmp_path: Path) -> None:
    before = write_recording(tmp_path / "before", gone="x", same="x", changed="200 OK\nETag: a\n\nbody")
    after = write_recording(tmp_path / "after", added="x", same="x", changed="200 OK\nETag: b\n\nbody")
    found = compare_recordings(before, after)
    assert not found.is_equal
    assert (found.missing, found.new, list(found.changed)) == (["gone.txt"], ["added.txt"], ["changed.txt"])
    assert found.changed["changed.txt"] == ["@@ -1,4 +1,4 @@", " 200 OK", "-ETag: a", "+ETag: b", " ", " body"]
    assert list(found.report_lines())[-1] == "1 missing, 1 new, 1 different"


def test_diff_shows_the_body_before_headers_derived_from_it(tmp_path: Path) -> None:
    text = "200 OK\nContent-Length: {0}\nETag: {0}\nVary: Accept\n\nbody {0}"
    before, after = (write_recording(tmp_path / name, one=text.format(len(name))) for name in ("before", "after"))
    assert compare_recordings(before, after).changed["one.txt"] == [
        "@@ -1,3 +1,3 @@",
        " Vary: Accept",
        " ",
        "-body 6",
        "+body 5",
    ]
    write_recording(tmp_path / "longer", one="200 OK\nETag: 6\n\nbody")
    write_recording(tmp_path / "other", one="200 OK\nETag: 5\n\nbody")
    assert "-ETag: 6" in compare_recordings(tmp_path / "longer", tmp_path / "other").changed["one.txt"]


def test_files_in_folders_are_compared(tmp_path: Path) -> None:
    before, after = (write_recording(tmp_path / name, one="x") for name in ("before", "after"))
    write_recording(after / "deeper", two="x")
    assert compare_recordings(before, after).new == ["deeper/two.txt"]


def test_diff_is_limited_to_a_few_short_lines(tmp_path: Path) -> None:
    before = write_recording(tmp_path / "before", one="x" * 1_000_000 + "\n" + "same\n" * 1000)
    after = write_recording(tmp_path / "after", one="x" * 500_000 + "y" + "x" * 499_999 + "\n" + "other\n" * 1000)
    shown = compare_recordings(before, after).changed["one.txt"]
    assert any("y" in line for line in shown)
    assert len(shown) <= 12
    assert max(map(len, shown)) < 250


def test_diff_shows_line_endings_and_undecodable_bytes(tmp_path: Path) -> None:
    before, after = (write_recording(tmp_path / name, one="BEGIN:VCALENDAR\r\n") for name in ("before", "after"))
    (after / "one.txt").write_bytes(b"BEGIN:VCALENDAR\n\xff")
    assert compare_recordings(before, after).changed["one.txt"][1:] == [
        r"-BEGIN:VCALENDAR\r",
        "-",
        "+BEGIN:VCALENDAR",
        r"+\\xff",
    ]


def test_missing_folder_raises_not_a_directory_error(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        compare_recordings(tmp_path, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            '<input type="hidden" name="csrf_token" value="IjA.b-c">',
            '<input type="hidden" name="csrf_token" value="{csrf_token}">',
        ),
        (
            '<input type="hidden" name="form_key" value="a-b_c">',
            '<input type="hidden" name="form_key" value="{form_key}">',
        ),
        ('{"csrf_token":"IjA.b-c","x":1}', '{"csrf_token":"{csrf_token}","x":1}'),
        ("https://x.example/reset?token=WyJhIl0.abcdefghijklmnop-_", "https://x.example/reset?token={token}"),
        ("/login?next=%2Freset%3Ftoken%3DWyJhIl0.abcdefghijklmnop", "/login?next=%2Freset%3Ftoken%3D{token}"),
        ("&#34;challenge&#34;: &#34;a-_1&#34;", "&#34;challenge&#34;: &#34;{challenge}&#34;"),
        ("<code>ABCD-2345-WXYZ</code>", "<code>{totp_secret}</code>"),
        ("<code>ab12-cd34-ef56-gh78</code>", "<code>{recovery_code}</code>"),
    ],
)
def test_random_values_are_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        '<input type="hidden" name="revision" value="3">',
        '{"token":"evc_abcdefghijklmnopqrstuvwxyz"}',
        "<code>make run</code>",
        '<svg class="qr" viewBox="0 0 1 1"><path d="M0 0"/></svg>',
        "/confirm?token=nonsense",
    ],
)
def test_other_values_are_not_masked(text: str) -> None:
    assert mask_text(text) == text


def test_qr_code_of_a_random_secret_is_masked() -> None:
    page = '<svg class="qr" viewBox="0 0 1 1"><path d="M0 0"/></svg><a href="otpauth://totp/x:y?secret=ABC234&amp;issuer=x">'
    masked = '<svg class="qr" viewBox="0 0 1 1"><path d="{qr_code}"/></svg><a href="otpauth://totp/x:y?secret={totp_secret}&amp;issuer=x">'
    assert mask_text(page) == masked


def test_session_cookie_value_and_expiry_date_are_masked() -> None:
    set_it = "eventcal=abc.def; Expires=Mon, 30 Nov 2026 09:00:00 GMT; Secure; Path=/"
    assert mask_cookie(set_it) == "eventcal={cookie}; Expires={date}; Secure; Path=/"


@pytest.mark.parametrize(
    "header", ["eventcal=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/", "__Host-language=de; Path=/"]
)
def test_cleared_cookie_and_cookie_without_secret_are_recorded_unchanged(header: str) -> None:
    assert mask_cookie(header) == header


def test_expiry_date_of_every_cookie_is_masked() -> None:
    said = "language=de; Expires=Tue, 30 Nov 2027 09:44:53 GMT; Max-Age=31536000"
    assert mask_cookie(said) == "language=de; Expires={date}; Max-Age=31536000"


def test_headers_of_a_static_file_do_not_depend_on_the_checkout() -> None:
    headers = [
        ("Last-Modified", "Mon, 30 Nov 2026 09:15:19 GMT"),
        ("ETag", '"1796030119.56-24297-15884"'),
        ("Age", "1"),
    ]
    assert mask_headers(headers) == [("Age", "1"), ("ETag", "{etag}"), ("Last-Modified", "{last-modified}")]


def test_allowed_methods_are_sorted() -> None:
    assert mask_headers([("Allow", "OPTIONS, GET, HEAD")]) == [("Allow", "GET, HEAD, OPTIONS")]


def test_headers_of_other_responses_are_recorded_unchanged() -> None:
    headers = [("ETag", '"76c13017"'), ("Last-Modified", "Sun, 01 Mar 2026 12:00:00 GMT"), ("Vary", "Cookie")]
    assert mask_headers(headers) == headers
