"""Feeds after the database file was replaced, or after the server closed its connections."""

import shutil
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from eventcal.talks.models import Talk
from tests.feed_support.feed_client import create_calendar, fetch, set_title


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_cached_feed_of_a_replaced_database_file_is_not_served(app: Flask, database_url: str) -> None:
    create_calendar(app)
    path = Path(database_url.removeprefix("sqlite:///"))
    files = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
    for file in files:
        shutil.copyfile(file, f"{file}.backup")
    set_title(app, Talk, "scheduled", title="Changed after the backup")
    assert "Changed after the backup" in fetch(app, "/calendar.ics").text
    for file in files:
        Path(f"{file}.backup").replace(file)
    # The restored database gets the same revision as the cached feed, with other content.
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE feed_state SET revision = revision + 1"))
    engine.dispose()
    assert "Changed after the backup" not in fetch(app, "/calendar.ics").text


@pytest.mark.both_databases
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_feed_is_current_after_the_server_closed_all_connections(app: Flask, database_url: str) -> None:
    create_calendar(app)
    before = fetch(app, "/calendar.ics")
    engine = create_engine(database_url)
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ).all()
    engine.dispose()
    after = fetch(app, "/calendar.ics", If_None_Match=before.headers["ETag"])
    assert after.status_code == 304
