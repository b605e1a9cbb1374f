"""Feed fetches are counted in memory across threads, up to a limit; one thread is asked to write the counts."""

import threading
from datetime import timedelta

from eventcal.events.filter import Filter
from eventcal.feeds.clients import ClientKind
from eventcal.feeds.fetch_counts import FeedFetches
from eventcal.web.params.listing_filters import FeedQuery, fetch_counter_key
from eventcal.web.process_state import MAX_COUNTERS, FetchCounter
from tests.clocks import NOON

ONE_SECOND, ONE_DAY = timedelta(seconds=1), timedelta(days=1)


def current_counts(tally: FetchCounter) -> list[FeedFetches]:
    return [FeedFetches(feed=feed, client=client, **count._asdict()) for (feed, client), count in tally._counts.items()]


def column_values(counts: list[FeedFetches]) -> list[dict[str, object]]:
    return [{column.name: getattr(one, column.name) for column in FeedFetches.__table__.columns} for one in counts]


def test_fetches_are_counted_by_feed_and_client() -> None:
    tally = FetchCounter()
    for second, (feed, client, status) in enumerate(
        [("a", ClientKind.GOOGLE, 200), ("a", ClientKind.APPLE, 200), ("b", ClientKind.GOOGLE, 410)]
        + [("a", ClientKind.GOOGLE, 304)] * 2
    ):
        tally.increment(feed, client, status=status, now=NOON + second * ONE_SECOND)
    assert column_values(current_counts(tally)) == column_values(
        [
            FeedFetches(
                feed="a",
                client=ClientKind.GOOGLE,
                first_at=NOON,
                last_at=NOON + 4 * ONE_SECOND,
                last_status=304,
                fetches=3,
                fetches_today=3,
            ),
            FeedFetches(
                feed="a",
                client=ClientKind.APPLE,
                first_at=NOON + ONE_SECOND,
                last_at=NOON + ONE_SECOND,
                last_status=200,
                fetches=1,
                fetches_today=1,
            ),
            FeedFetches(
                feed="b",
                client=ClientKind.GOOGLE,
                first_at=NOON + 2 * ONE_SECOND,
                last_at=NOON + 2 * ONE_SECOND,
                last_status=410,
                fetches=1,
                fetches_today=1,
            ),
        ]
    )


def test_fetches_of_the_last_day_are_counted_separately() -> None:
    tally = FetchCounter()
    for moment in (NOON, NOON + ONE_SECOND, NOON + ONE_DAY):
        tally.increment("a", ClientKind.APPLE, status=200, now=moment)
    [count] = current_counts(tally)
    assert (count.fetches, count.fetches_today) == (3, 1)


def test_write_is_due_on_the_first_fetch_and_then_once_a_minute() -> None:
    tally = FetchCounter()
    seconds = (0, 1, 59, 60, 61, 119, 120, 3600)
    due = [tally.increment("a", ClientKind.APPLE, status=200, now=NOON + second * ONE_SECOND) for second in seconds]
    assert due == [True, False, False, True, False, False, True, True]


def test_write_is_still_due_after_the_clock_is_set_back() -> None:
    tally = FetchCounter()
    moments = (NOON, NOON - ONE_DAY, NOON - ONE_DAY + ONE_SECOND)
    due = [tally.increment("a", ClientKind.APPLE, status=200, now=moment) for moment in moments]
    assert due == [True, True, False]


def test_number_of_counted_feeds_is_limited() -> None:
    tally = FetchCounter()
    for number in range(MAX_COUNTERS + 10):
        tally.increment(str(number), ClientKind.OTHER, status=200, now=NOON)
    tally.increment("0", ClientKind.OTHER, status=200, now=NOON)
    assert len(current_counts(tally)) == MAX_COUNTERS
    assert current_counts(tally)[0].fetches == 2


def test_concurrent_fetches_are_all_counted_and_only_one_write_is_due() -> None:
    tally, due = FetchCounter(), list[bool]()

    def fetch() -> None:
        due.extend([tally.increment("a", ClientKind.APPLE, status=200, now=NOON) for _ in range(500)])

    threads = [threading.Thread(target=fetch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (current_counts(tally)[0].fetches, due.count(True)) == (4000, 1)


def test_feed_key_is_a_digest_of_path_and_query() -> None:
    xen = FeedQuery(filter=Filter(tags=("xen",)))
    keys = {
        fetch_counter_key(path, asked)
        for path in ("/calendar.ics", "/calendar.jcal", "/events/\ud800.ics")
        for asked in (FeedQuery(), xen)
    }
    assert len(keys) == 6
    assert {len(key) for key in keys} == {24}
    assert fetch_counter_key("/calendar.ics/", xen) == fetch_counter_key(
        "/calendar.ics", FeedQuery(filter=Filter(tags=("xen",)))
    )
