"""How far the ledger is: the one row that every answer to a reader begins with."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.engine import Connection

from eventcal.feeds.index.models import LedgerState

_TABLE = LedgerState.__table__
_STATE = select(_TABLE.c.revision, _TABLE.c.changed_at, _TABLE.c.reshaped_at)


class State(NamedTuple):
    """The public data's revision, when it last rose (UTC), and since when feeds have to be read whole."""

    revision: int
    changed_at: datetime
    reshaped_at: int


def read_state(connection: Connection) -> State:
    """Return the state that this connection's transaction sees."""
    return State(*connection.execute(_STATE).one())
