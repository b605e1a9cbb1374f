"""Keyset pagination. The cursor contains the sort key of the last row, so that new rows do not shift later pages.

A cursor expires when the database has been restored from a backup, because pages from before and after the restore
would not form a complete list.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import orjson
from sqlalchemy import BigInteger, ColumnElement, Select, and_, false, or_
from sqlalchemy.orm import Session

from eventcal.kit.database import read_epoch
from eventcal.kit.errors import FieldError, Gone, Invalid, Message

Row = TypeVar("Row")

DEFAULT_LIMIT, MAX_LIMIT = 50, 200


class CursorExpired(Gone):
    """The cursor was returned before the database was restored from a backup."""

    code = "cursor-expired"
    title = Message("Cursor expired")

    def __init__(self) -> None:
        super().__init__(
            Message("The calendar has been restored from a backup since this cursor was returned. Start without it.")
        )


@dataclass(frozen=True)
class SortKey:
    """A column to sort by. The last key of a sort order must be unique and not nullable."""

    column: Any
    python_type: type
    descending: bool = False


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A page of rows. `next_cursor` is the cursor for the next page, or None on the last page."""

    items: tuple[Row, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class PageRequest:
    """A request for a page: the page size, and the cursor after which the page starts."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


def fetch_page(session: Session, rows: Select[Row], *, order: Sequence[SortKey], paging: PageRequest) -> Page[Row]:
    """Return the page after the cursor in the given sort order.

    Raises Invalid if the cursor is invalid, or CursorExpired if it is from another epoch.
    """
    query = rows.add_columns(*(key.column for key in order))
    query = query.order_by(*(key.column.desc() if key.descending else key.column.asc() for key in order))
    if paging.cursor is not None:
        query = query.where(_after_cursor_condition(order, _decode_cursor(session, paging.cursor, order)))
    found = session.execute(query.limit(paging.limit + 1)).unique().all()
    kept = found[: paging.limit]
    next_cursor = _encode_cursor(session, kept[-1][-len(order) :]) if len(found) > paging.limit else None
    return Page(tuple(row[0] for row in kept), next_cursor)


def build_cursor(session: Session, position: str) -> str:
    """Return a cursor for a position in a list. The cursor is URL-safe if the position is."""
    return f"{read_epoch(session)}.{position}"


def parse_cursor(session: Session, cursor: str) -> str:
    """Return the position in a cursor.

    Raises ValueError if the text is not a cursor, or CursorExpired if the cursor is from another epoch.
    """
    epoch, _, position = cursor.partition(".")
    if not (epoch and position):
        raise ValueError(cursor)
    if epoch != read_epoch(session):
        raise CursorExpired
    return position


def _after_cursor_condition(order: Sequence[SortKey], values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition (a, b) > (x, y) in the form a > x OR (a = x AND b > y), which supports descending keys."""
    either: list[ColumnElement[bool]] = [false()]
    for place, key in enumerate(order):
        same = [earlier.column == values[i] for i, earlier in enumerate(order[:place])]
        beyond = key.column < values[place] if key.descending else key.column > values[place]
        either.append(and_(*same, beyond))
    return or_(*either)


def _encode_cursor(session: Session, values: Sequence[Any]) -> str:
    return build_cursor(session, base64.urlsafe_b64encode(orjson.dumps(list(values))).rstrip(b"=").decode())


def _decode_cursor(session: Session, cursor: str, order: Sequence[SortKey]) -> list[Any]:
    try:
        position = parse_cursor(session, cursor)
        raw = base64.b64decode(position.encode("ascii") + b"=" * (-len(position) % 4), altchars=b"-_", validate=True)
        values = orjson.loads(raw)
        if not isinstance(values, list) or len(values) != len(order):
            raise TypeError
        return [_parse_cursor_value(value, key) for value, key in zip(values, order, strict=True)]
    except (UnicodeEncodeError, binascii.Error, TypeError, ValueError, OverflowError) as error:
        wrong = Message("is not a valid cursor of this list; omit it to start from the first page")
        raise Invalid(errors=[FieldError("?cursor", wrong)]) from error


def _parse_cursor_value(value: object, key: SortKey) -> object:
    if key.python_type is datetime and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
        # Near the years 1 and 9999, the conversion to UTC can raise OverflowError.
        return moment.astimezone(UTC)
    # Booleans are rejected, because bool is a subclass of int and no sort key is a boolean.
    if not isinstance(value, key.python_type) or isinstance(value, bool):
        raise TypeError
    is_too_large = isinstance(value, int) and abs(value) >= 2 ** (63 if isinstance(key.column.type, BigInteger) else 31)
    if is_too_large or (isinstance(value, str) and "\x00" in value):
        raise ValueError
    return value
