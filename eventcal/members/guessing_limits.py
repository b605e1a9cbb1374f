"""Limits on guessing passwords and second-factor codes, counted per account and over all IP addresses.

The attempts are counted in the database, so that all workers share the counters. Attempts are delayed, but an account
is never locked. Whether an account exists makes no difference, because a delay would otherwise reveal that it does.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Delete, delete
from sqlalchemy.orm import Session

from eventcal.members.models import GuessCounter

FORGET_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class GuessingLimit:
    """A limit for one kind of secret. The first `free_attempts` are not delayed.

    Then the delay doubles with each attempt, from one second to `longest_delay`. With `allows_known_browsers`, attempts
    in browsers in which the secret has been entered before are counted separately.
    """

    purpose: str
    free_attempts: int
    longest_delay: timedelta
    allows_known_browsers: bool

    def delay_after(self, attempts: int) -> timedelta:
        """Return the delay between this number of attempts and the next attempt."""
        if attempts < self.free_attempts:
            return timedelta()
        # The exponent is limited, because `timedelta` cannot represent the result for a large number of attempts.
        return min(timedelta(seconds=2 ** min(attempts - self.free_attempts, 20)), self.longest_delay)


PASSWORD_LIMIT = GuessingLimit(
    "password", free_attempts=10, longest_delay=timedelta(minutes=1), allows_known_browsers=True
)
# Only a person who knows the password can try codes, so a long delay rarely affects the owner of the account. Such a
# person can make any number of browsers known.
CODE_LIMIT = GuessingLimit("code", free_attempts=10, longest_delay=timedelta(minutes=15), allows_known_browsers=False)


def remaining_delay(session: Session, limit: GuessingLimit, subject: str, *, now: datetime) -> timedelta:
    """Return the time until the next attempt is allowed, which is zero if it is allowed now."""
    counter = _find_counter(session, limit, subject, now=now)
    if counter is None:
        return timedelta()
    delay = limit.delay_after(counter.attempts)
    # If the system clock has been set back, `last_attempt_at` is in the future.
    return max(timedelta(), min(counter.last_attempt_at + delay - now, delay))


def count_attempt(session: Session, limit: GuessingLimit, subject: str, *, now: datetime) -> int:
    """Count an attempt before the secret is checked, and return the number of attempts so far."""
    counter = _find_counter(session, limit, subject, now=now)
    if counter is None:
        session.execute(_delete_counter(limit, subject))
        counter = GuessCounter(purpose=limit.purpose, subject=subject, attempts=0, last_attempt_at=now)
        session.add(counter)
    counter.attempts += 1
    counter.last_attempt_at = now
    session.flush()
    return counter.attempts


def forget_attempts(session: Session, limit: GuessingLimit, subject: str) -> None:
    session.execute(_delete_counter(limit, subject))


def delete_old_guess_counters(session: Session, *, now: datetime) -> None:
    session.execute(delete(GuessCounter).where(GuessCounter.last_attempt_at <= now - FORGET_AFTER))


def _find_counter(session: Session, limit: GuessingLimit, subject: str, *, now: datetime) -> GuessCounter | None:
    counter = session.get(GuessCounter, (limit.purpose, subject))
    return counter if counter is not None and counter.last_attempt_at > now - FORGET_AFTER else None


def _delete_counter(limit: GuessingLimit, subject: str) -> Delete:
    return delete(GuessCounter).where(GuessCounter.purpose == limit.purpose, GuessCounter.subject == subject)
