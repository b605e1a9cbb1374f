"""What a session notes for a while: signed by us and bound to one browser, whose user can read it, and keep a copy."""

from datetime import timedelta
from typing import Any

from flask import session

from eventcal.web.request.context import house


def note(what: str, **state: str) -> None:
    """Note something in this session, with the time."""
    session[what] = {**state, "at": house().clock.now().timestamp()}


def find_note(what: str, *, within: timedelta) -> dict[str, Any] | None:
    """Return what this session notes, if it did so within this time."""
    state: dict[str, Any] | None = session.get(what)
    if state is None or not 0 <= house().clock.now().timestamp() - state["at"] < within.total_seconds():
        return None
    return state


def forget_note(what: str) -> None:
    """Forget it, if it is noted."""
    session.pop(what, None)
