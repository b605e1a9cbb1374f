"""Counting feed requests: storing, merging and pruning."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from eventcal.config import Settings
from eventcal.feeds import fetch_counts
from eventcal.feeds.clients import ClientKind
from eventcal.feeds.fetch_counts import (
    FETCH_RETENTION,
    FeedFetches,
    delete_old_fetches,
    list_feed_fetches,
    record_fetches,
)
from eventcal.kit.database import Database
from eventcal.kit.errors import DatabaseBusy
from eventcal.retention import delete_expired_data
from eventcal.web.process_state import FetchCounter
from tests.clocks import NOON, FixedClock
from tests.sql_statements import record_statements

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def make_fetches(feed: str = "a", client: ClientKind = ClientKind.GOOGLE, **fields: Any) -> FeedFetches:
    moment = fields.pop("at", NOON)
    values = {"first_at": moment, "last_at": moment, "last_status": 200, "fetches": 1, "fetches_today": 1} | fields
    return FeedFetches(feed=feed, client=client, **values)


def store_fetches(database: Database, *batch: FeedFetches) -> None:
    with database.unit_of_work() as unit:
        record_fetches(unit.session, batch)


def load_fetches(database: Database) -> list[dict[str, Any]]:
    """Return all stored rows, sorted by feed and client."""
    with database.read_session() as session:
        found = session.scalars(select(FeedFetches).order_by(FeedFetches.feed, FeedFetches.client))
        return [{column.name: getattr(row, column.name) for column in FeedFetches.__table__.columns} for row in found]


def test_fetch_record_stores_only_counts_and_times_to_the_minute(database: Database) -> None:
    seconds = timedelta(seconds=31, microseconds=7)
    store_fetches(database, make_fetches(at=NOON + seconds, last_status=304))
    assert load_fetches(database) == [
        {
            "feed": "a",
            "client": ClientKind.GOOGLE,
            "first_at": NOON,
            "last_at": NOON,
            "last_status": 304,
            "fetches": 1,
            "fetches_today": 1,
        }
    ]


def test_counts_of_several_workers_are_merged_in_any_order(database: Database) -> None:
    store_fetches(database, make_fetches(at=NOON, fetches=3, fetches_today=3))
    store_fetches(
        database,
        make_fetches(first_at=NOON - MINUTE, last_at=NOON - MINUTE, last_status=304, fetches=2, fetches_today=2),
    )
    [row] = load_fetches(database)
    assert row == {
        "feed": "a",
        "client": ClientKind.GOOGLE,
        "first_at": NOON - MINUTE,
        "last_at": NOON,
        "last_status": 200,
        "fetches": 5,
        "fetches_today": 5,
    }


def test_daily_count_restarts_on_a_new_day(database: Database) -> None:
    store_fetches(database, make_fetches(at=NOON, fetches=3, fetches_today=3))
    store_fetches(database, make_fetches(at=NOON + DAY, fetches=2, fetches_today=1))
    # A slow worker reports the counts of the day before.
    store_fetches(database, make_fetches(at=NOON, fetches=4, fetches_today=4))
    [row] = load_fetches(database)
    assert (row["fetches"], row["fetches_today"], row["last_at"]) == (9, 1, NOON + DAY)


def test_counts_are_kept_per_feed_and_client_within_a_batch(database: Database) -> None:
    store_fetches(
        database,
        make_fetches("b"),
        make_fetches("a", ClientKind.APPLE),
        make_fetches("a"),
        make_fetches("a", at=NOON + MINUTE),
        make_fetches("b"),
    )
    counts = [(row["feed"], row["client"], row["fetches"]) for row in load_fetches(database)]
    assert counts == [("a", ClientKind.APPLE, 1), ("a", ClientKind.GOOGLE, 2), ("b", ClientKind.GOOGLE, 2)]


def test_fetches_of_lists_the_latest_client_first(database: Database) -> None:
    store_fetches(
        database,
        make_fetches("a", ClientKind.ICSX5),
        make_fetches("a", ClientKind.GOOGLE, at=NOON + MINUTE),
        make_fetches("a", ClientKind.APPLE),
        make_fetches("b", ClientKind.BROWSER),
    )
    with database.read_session() as session:
        found = [row.client for row in list_feed_fetches(session, "a")]
        assert (found, list(list_feed_fetches(session, "c"))) == (
            [ClientKind.GOOGLE, ClientKind.APPLE, ClientKind.ICSX5],
            [],
        )


def test_row_limit_prevents_arbitrary_feeds_from_filling_the_table(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_counts, "MAX_ROWS", 3)
    store_fetches(database, *[make_fetches(name) for name in "abcde"])
    store_fetches(database, make_fetches("a"), make_fetches("f"))
    assert [(row["feed"], row["fetches"]) for row in load_fetches(database)] == [("a", 2), ("b", 1), ("c", 1)]


def test_fetches_before_the_given_time_are_deleted(database: Database) -> None:
    store_fetches(database, make_fetches("old"), make_fetches("new", at=NOON + MINUTE))
    with database.unit_of_work() as unit:
        delete_old_fetches(unit.session, before=NOON + FETCH_RETENTION + MINUTE - FETCH_RETENTION)
    assert [row["feed"] for row in load_fetches(database)] == ["new"]


def test_worker_prunes_fetches_after_three_months(database: Database, clock: FixedClock) -> None:
    settings = Settings(instance=Path("instance"), database_url="sqlite://", secret_key="k" * 40)
    store_fetches(database, make_fetches("old"), make_fetches("new", at=NOON + MINUTE))
    for after, left in ((FETCH_RETENTION, ["new", "old"]), (FETCH_RETENTION + MINUTE, ["new"])):
        clock.set_time(NOON + after)
        delete_expired_data(database, settings)
        assert [row["feed"] for row in load_fetches(database)] == left


def test_note_fetches_statement_count_is_independent_of_batch_size(database: Database) -> None:
    store_fetches(database, *[make_fetches(f"known {number}") for number in range(50)])

    def cost(batch: list[FeedFetches]) -> int:
        with record_statements(database) as sent:
            store_fetches(database, *batch)
        return len([text for text in sent if text.startswith("SELECT") and "advisory" not in text])

    assert [cost([make_fetches("known 0")]), cost([make_fetches(f"known {number}") for number in range(50)])] == [2, 2]


# FetchCounter


def test_tally_writes_its_counts_once(database: Database) -> None:
    tally = FetchCounter()
    for minute in range(3):
        tally.increment("a", ClientKind.APPLE, status=304, now=NOON + minute * MINUTE)
    tally.flush(database)
    with record_statements(database) as sent:
        tally.flush(database)
    [row] = load_fetches(database)
    assert (row["fetches"], row["first_at"], row["last_at"], sent) == (3, NOON, NOON + 2 * MINUTE, [])


def test_tally_keeps_its_counts_if_the_database_is_busy(database: Database, clock: FixedClock) -> None:
    tally = FetchCounter()
    tally.increment("a", ClientKind.APPLE, status=200, now=NOON)
    busy = _DatabaseBusyOnce(database, tally, clock)
    tally.flush(database)
    assert (load_fetches(database), busy.has_failed) == ([], True)
    tally.flush(database)
    assert [(row["feed"], row["fetches"], row["last_status"]) for row in load_fetches(database)] == [
        ("a", 2, 304),
        ("b", 1, 200),
    ]


class _DatabaseBusyOnce:
    """Make the next unit of work find the database busy while further requests are counted."""

    def __init__(self, database: Database, tally: FetchCounter, clock: FixedClock) -> None:
        self.has_failed = False
        self._counter, self._clock = tally, clock
        event.listen(database.engine, "begin", self._fail_once)

    def _fail_once(self, _connection: object) -> None:
        if not self.has_failed:
            self.has_failed = True
            moment = self._clock.now() + MINUTE
            self._counter.increment("a", ClientKind.APPLE, status=304, now=moment)
            self._counter.increment("b", ClientKind.APPLE, status=200, now=moment)
            raise DatabaseBusy("Too much is being written.")
