"""What does not go together in a programme: two talks in one room at once, one speaker in two places."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter


@dataclass(frozen=True)
class Slot:
    """When a talk is (`ends_at` is when the next one may begin), where, and who is on stage; by their ids."""

    talk_id: str
    title: str
    starts_at: datetime
    ends_at: datetime
    room_id: str | None
    speakers: frozenset[str] = field(kw_only=True)


@dataclass(frozen=True)
class Clash:
    """Two talks at once, the one that begins first before the other, in one room or with the same speakers."""

    first: Slot
    second: Slot
    room_id: str | None
    speakers: frozenset[str]


def clashes(slots: Iterable[Slot]) -> Iterator[Clash]:
    """Give every two talks that are at the same time, and share a room or a speaker; in order of the later one."""
    running: list[Slot] = []
    for slot in sorted(slots, key=attrgetter("starts_at", "talk_id")):
        running = [other for other in running if other.ends_at > slot.starts_at]
        for other in running:
            room = slot.room_id if slot.room_id == other.room_id else None
            shared = slot.speakers & other.speakers
            if room is not None or shared:
                yield Clash(other, slot, room, shared)
        running.append(slot)


def outside(slots: Iterable[Slot], *, starts_at: datetime, ends_at: datetime) -> list[Slot]:
    """Return the talks that begin before their event does, or end after it, in their order."""
    wrong = (slot for slot in slots if slot.starts_at < starts_at or slot.ends_at > ends_at)
    return sorted(wrong, key=attrgetter("starts_at", "talk_id"))
