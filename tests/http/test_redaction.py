"""Redaction: no table and no file of the database contains the text of a redacted event or talk."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import MetaData, select

from tests.api_client import ApiClient
from tests.http_app import database_of

pytestmark = pytest.mark.both_databases

WORD = "Zyzzyva"
EVENT = {
    "slug": "secret",
    "title": f"{WORD} days",
    "summary": WORD,
    "description": f"All about {WORD}.",
    "timezone": "Europe/Berlin",
    "starts": "2026-06-10",
    "location": {"venue": WORD, "city": WORD},
    "call_for_talks": {"note": WORD},
}
TALK = {"title": f"The {WORD}", "abstract": f"A {WORD} is an insect.", "notes": WORD, "tags": [WORD.lower()]}


def rows_with_word(app: Flask) -> Iterator[str]:
    """Yield the name of a table for each row that contains the word."""
    tables = MetaData()
    with database_of(app).read_session() as session:
        tables.reflect(session.connection())
        for table in tables.sorted_tables:
            for row in session.execute(select(table)):
                if WORD.lower() in str(row).lower():
                    yield table.name


def files_with_word(app: Flask) -> Iterator[str]:
    """Yield the name of each SQLite file that contains the word."""
    with database_of(app).read_connection() as connection:
        path = next(row[2] for row in connection.exec_driver_sql("PRAGMA database_list") if row[1] == "main")
    files = list(Path(path).parent.glob(f"{Path(path).name}*"))
    assert files
    for file in files:
        if WORD.lower().encode() in file.read_bytes().lower():
            yield file.name


@pytest.fixture
def talk_id(app: Flask, member: ApiClient, moderator: ApiClient) -> str:
    """Publish an event and a talk that contain the word. The decision on the talk is reported by email."""
    assert member.post("/events", EVENT).status == 201
    assert moderator.post("/events/secret/publish").status == 200
    talk: str = member.post("/events/secret/talks", TALK, Idempotency_Key="1").json["id"]
    assert member.patch(f"/talks/{talk}", {"abstract": f"{WORD}! " * 500}).status == 200
    assert moderator.post(f"/talks/{talk}/waitlist", {"reason": WORD}).status == 200
    assert "outbox_messages" in set(rows_with_word(app))
    if database_of(app).engine.dialect.name == "sqlite":
        assert list(files_with_word(app)) != []
    return talk


def test_redacting_an_event_and_its_talk_erases_their_text(app: Flask, moderator: ApiClient, talk_id: str) -> None:
    assert moderator.post(f"/talks/{talk_id}/redact").status == 200
    assert moderator.post("/events/secret/redact").status == 200
    assert list(rows_with_word(app)) == []
    if database_of(app).engine.dialect.name == "sqlite":
        assert list(files_with_word(app)) == []


def test_redacting_only_the_talk_leaves_the_event(app: Flask, moderator: ApiClient, talk_id: str) -> None:
    assert moderator.post(f"/talks/{talk_id}/redact").status == 200
    assert "outbox_messages" not in set(rows_with_word(app))
    assert moderator.get("/events/secret").json["title"] == EVENT["title"]
