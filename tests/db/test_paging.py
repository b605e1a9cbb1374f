import base64
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cmp_to_key

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from eventcal.kit.database import Database
from eventcal.kit.errors import FieldError, Invalid
from eventcal.kit.models import UtcDateTime
from eventcal.kit.pagination import Page, PageRequest, SortKey, fetch_page
from tests.clocks import NOON


class CardBase(DeclarativeBase):
    """Declarative base for the tables of these tests."""


class Card(CardBase):
    """A row to list page by page."""

    __tablename__ = "cards"

    id: Mapped[str] = mapped_column(primary_key=True)
    rank: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


CardValues = tuple[str, int, datetime]

THREE_CARDS: list[CardValues] = [("a", 1, NOON), ("b", 2, NOON), ("c", 3, NOON)]

IDS = st.text("abcXYZ019é-", min_size=1, max_size=4)
# Few ranks and instants, so that there are ties; instants that differ only in digits that are easily lost.
RANKS = st.sampled_from([-1, 0, 1, 2**31 - 1])
OFFSETS = st.sampled_from([timedelta(), timedelta(microseconds=1), timedelta(seconds=1), timedelta(days=-3000)])
CARDS = st.dictionaries(IDS, st.tuples(RANKS, OFFSETS.map(NOON.__add__)), max_size=12)
DIRECTIONS = st.tuples(st.booleans(), st.booleans(), st.booleans())

# Each example begins with an empty table, because nothing is committed.
forty_examples = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def cards_database(database: Database) -> Database:
    """Provide a database with the table of cards."""
    CardBase.metadata.create_all(database.engine)
    return database


@pytest.fixture
def session(cards_database: Database) -> Iterator[Session]:
    """Provide a session with three cards."""
    with Session(cards_database.engine) as session:
        add_cards(session, THREE_CARDS)
        yield session


def add_cards(session: Session, cards: Sequence[CardValues]) -> None:
    session.add_all(Card(id=id_, rank=rank, created_at=at) for id_, rank, at in cards)
    session.flush()


def make_sort_keys(descending: tuple[bool, bool, bool] = (False, False, False)) -> list[SortKey]:
    return [
        SortKey(Card.created_at, datetime, descending[0]),
        SortKey(Card.rank, int, descending[1]),
        SortKey(Card.id, str, descending[2]),
    ]


def sort_ids(cards: Sequence[CardValues], descending: tuple[bool, bool, bool]) -> list[str]:
    """Return the ids of the cards in the given order."""

    def compare(one: CardValues, other: CardValues) -> int:
        pairs = ((one[2], other[2]), (one[1], other[1]), (one[0].encode(), other[0].encode()))
        for (mine, theirs), fall in zip(pairs, descending, strict=True):
            if mine != theirs:
                return 1 if (mine > theirs) != fall else -1  # type: ignore[operator]  # both are of one kind
        return 0

    return [card[0] for card in sorted(cards, key=cmp_to_key(compare))]


def fetch_cards(
    session: Session, *, limit: int = 50, cursor: str | None = None, order: list[SortKey] | None = None
) -> Page[Card]:
    return fetch_page(session, select(Card), order=order or make_sort_keys(), paging=PageRequest(limit, cursor))


def encode_cursor(*values: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(values)).rstrip(b"=").decode()


@pytest.mark.both_databases
@forty_examples
@given(
    old=CARDS,
    later=st.lists(st.dictionaries(IDS, st.tuples(RANKS, OFFSETS.map(NOON.__add__)), max_size=3), max_size=6),
    falls=DIRECTIONS,
    limit=st.integers(1, 5),
)
def test_paging_returns_every_existing_row_once_in_order_despite_insertions(
    *,
    cards_database: Database,
    old: dict[str, tuple[int, datetime]],
    later: list[dict[str, tuple[int, datetime]]],
    falls: tuple[bool, bool, bool],
    limit: int,
) -> None:
    cards = [(id_, rank, at) for id_, (rank, at) in old.items()]
    known = set(old)
    met: list[str] = []
    cursor: str | None = None
    with Session(cards_database.engine) as session:
        add_cards(session, cards)
        while True:
            found = fetch_cards(session, limit=limit, cursor=cursor, order=make_sort_keys(falls))
            assert len(found.items) <= limit
            met.extend(card.id for card in found.items)
            cursor = found.next_cursor
            if cursor is None:
                break
            assert len(found.items) == limit
            new = {id_: rest for id_, rest in (later.pop() if later else {}).items() if id_ not in known}
            known |= set(new)
            add_cards(session, [(id_, rank, at) for id_, (rank, at) in new.items()])
    assert len(met) == len(set(met))
    assert [id_ for id_ in met if id_ in old] == sort_ids(cards, falls)


