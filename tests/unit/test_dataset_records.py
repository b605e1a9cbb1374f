import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventcal.datasets.parser import SECTIONS, UnreadableFile, parse_dataset, read_dataset_file, validate_dataset
from eventcal.web.schemas.dataset_records import load_record

JSON_DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
EVENT_FIELDS = ["title", "starts", "location", "tracks", "tiers", "sponsorships", "call_for_talks", "tags"]
EVENT_FIELDS += ["recurrence", "recurrence_overrides"]
TALK_FIELDS = ["event", "title", "starts", "speakers", "reprise_of", "tags", "state"]


def dataset_errors(given: object) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.detail) for fault in validate_dataset(given, load_record).errors]


def can_resolve_pointer(pointer: str, document: Any) -> bool:  # noqa: ANN401 - any JSON
    """Return true if the JSON pointer (RFC 6901) refers to a value or to a missing field of an object."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    for step in steps[:-1]:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return not steps or isinstance(document, dict) or int(steps[-1]) < len(document)


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys((*SECTIONS, "about", "calendar", "else"), JSON_DOCUMENTS))
    | JSON_DOCUMENTS
)
def test_any_json_is_accepted_or_has_errors_with_valid_pointers(given: Any) -> None:  # noqa: ANN401 - any JSON
    for pointer, detail in dataset_errors(given):
        assert can_resolve_pointer(pointer, given)
        assert detail


@given(
    st.fixed_dictionaries(
        {
            "events": st.lists(
                st.fixed_dictionaries({"slug": st.just("a")}, optional=dict.fromkeys(EVENT_FIELDS, JSON_DOCUMENTS))
            ),
            "talks": st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(TALK_FIELDS, JSON_DOCUMENTS))),
        }
    )
)
def test_every_record_error_has_a_valid_pointer(given: dict[str, Any]) -> None:
    for pointer, detail in dataset_errors(given):
        assert can_resolve_pointer(pointer, given)
        assert detail


def test_empty_object_is_an_empty_data_set() -> None:
    dataset = parse_dataset(b"{}", load_record, source_name="empty.json")
    assert (dataset.size, dataset.errors) == (0, ())


def test_sections_may_be_null_and_metadata_is_ignored() -> None:
    given: dict[str, object] = {"events": None, "talks": None, "speakers": None, "sponsors": None}
    given |= {"about": {"anything": 1}, "calendar": {"name": "Xen", "timezone": "UTC"}}
    assert dataset_errors(given) == []


@pytest.mark.parametrize("given", [[], "text", 5, None])
def test_data_set_must_be_an_object(given: object) -> None:
    assert dataset_errors(given) == [("", "must be a JSON object")]


def test_section_must_be_a_list() -> None:
    assert dataset_errors({"events": {}, "talks": "none"}) == [
        ("/events", "must be a list"),
        ("/talks", "must be a list"),
    ]


def test_every_record_of_a_section_is_checked() -> None:
    given = {"talks": [{"event": "a"}, {"event": "a", "title": "T", "speakers": "ada"}, {"event": "a", "title": ""}]}
    assert dataset_errors(given) == [
        ("/talks/0/title", "is required"),
        ("/talks/1/speakers", "must be a list"),
        ("/talks/2/title", "must not be blank"),
    ]


def test_talk_title_must_be_unique_within_its_event() -> None:
    talks = [{"event": event, "title": "T"} for event in ("a", "b", "a")]
    assert dataset_errors({"talks": talks}) == [("/talks/2/title", "is a duplicate of /talks/0")]


def test_byte_order_mark_is_accepted() -> None:
    assert parse_dataset(b"\xef\xbb\xbf{}", load_record, source_name="saved.json").errors == ()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "file.json is not JSON in UTF-8: Input is a zero-length, empty document, at line 1, column 1."),
        (b'{"events": [}', "file.json is not JSON in UTF-8"),
        ('{"about": "Schön"}'.encode("latin-1"), "file.json is not JSON in UTF-8"),
        (b'{"about": NaN}', "file.json is not JSON in UTF-8"),
        (b"[" * 100_000, "file.json is not JSON in UTF-8"),
    ],
)
def test_invalid_json_error_has_line_and_column(raw: bytes, says: str) -> None:
    with pytest.raises(UnreadableFile, match=r"line [0-9]+, column [0-9]+") as refusal:
        parse_dataset(raw, load_record, source_name="file.json")
    assert refusal.value.detail.startswith(says)


def test_missing_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"none\.json cannot be read: No such file or directory\."):
        read_dataset_file(tmp_path / "none.json", load_record)


def test_read_file_returns_its_records(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(json.dumps({"speakers": [{"slug": "ada", "name": "Ada"}]}), encoding="utf-8")
    [record] = read_dataset_file(path, load_record).records["speakers"]
    assert (record.pointer, record.fields, record.key) == ("/speakers/0", {"slug": "ada", "name": "Ada"}, "ada")


@pytest.mark.parametrize(
    ("fields", "pointer", "detail"),
    [
        ({"title": 5}, "/title", "must be a string"),
        ({"title": "a" * 201}, "/title", "must have at most 200 characters"),
        ({"nobody/knows~this": None}, "/nobody~1knows~0this", "is not a known field; remove it"),
        ({"starts": "2026-02-30"}, "/starts", "'2026-02-30' is not a valid date or time"),
        ({"kind": ["meetup"]}, "/kind", "must be one of: conference, meetup, hackathon, workshop, webinar"),
        ({"location": {"latitude": True}}, "/location/latitude", "must be a number"),
        ({"location": {"latitude": 90.5}}, "/location/latitude", "must be between -90 and 90"),
        ({"registration": {"price": {"amount": None}}}, "/registration/price/currency", "is required"),
        ({"co_located_with": [None]}, "/co_located_with/0", "must not be null; omit it instead"),
        ({"co_located_with": ["a"] * 21}, "/co_located_with", "must have at most 20 items"),
        ({"rooms": [{"name": "A", "capacity": 0}]}, "/rooms/0/capacity", "must be between 1 and 2147483647"),
        ({"rooms": [{"name": None}]}, "/rooms/0/name", "is required"),
        ({"call_for_talks": {"anywhere_on_earth": 1}}, "/call_for_talks/anywhere_on_earth", "must be true or false"),
        ({"recurrence_overrides": []}, "/recurrence_overrides", "must be a JSON object"),
        (
            {"recurrence_overrides": {"2026-06-17": {"excluded": False}}},
            "/recurrence_overrides/2026-06-17/excluded",
            "must be true, or null to remove it",
        ),
        (
            {"recurrence_overrides": {f"2026-{number}": None for number in range(201)}},
            "/recurrence_overrides",
            "must have at most 200 occurrences",
        ),
    ],
)
def test_invalid_event_field_is_rejected_with_its_pointer(fields: dict[str, object], pointer: str, detail: str) -> None:
    assert (f"/events/0{pointer}", detail) in dataset_errors({"events": [{"slug": "a", **fields}]})


def test_null_of_required_field_is_dropped_and_null_of_optional_field_is_kept() -> None:
    kept: dict[str, object] = {"slug": "a", "url": None, "location": {"latitude": 52.0}}
    kept |= {"rooms": [{"name": "A", "capacity": 5}]}
    kept |= {"recurrence_overrides": {"2026-06-17": {"excluded": True}, "2026-06-18": None}}
    [event] = validate_dataset({"events": [kept | {"title": None}]}, load_record).records["events"]
    assert event.fields == kept


def test_record_reports_at_most_one_hundred_errors_in_stable_order() -> None:
    found = dataset_errors({"talks": [{f"x{number:03}": 1 for number in reversed(range(150))}]})
    assert [pointer for pointer, _ in found] == ["/talks/0/event", "/talks/0/title"] + [
        f"/talks/0/x{number:03}" for number in range(98)
    ]
