"""Data sets for tests, and the database content before and after loading."""

from copy import deepcopy
from typing import Any

from sqlalchemy import select

from eventcal.datasets.import_service import InvalidDataset, LoadReport, load_dataset
from eventcal.datasets.parser import validate_dataset
from eventcal.feeds.entries.entry_builder import EntryBuilder
from eventcal.feeds.index.feed_index import FeedIndex
from eventcal.kit.clock import Clock
from eventcal.kit.database import Database
from eventcal.kit.retry import call_again_in_next_second
from eventcal.schema import metadata
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.schemas.dataset_records import load_record
from eventcal.web.schemas.json_resource_renderer import JsonResourceRenderer

Json = dict[str, Any]

SPEAKER_RECORD: Json = {"slug": "ada", "name": "Ada Lovelace", "affiliation": "Analytical Engines"}
EVENT_RECORD: Json = {
    "slug": "summit",
    "title": "Summit",
    "timezone": "Europe/Berlin",
    "starts": "2026-06-10",
    "ends": "2026-06-12",
}
TALK_RECORD: Json = {"event": "summit", "title": "Xen on ARM", "state": "confirmed", "speakers": ["ada"]}


def open_indexed_database(database_url: str, clock: Clock) -> Database:
    """Return a database with the feed index as its change hook, as in the application."""
    links = UrlBuilder("https://example.org")
    ledger = FeedIndex(EntryBuilder(links=links, domain="example.org"), JsonResourceRenderer(links))
    return Database(database_url, clock=clock, hooks=[ledger.update_entries])


def load_sections(calendar: Database, **sections: Any) -> LoadReport:
    def load() -> LoadReport:
        with calendar.unit_of_work() as unit:
            return load_dataset(unit, validate_dataset(deepcopy(sections), load_record))

    return call_again_in_next_second(load, clock=calendar.clock)


def load_errors(calendar: Database, **sections: Any) -> list[tuple[str, str]]:
    """Return the path and message of each error in a data set that must not change the database."""
    before = list_all_rows(calendar)
    try:
        load_sections(calendar, **sections)
    except InvalidDataset as refusal:
        assert list_all_rows(calendar) == before
        return [(fault.pointer, fault.detail) for fault in refusal.errors]
    raise AssertionError("it was loaded")


def list_all_rows(calendar: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables."""
    with calendar.read_connection() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }
