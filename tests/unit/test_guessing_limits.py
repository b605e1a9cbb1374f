from datetime import timedelta

import pytest

from eventcal.members.guessing_limits import CODE_LIMIT, PASSWORD_LIMIT, GuessingLimit


def test_delay_doubles_after_the_free_attempts() -> None:
    limit = GuessingLimit("password", free_attempts=3, longest_delay=timedelta(seconds=10), allows_known_browsers=False)
    assert [limit.delay_after(attempts).total_seconds() for attempts in range(9)] == [0, 0, 0, 1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize(("limit", "guesses"), [(PASSWORD_LIMIT, 1500), (CODE_LIMIT, 120)])
def test_guesses_per_day_are_few(limit: GuessingLimit, guesses: int) -> None:
    attempts, elapsed = 0, timedelta()
    while elapsed < timedelta(days=1):
        attempts += 1
        elapsed += limit.delay_after(attempts)
    assert attempts <= guesses


def test_number_of_attempts_is_not_bounded() -> None:
    assert PASSWORD_LIMIT.delay_after(10**9) == PASSWORD_LIMIT.longest_delay
