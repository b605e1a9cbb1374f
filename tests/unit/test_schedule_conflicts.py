"""Conflicts in a schedule: rooms or speakers that are double-booked, and talks outside the event."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from eventcal.talks.rules import TalkSlot, iter_schedule_conflicts, list_slots_outside_event
from tests.clocks import NOON


def make_slot(
    name: str, begins: int, ends: int, *, room: str | None = None, speakers: frozenset[str] = frozenset()
) -> TalkSlot:
    """Return the slot of a talk between two minutes."""
    return TalkSlot(
        name, name, NOON + timedelta(minutes=begins), NOON + timedelta(minutes=ends), room, speakers=frozenset(speakers)
    )


def list_conflicts(*slots: TalkSlot) -> list[tuple[str, str, str | None, frozenset[str]]]:
    return [
        (one.first.talk_id, one.second.talk_id, one.room_id, one.speakers) for one in iter_schedule_conflicts(slots)
    ]


ADA, GRACE = frozenset({"ada"}), frozenset({"grace"})


def test_overlapping_talks_in_one_room_clash_and_are_ordered_by_start() -> None:
    late, early = make_slot("late", 30, 60, room="r"), make_slot("early", 0, 45, room="r")
    assert list_conflicts(late, early) == [("early", "late", "r", frozenset())]


def test_consecutive_talks_do_not_clash() -> None:
    assert (
        list_conflicts(make_slot("a", 0, 45, room="r", speakers=ADA), make_slot("b", 45, 90, room="r", speakers=ADA))
        == []
    )


def test_overlapping_talks_of_one_speaker_clash() -> None:
    talks = make_slot("a", 0, 45, room="r", speakers=ADA), make_slot("b", 0, 45, room="s", speakers=ADA | GRACE)
    assert list_conflicts(*talks) == [("a", "b", None, ADA)]


def test_talks_without_a_room_do_not_clash() -> None:
    assert list_conflicts(make_slot("a", 0, 45), make_slot("b", 0, 45)) == []


def test_long_talk_clashes_with_each_talk_during_it() -> None:
    talks = make_slot("long", 0, 180, room="r"), make_slot("b", 10, 20, room="r"), make_slot("c", 20, 30, room="r")
    assert list_conflicts(*talks) == [("long", "b", "r", frozenset()), ("long", "c", "r", frozenset())]


def test_three_overlapping_talks_give_three_pairs() -> None:
    talks = make_slot("a", 0, 30, room="r"), make_slot("b", 10, 40, room="r"), make_slot("c", 20, 50, room="r")
    assert [pair[:2] for pair in list_conflicts(*talks)] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_room_and_speaker_clash_are_reported_together() -> None:
    assert list_conflicts(
        make_slot("a", 0, 9, room="r", speakers=ADA), make_slot("b", 0, 9, room="r", speakers=ADA)
    ) == [("a", "b", "r", ADA)]


SLOTS = st.lists(
    st.builds(
        lambda begins, length, room, speakers: (begins, begins + length, room, speakers),
        st.integers(0, 50),
        st.integers(1, 20),
        st.sampled_from([None, "r", "s"]),
        st.frozensets(st.sampled_from(["ada", "grace"])),
    ),
    max_size=12,
)


@given(SLOTS)
def test_clashes_match_a_pairwise_comparison(rows: list[tuple[int, int, str | None, frozenset[str]]]) -> None:
    slots = [make_slot(f"{i:02}", b, e, room=room, speakers=who) for i, (b, e, room, who) in enumerate(rows)]
    expected = {
        frozenset({one.talk_id, other.talk_id})
        for one in slots
        for other in slots
        if one.talk_id < other.talk_id
        and one.starts_at < other.ends_at
        and other.starts_at < one.ends_at
        and ((one.room_id is not None and one.room_id == other.room_id) or one.speakers & other.speakers)
    }
    assert {frozenset(pair[:2]) for pair in list_conflicts(*slots)} == expected
    assert len(list_conflicts(*slots)) == len(expected)


def test_talk_before_or_after_the_event_is_outside() -> None:
    inside, before, after = make_slot("in", 0, 60), make_slot("before", -1, 10), make_slot("after", 50, 61)
    wrong = list_slots_outside_event([after, inside, before], starts_at=NOON, ends_at=NOON + timedelta(minutes=60))
    assert [one.talk_id for one in wrong] == ["before", "after"]
