"""Loading of events, talks and index rows for an update of the feed index."""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, bindparam, func, inspect, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption
from sqlalchemy.orm.util import identity_key

from eventcal.events.models import Event
from eventcal.events.queries import event_load_options
from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.index.models import FeedEntry
from eventcal.talks.models import Talk
from eventcal.talks.queries import talk_load_options

Subject = TypeVar("Subject", Event, Talk)
FeedIndexRows = dict[tuple[EntryKind, str], FeedEntry]

_TABLE = FeedEntry.__table__
_SELECT_ROWS = select(_TABLE).where(
    _TABLE.c.kind.in_(bindparam("kinds", expanding=True)), _TABLE.c.subject_id.in_(bindparam("ids", expanding=True))
)
_SELECT_ROW = select(_TABLE).where(_TABLE.c.kind == bindparam("kind"), _TABLE.c.subject_id == bindparam("id"))

DEADLINE_KINDS = (EntryKind.OPENING, EntryKind.CLOSING)


def load_talks(session: Session, ids: Collection[str], *, reload: Collection[str] = ()) -> Sequence[Talk]:
    """Return the talks sorted by ID. Talks that are fully loaded are read again only if `reload` contains their IDs."""
    loaded = (_find_loaded_talk(session, id_) for id_ in ids if id_ not in reload)
    known = {talk.id: talk for talk in loaded if talk is not None}
    missing = [id_ for id_ in ids if id_ not in known]
    if missing:
        found = _reload_from_database(session, Talk, missing, options=talk_load_options())
        known.update({talk.id: talk for talk in found})
    return [known[id_] for id_ in sorted(known)]


def load_events(session: Session, ids: Collection[str]) -> Sequence[Event]:
    return _reload_from_database(session, Event, ids, options=event_load_options()) if ids else ()


def load_index_rows(session: Session, kinds: Collection[EntryKind], ids: Collection[str]) -> FeedIndexRows:
    """Return the index rows with the given kinds and subject IDs, detached from the session."""
    if not ids:
        return {}
    # SQLAlchemy renders an expanding IN list on each execution, which is too slow for loading a single row.
    if len(kinds) == len(ids) == 1:
        found = session.connection().execute(_SELECT_ROW, {"kind": next(iter(kinds)), "id": next(iter(ids))})
    else:
        found = session.connection().execute(_SELECT_ROWS, {"kinds": list(kinds), "ids": list(ids)})
    rows = [FeedEntry(**row) for row in found.mappings()]
    return {(row.kind, row.subject_id): row for row in rows}


def count_talks(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalars(select(func.count()).select_from(Talk).where(condition)).one()


def list_unscheduled_talks(session: Session, condition: ColumnElement[bool]) -> Sequence[Talk]:
    """Return the talks that match the condition, have no time and are not tombstones, oldest first."""
    rows = select(Talk).where(condition, Talk.starts_at.is_(None), Talk.tombstone_until.is_(None))
    return session.scalars(rows.options(*talk_load_options()).order_by(Talk.created_at, Talk.id)).all()


def _find_loaded_talk(session: Session, talk_id: str) -> Talk | None:
    known: Talk | None = session.identity_map.get(identity_key(Talk, talk_id))
    return known if known is not None and _is_fully_loaded(known) else None


def _is_fully_loaded(talk: Talk) -> bool:
    """Return whether all relationships of the talk are loaded and match its foreign keys."""
    if inspect(talk).unloaded or inspect(talk.event).expired:
        return False
    if any("speaker" in inspect(part).unloaded for part in talk.speaking):
        return False
    earlier = talk.reprise_of
    if earlier is not None and "event" in inspect(earlier).unloaded:
        return False
    pairs = [(talk.track, talk.track_id), (talk.room, talk.room_id), (earlier, talk.reprise_of_id)]
    return all((one.id if one is not None else None) == key for one, key in pairs) and talk.event.id == talk.event_id


def _reload_from_database(
    session: Session, kind: type[Subject], ids: Collection[str], *, options: Iterable[ORMOption]
) -> Sequence[Subject]:
    """Reload all relationships of the objects, because relationships in the session may be stale."""
    for id_ in ids:
        known = session.identity_map.get(identity_key(kind, id_))
        if known is not None:
            session.expire(known, inspect(kind).relationships.keys())
    # Without `populate_existing`, the query loads only the expired relationships and keeps all other attributes.
    return session.scalars(select(kind).where(kind.id.in_(ids)).order_by(kind.id).options(*options)).all()
