"""The base class and the column types of every table."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from sqlalchemy import JSON, DateTime, Dialect, Enum, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

# A column so marked is nobody's business outside: a change to it alone is no change to the public.
PRIVATE: dict[Any, Any] = {"private": True}

Tag = TypeVar("Tag", bound="TagRow")


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the database, whatever the database thinks of time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware instant into UTC; a naive one is a mistake of ours."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant needs its zone: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the instant back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What every table stands on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        list[str]: JSON,
        dict[str, Any]: JSON,
    }


def word_column(words: type[StrEnum], *, default: StrEnum | None = None) -> Any:  # noqa: ANN401 - typed by Mapped
    """Return a column that holds one of `words`, stored as the word itself."""
    kind = Enum(
        words,
        native_enum=False,
        create_constraint=False,
        length=20,
        values_callable=lambda e: [w.value for w in e],
    )
    return mapped_column(kind, default=default) if default is not None else mapped_column(kind)


class TagRow:
    """The columns of every table of tags, beside the one that says whose they are: a tag as written, and its place."""

    position: Mapped[int] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(String(50))


def retagged(rows: Sequence[Tag], wanted: Sequence[str], make: Callable[[int, str], Tag]) -> list[Tag]:
    """Return rows for the tags that are wanted, in their order; `make` is asked for those that are not there yet.

    A place that has a row keeps it, so that only what changed is written.
    """
    here = {row.position: row for row in rows}
    kept = [here.get(position) or make(position, tag) for position, tag in enumerate(wanted)]
    for row, tag in zip(kept, wanted, strict=True):
        row.tag = tag
    return kept
