"""Tags as rows in their places: what stays keeps its row, so that only what changed is written."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column


class TagRow:
    """One tag of something, as it was written, in its place: what every table of tags has besides whose they are."""

    position: Mapped[int] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(String(50))


Row = TypeVar("Row", bound=TagRow)


def retagged(rows: Sequence[Row], wanted: Sequence[str], make: Callable[[int, str], Row]) -> list[Row]:
    """Return rows for the tags that are wanted, in their order; `make` is asked for those that are not there yet."""
    here = {row.position: row for row in rows}
    kept: list[Row] = []
    for position, tag in enumerate(wanted):
        row = here.get(position) or make(position, tag)
        row.tag = tag
        kept.append(row)
    return kept
