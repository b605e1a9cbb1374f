"""The declarative base class, column types and mixins for all models."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Self

from sqlalchemy import JSON, DateTime, Dialect, Enum, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from eventcal.kit.ids import new_id

# The `Column.info` of private columns. A change that affects only private columns does not create a new revision.
PRIVATE_COLUMN: dict[Any, Any] = {"private": True}


class UtcDateTime(TypeDecorator[datetime]):
    """A column type for instants, which are stored in UTC and loaded as aware datetimes, even on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert an aware datetime to UTC. Raises ValueError for a naive datetime."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant needs its zone: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The base class for all models."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime, list[str]: JSON, dict[str, Any]: JSON}


def enum_column(enum_class: type[StrEnum], *, default: StrEnum | None = None) -> Any:  # noqa: ANN401 - typed by Mapped
    kind = Enum(enum_class, native_enum=False, length=20, values_callable=lambda members: [m.value for m in members])
    return mapped_column(kind, default=default) if default is not None else mapped_column(kind)


class RandomIdMixin:
    """A mixin that adds a random ID as the primary key."""

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=new_id, sort_order=-2)


class TagRow(Base):
    """An abstract model for a tag and its position. Subclasses add a foreign key to the tagged object."""

    __abstract__ = True

    position: Mapped[int] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(String(50))

    @classmethod
    def build_rows(cls, existing: Sequence[Self], tags: Sequence[str]) -> list[Self]:
        """Return one row per tag, in order. Rows are reused by position, so that only changed tags are written."""
        here = {row.position: row for row in existing}
        rows = [here.get(position) or cls(position=position) for position in range(len(tags))]
        for row, tag in zip(rows, tags, strict=True):
            row.tag = tag
        return rows


def set_given_fields(row: Base, fields: Mapping[str, object], names: Iterable[str]) -> None:
    for name in names:
        if name in fields:
            setattr(row, name, fields[name])