def test_full_last_page_has_no_next_cursor(session: Session) -> None:
    first = fetch_cards(session, limit=2)
    assert ([card.id for card in first.items], first.next_cursor is None) == (["a", "b"], False)
    assert [card.id for card in fetch_cards(session, limit=2, cursor=first.next_cursor).items] == ["c"]
    assert fetch_cards(session, limit=2, cursor=first.next_cursor).next_cursor is None
    assert fetch_cards(session, limit=3).next_cursor is None


def test_deleting_a_row_skips_no_other_row(session: Session) -> None:
    first = fetch_cards(session, limit=2)
    session.delete(first.items[1])
    session.flush()
    assert [card.id for card in fetch_cards(session, limit=2, cursor=first.next_cursor).items] == ["c"]


def test_empty_list_is_one_empty_page(session: Session) -> None:
    nothing = fetch_page(session, select(Card).where(Card.rank > 9), order=make_sort_keys(), paging=PageRequest())
    assert nothing == Page((), None)


# Invalid cursors

ENCODED_NOON = "2026-03-01T12:00:00+00:00"


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "a",
        "not a cursor",
        "é",
        "W10",
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"[" * 5000).decode(),
        encode_cursor({"at": ENCODED_NOON}),
        encode_cursor(ENCODED_NOON, 1),
        encode_cursor(ENCODED_NOON, 1, "a", "b"),
        encode_cursor(ENCODED_NOON, "1", "a"),
        encode_cursor(ENCODED_NOON, 1.0, "a"),
        encode_cursor(ENCODED_NOON, True, "a"),  # noqa: FBT003 - a value of a cursor
        encode_cursor(ENCODED_NOON, None, "a"),
        encode_cursor(ENCODED_NOON, 2**63, "a"),
        encode_cursor(ENCODED_NOON, -(2**63), "a"),
        encode_cursor(ENCODED_NOON, 1, 2),
        encode_cursor(ENCODED_NOON, 1, "a\x00"),
        encode_cursor(1, 1, "a"),
        encode_cursor("yesterday", 1, "a"),
        encode_cursor("2026-03-01T12:00:00", 1, "a"),
        encode_cursor("0001-01-01T00:00:00+14:00", 1, "a"),
        encode_cursor("9999-12-31T23:59:59-14:00", 1, "a"),
        encode_cursor(ENCODED_NOON, 2**31, "a"),
        encode_cursor(ENCODED_NOON, -(2**31) - 1, "a"),
    ],
)
def test_malformed_cursor_is_rejected(session: Session, cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        fetch_cards(session, cursor=cursor)
    assert [fault.pointer for fault in caught.value.errors] == ["?cursor"]


def test_cursor_of_another_order_is_rejected(session: Session) -> None:
    by_rank = [SortKey(Card.rank, int), SortKey(Card.id, str)]
    first = fetch_cards(session, limit=1, order=by_rank)
    with pytest.raises(Invalid) as caught:
        fetch_cards(session, cursor=first.next_cursor)
    assert caught.value.errors == (
        FieldError("?cursor", "is not a valid cursor of this list; omit it to start from the first page"),
    )


@pytest.mark.both_databases
@forty_examples
@given(
    st.one_of(
        st.text(max_size=30),
        st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
        st.tuples(
            st.datetimes(timezones=st.timezones()).map(datetime.isoformat) | st.text(max_size=20),
            st.integers(-(2**63), 2**64 - 1),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
        ).map(lambda values: encode_cursor(*values)),
    )
)
def test_any_cursor_gives_a_page_or_is_rejected(cards_database: Database, cursor: str) -> None:
    with Session(cards_database.engine) as session:
        add_cards(session, THREE_CARDS)
        try:
            found = fetch_cards(session, cursor=cursor)
        except Invalid:
            return
        assert [card.id for card in found.items] in (["a", "b", "c"], ["b", "c"], ["c"], [])
        assert found.next_cursor is None


def test_cursor_distinguishes_instants_to_the_microsecond(session: Session) -> None:
    later = [NOON + timedelta(microseconds=n) for n in (1, 2, 3)]
    add_cards(session, [(f"d{n}", 0, at) for n, at in enumerate(later)])
    second = fetch_cards(session, limit=4)
    assert [card.created_at for card in fetch_cards(session, limit=4, cursor=second.next_cursor).items] == later[1:]
    assert later[0].tzinfo is UTC
