"""Two small tables for tests of the database that do not depend on events."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from eventcal.kit.database import Database
from eventcal.kit.models import UtcDateTime

OpenDatabase = Callable[..., Database]
"""Opens the database of a test with the sample tables. Positional arguments are hooks; `pool_size` is a keyword."""


class SampleBase(DeclarativeBase):
    """The base class of the sample tables."""


class Book(SampleBase):
    """A row that tests insert, update and delete."""

    __tablename__ = "books"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(default="")
    copies: Mapped[int] = mapped_column(default=0)
    bought_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    pages: Mapped[list["Page"]] = relationship(lazy="raise", cascade="all, delete-orphan", passive_deletes=True)


class Page(SampleBase):
    """A page of a book, deleted together with the book."""

    __tablename__ = "leaves"

    id: Mapped[str] = mapped_column(primary_key=True)
    book_id: Mapped[str] = mapped_column(ForeignKey("books.id", ondelete="CASCADE"))


def insert_books(database: Database, *books: Book) -> None:
    """Insert the books in a unit of work."""
    with database.unit_of_work() as unit:
        unit.session.add_all(books)


def list_titles(database: Database) -> list[str]:
    """Return the titles of all books, ordered by id."""
    with database.read_session() as session:
        return list(session.scalars(select(Book.title).order_by(Book.id)))
