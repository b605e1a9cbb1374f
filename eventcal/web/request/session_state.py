"""Values that a session keeps for a while.

A member's are in the database. A visitor's are signed in their cookie: they can read them, and keep a copy.
"""

from datetime import timedelta
from typing import Any

from flask import session

from eventcal.web.request import sessions
from eventcal.web.request.context import house


def note(what: str, **state: str) -> None:
    """Keep a value in this session, with the time."""
    noted = {**state, "at": house().clock.now().timestamp()}
    stored = sessions.find_stored()
    if stored is None:
        sessions.note(what, noted)
    else:
        sessions.save_notes(stored, {**stored.row.notes, what: noted})


def find_note(what: str, *, within: timedelta) -> dict[str, Any] | None:
    """Return the value that this session keeps, if it is no older than this."""
    stored = sessions.find_stored()
    state: dict[str, Any] | None = session.get(what) if stored is None else stored.row.notes.get(what)
    if state is None or not 0 <= house().clock.now().timestamp() - state["at"] < within.total_seconds():
        return None
    return state


def forget_note(what: str) -> None:
    """Remove a value, if it is there."""
    stored = sessions.find_stored()
    if stored is None:
        session.pop(what, None)
    elif what in stored.row.notes:
        sessions.save_notes(stored, {name: kept for name, kept in stored.row.notes.items() if name != what})
