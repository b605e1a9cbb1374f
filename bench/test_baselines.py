"""The baselines: the time that icalendar, SQLAlchemy and orjson need for the work of eventcal."""

from itertools import count

import orjson
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from sqlalchemy import Connection, select

from bench.external_writer import ExternalWriter
from bench.icalendar_baseline import EntryProperties, render_entry, render_feed
from eventcal.events.models import Event, Room, Track
from eventcal.kit.database import Database
from eventcal.speakers.models import Speaker
from eventcal.talks.models import Talk, TalkSpeaker, TalkTag

_PAGE_SIZE = 50


@pytest.mark.parametrize("size", [1000, 10_000], ids=lambda size: f"of {size}")
def test_icalendar_renders_a_feed(
    benchmark: BenchmarkFixture, entries: list[EntryProperties], size: int, rounds: int
) -> None:
    many = (entries[1:] * (size // 1000))[:size]
    benchmark.pedantic(render_feed, (many,), rounds=max(2, rounds * 500 // size), warmup_rounds=1)


def test_icalendar_renders_one_entry(benchmark: BenchmarkFixture, entries: list[EntryProperties]) -> None:
    benchmark(render_entry, entries[1])


def test_icalendar_renders_200_entries(
    benchmark: BenchmarkFixture, entries: list[EntryProperties], rounds: int
) -> None:
    benchmark.pedantic(lambda: [render_entry(one) for one in entries[1:201]], rounds=rounds, warmup_rounds=1)


def test_sqlalchemy_core_and_orjson_render_a_talk_list(benchmark: BenchmarkFixture, database: Database) -> None:
    def read() -> bytes:
        with database.engine.connect() as connection:
            return _render_talk_list(connection)

    benchmark(read)


def test_sqlalchemy_orm_edits_a_talk_and_icalendar_renders_it(
    benchmark: BenchmarkFixture,
    database: Database,
    external_writer: ExternalWriter,
    entries: list[EntryProperties],
    rounds: int,
) -> None:
    numbers = count(1)

    def edit() -> bytes:
        number = next(numbers)
        with database.unit_of_work() as unit:
            talk = unit.session.get_one(Talk, external_writer.talks[100 + number])
            talk.title = f"A title by hand, number {number}"
        return render_entry(entries[1])

    benchmark.pedantic(edit, rounds=3 * rounds, warmup_rounds=3)


def _render_talk_list(connection: Connection) -> bytes:
    """Return the first page of public talks with the columns of the API resource, but without computed fields."""
    columns = [column for column in Talk.__table__.columns if column.name not in {"search", "notes"}]
    rows = (
        select(*columns, Event.slug, Event.timezone, Room.name.label("room"), Track.name.label("track"))
        .join(Event, Talk.event_id == Event.id)
        .outerjoin(Room, Talk.room_id == Room.id)
        .outerjoin(Track, Talk.track_id == Track.id)
        .where(Talk.published_at.is_not(None))
        .order_by(Talk.sort_at, Talk.id)
        .limit(_PAGE_SIZE)
    )
    talks = {row["id"]: {**row, "speakers": [], "tags": []} for row in connection.execute(rows).mappings()}
    speaking = select(TalkSpeaker.talk_id, Speaker.slug, Speaker.name, Speaker.job_title, Speaker.affiliation)
    on_stage = speaking.join(Speaker, TalkSpeaker.speaker_id == Speaker.id).where(TalkSpeaker.talk_id.in_(talks))
    for talk_id, slug, name, job_title, affiliation in connection.execute(on_stage.order_by(TalkSpeaker.position)):
        shown = {"slug": slug, "name": name, "job_title": job_title, "affiliation": affiliation}
        talks[talk_id]["speakers"].append(shown)
    tags = select(TalkTag.talk_id, TalkTag.tag).where(TalkTag.talk_id.in_(talks)).order_by(TalkTag.position)
    for talk_id, tag in connection.execute(tags):
        talks[talk_id]["tags"].append(tag)
    return orjson.dumps({"items": list(talks.values()), "next": None})
