"""What other libraries' failures mean in our words: marshmallow's messages, Flask-Limiter's limits, the database's."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import current_app
from flask_limiter import RateLimitExceeded
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from eventcal.kit.clock import SystemClock
from eventcal.kit.refusals import Fault

_USUAL_WAIT = 60

# Said without a subject, so that it follows any field's name. A schema of ours has sentences of its own.
_PLAINLY = {
    "Missing data for required field.": "is required",
    "Field may not be null.": "must not be null",
    "Invalid input type.": "must be a JSON object",
}
_UNKNOWN = "Unknown field."
_BODIES = frozenset({"json", "form", "files", "json_or_form"})


def faults_in(messages: Any, *, location: str) -> list[Fault]:  # noqa: ANN401 - marshmallow nests as it likes
    """Return marshmallow's messages as faults: pointers (RFC 6901) into a body, else "?" and a parameter's name."""
    if location in _BODIES:
        return [
            Fault("".join(f"/{_escaped(step)}" for step in path), _plainly(text, thing="field"))
            for path, text in _leaves(messages, ())
        ]
    return [
        Fault(f"?{path[0] if path else ''}", _plainly(text, thing="parameter")) for path, text in _leaves(messages, ())
    ]


def _plainly(text: str, *, thing: str) -> str:
    return f"is not a {thing} here" if text == _UNKNOWN else _PLAINLY.get(text, text)


def _leaves(messages: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:  # noqa: ANN401 - as above
    if isinstance(messages, Mapping):
        # In one order always: marshmallow gives unknown fields in that of a set.
        for key in sorted(messages, key=_place):
            yield from _leaves(messages[key], path if key == "_schema" else (*path, key))
    elif isinstance(messages, (list, tuple)):
        for one in messages:
            yield from _leaves(one, path)
    else:
        yield path, str(messages)


def _place(key: str | int) -> tuple[bool, int, str]:
    return (False, key, "") if isinstance(key, int) else (True, 0, key)


def _escaped(step: str | int) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


def seconds_to_wait(error: HTTPException) -> int:
    """Return in how many seconds Flask-Limiter lets this caller through again."""
    if not isinstance(error, RateLimitExceeded):
        return _USUAL_WAIT
    # The limiter counts by the machine's clock, whatever clock the app was given.
    now = SystemClock().now().timestamp()
    breached = [limiter.current_limit for limiter in current_app.extensions.get("limiter", ())]
    waits = [int(limit.reset_at - now) + 1 for limit in breached if limit is not None and limit.breached]
    return max(1, *waits) if waits else error.limit.limit.get_expiry()


# SQLSTATE classes and codes that time heals: connection, resources, operator's intervention; serialization,
# deadlock, lock timeout.
_PASSING = re.compile("08...|53...|57...|40001|40P01|55P03")
# SQLITE_BUSY and SQLITE_LOCKED, in the low byte of every code derived from them.
_SQLITE_PASSING = frozenset({5, 6})


def will_pass(error: DBAPIError) -> bool:
    """Say whether the database was only locked, full of callers or away, so that trying again helps."""
    if error.connection_invalidated:
        return True
    sqlite = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite is not None:
        return sqlite & 0xFF in _SQLITE_PASSING
    state = getattr(error.orig, "sqlstate", "")
    # psycopg has no state to give where no server answered.
    return state is None or _PASSING.fullmatch(state) is not None
