from datetime import UTC, datetime, timedelta

from eventcal.kit.log_throttle import LogThrottle

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def test_repeated_messages_are_counted_and_reported_a_minute_later() -> None:
    throttle = LogThrottle()
    admitted = [throttle.admit("a", now=at(seconds)) for seconds in (0, 1, 59, 60, 61)]
    assert admitted == [0, None, None, 2, None]


def test_keys_have_independent_intervals() -> None:
    throttle = LogThrottle()
    assert throttle.admit("a", now=at(0)) == 0
    assert throttle.admit("b", now=at(1)) == 0


def test_keys_beyond_the_maximum_share_an_interval() -> None:
    throttle = LogThrottle(max_keys=3)
    admitted = [throttle.admit(key, now=at(0)) for key in range(1000)]
    assert [key for key, suppressed in enumerate(admitted) if suppressed is not None] == [0, 1, 2, 3]


def test_expired_keys_make_room_for_new_keys() -> None:
    throttle = LogThrottle(max_keys=2)
    assert throttle.admit("a", now=at(0)) == 0
    assert throttle.admit("b", now=at(0)) == 0
    assert throttle.admit("c", now=at(61)) == 0
    assert throttle.admit("d", now=at(61)) == 0


def test_messages_are_admitted_after_the_clock_is_set_back() -> None:
    throttle = LogThrottle()
    assert throttle.admit("a", now=at(0)) == 0
    assert throttle.admit("a", now=at(-3600)) == 0
