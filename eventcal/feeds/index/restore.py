"""The last steps of a restore from a backup: numbers and times that are later than all that clients may have seen.

After the backup, changes were published that the restored database does not contain. A new epoch makes clients read
everything again. The numbers of entries rise above those that were lost, so that calendar apps, which keep the entry
with the highest SEQUENCE, replace what they have.
"""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from eventcal.events.models import Event
from eventcal.feeds.index.feed_index import Callback, FeedIndex, get_feed_state
from eventcal.feeds.index.models import FeedEntry
from eventcal.kit.clock import truncate_to_second
from eventcal.kit.database import Database
from eventcal.kit.ids import new_code
from eventcal.talks.models import Talk

# Larger than the number of revisions that are lost with a backup, and small enough for columns of 32 bits.
_REVISION_STEP = 1_000_000
_EPOCH_LENGTH = 8


def complete_restore(database: Database, index: FeedIndex, *, on_progress: Callback = lambda _: None) -> int:
    """Start a new epoch, render all entries again and return their number.

    The restore can be completed again at any time, for example after an interruption, because all numbers only rise.
    """
    with database.unit_of_work() as unit:
        _start_new_epoch(unit.session, now=unit.now)
    return index.render_all_again(database, on_progress=on_progress)


def _start_new_epoch(session: Session, *, now: datetime) -> None:
    """Replace the epoch, and raise all revisions and sequence numbers.

    The SEQUENCE of an entry rises at most once a second. Since the last change that the backup contains, it has
    therefore risen at most by the number of seconds.
    """
    state = get_feed_state(session)
    seconds = max(0, int((now - state.changed_at).total_seconds())) + 1
    revisions = _REVISION_STEP + seconds
    for table in (Event, Talk):
        session.execute(update(table).values(revision=table.revision + revisions))
    session.execute(
        update(FeedEntry).values(
            revision=FeedEntry.revision + revisions,
            sequence=FeedEntry.sequence + seconds,
            # Without a hash, rendering an entry again gives it a new SEQUENCE and a new time.
            content_hash="",
        )
    )
    state.epoch, state.epoch_started_at = new_code(_EPOCH_LENGTH), _later(now, state.changed_at)
    state.changed_at = state.epoch_started_at
    state.revision += revisions
    state.full_rebuild_revision = state.revision
    state.renderer_version = ""


def _later(now: datetime, than: datetime) -> datetime:
    return max(truncate_to_second(now), than + timedelta(seconds=1))
