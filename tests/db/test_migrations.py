import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, column, create_engine, inspect, select, table, text
from sqlalchemy.engine.interfaces import ReflectedIndex

from eventcal.kit import migrate
from eventcal.kit.clock import SystemClock
from eventcal.kit.database import MIGRATIONS, Database
from eventcal.kit.models import UtcDateTime
from eventcal.members.enums import Role
from eventcal.members.models import AccessToken, IdempotencyRecord
from eventcal.schema import metadata
from tests.clocks import NOON

REVISIONS = sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("0*.py"))
INSERT_MEMBER = (
    "INSERT INTO members (id, email, email_key, name, active, fs_uniquifier, role, created_at)"
    " VALUES ('m', 'a@b.example', 'a@b.example', 'A', true, 'u', 'member', '2026-03-01 12:00:00')"
)


def query_rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.read_connection() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def describe_schema(connection: Connection) -> dict[str, dict[str, Any]]:
    """Return the columns, keys, constraints and indexes of each table, as the database reports them."""
    looked = inspect(connection)

    def by_name(things: list[Any]) -> list[Any]:
        return sorted(things, key=lambda thing: str(thing["name"]))

    return {
        name: {
            "columns": [column | {"type": repr(column["type"])} for column in looked.get_columns(name)],
            "primary key": looked.get_pk_constraint(name),
            "foreign keys": by_name(looked.get_foreign_keys(name)),
            "unique": by_name(looked.get_unique_constraints(name)),
            "checks": by_name(looked.get_check_constraints(name)),
            "indexes": by_name(
                [{**index, "dialect_options": _options_as_text(index)} for index in looked.get_indexes(name)]
            ),
        }
        for name in looked.get_table_names()
        if name != "alembic_version"
    }


def _options_as_text(index: ReflectedIndex) -> dict[str, Any]:
    # The conditions of partial indexes are SQLAlchemy expressions, which are never equal.
    return {"dialect_options": {name: str(value) for name, value in index.get("dialect_options", {}).items()}}


def list_database_objects(connection: Connection) -> list[str]:
    """Return the names of all database objects: tables, indexes, sequences and views."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    else:
        query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname"
    return [name for (name,) in connection.execute(text(query))]


def test_head_matches_the_models_according_to_autogenerate(database: Database) -> None:
    with database.read_connection() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_head_schema_equals_the_schema_created_from_the_models(database: Database) -> None:
    with database.read_connection() as connection:
        migrated = describe_schema(connection)
    migrate.downgrade(database.engine, "base")
    metadata.create_all(database.engine)
    with database.read_connection() as connection:
        assert migrated == describe_schema(connection)


def test_downgrade_to_base_removes_everything_but_the_version_table(database: Database) -> None:
    migrate.downgrade(database.engine, "base")
    with database.read_connection() as connection:
        left = list_database_objects(connection)
    assert [name for name in left if not name.startswith("alembic_version")] == []
    assert query_rows(database, "SELECT * FROM alembic_version") == []


def test_every_migration_can_be_downgraded_and_upgraded_again(database: Database) -> None:
    with database.read_connection() as connection:
        before = describe_schema(connection)
    for revision in ("base", *REVISIONS[:-1]):
        migrate.downgrade(database.engine, revision)
        assert not database.is_migrated()
        migrate.upgrade(database.engine)
        with database.read_connection() as connection:
            assert describe_schema(connection) == before
        assert database.is_migrated()


def test_ledger_state_starts_with_one_row(database: Database) -> None:
    names = ("id", "revision", "changed_at", "full_rebuild_revision", "last_serial", "renderer_version")
    state = table("feed_state", *(column(name, UtcDateTime() if name == "changed_at" else None) for name in names))
    with database.read_connection() as connection:
        found = [tuple(row) for row in connection.execute(select(state))]
    assert found == [(1, 0, datetime(1970, 1, 1, tzinfo=UTC), 0, 0, "")]


def test_upgrading_an_up_to_date_database_changes_nothing(database: Database) -> None:
    with database.unit_of_work() as unit:
        unit.session.execute(text(INSERT_MEMBER))
        unit.session.execute(text("UPDATE feed_state SET revision = 7"))
    migrate.upgrade(database.engine)
    migrate.upgrade(database.engine)
    assert query_rows(database, "SELECT id FROM members") == [("m",)]
    assert query_rows(database, "SELECT revision FROM feed_state") == [(7,)]


def test_migrate_accepts_a_database_url(database: Database, database_url: str) -> None:
    migrate.downgrade(database_url, "0001")
    assert not database.is_migrated()
    migrate.upgrade(database_url)
    assert database.is_migrated()


def test_concurrent_upgrades_run_one_after_another(database: Database) -> None:
    migrate.downgrade(database.engine, "base")
    with ThreadPoolExecutor(2) as both:
        list(both.map(migrate.upgrade, [database.engine, database.engine]))
    assert database.is_migrated()
    assert query_rows(database, "SELECT id FROM feed_state") == [(1,)]


def test_database_without_schema_is_not_migrated(database: Database) -> None:
    migrate.downgrade(database.engine, "base")
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    assert not database.is_migrated()
    migrate.upgrade(database.engine)
    assert database.is_migrated()


def test_database_of_a_later_release_is_rejected_and_unchanged(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not database.is_migrated()
    with pytest.raises(CommandError, match="9999"):
        migrate.upgrade(database.engine)
    assert query_rows(database, "SELECT version_num FROM alembic_version") == [("9999",)]


def test_failed_migration_rolls_back_earlier_ones(database: Database) -> None:
    migrate.downgrade(database.engine, "base")
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE ledger_entries (in_the_way INTEGER)"))
    with pytest.raises(Exception, match="already exists"):
        migrate.upgrade(database.engine)
    with database.read_connection() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version", "ledger_entries"}


def test_sqlite_migration_that_leaves_dangling_references_fails(sqlite_url: str) -> None:
    migrate.downgrade(sqlite_url, "0002")
    engine = create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO event_tags (event_id, position, tag) VALUES ('gone', 0, 'python')"))
    with pytest.raises(RuntimeError, match="event_tags"):
        migrate.upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0002"
    engine.dispose()


INSERT_OLD_ENTRY = (
    "INSERT INTO ledger_entries (uid, kind, subject_id, public_id, deleted, cancelled, sequence, revision, stamp,"
    " created_at, zone, first_day, last_day, content, ics) VALUES (:uid, :kind, :uid, :uid, false, false, 3, 5,"
    " '2026-03-01 12:00:00', :created_at, NULL, '2026-06-10', '2026-06-12', 'abc', 'BEGIN:VEVENT')"
)


def test_upgrade_numbers_existing_entries_by_age_and_resets_the_renderer(database: Database) -> None:
    migrate.downgrade(database.engine, "0004")
    ages = {"young": "2026-03-01 12:00:00", "b": "2024-03-01 12:00:00", "a": "2024-03-01 12:00:00"}
    with database.engine.begin() as connection:
        for uid, created_at in ages.items():
            connection.execute(text(INSERT_OLD_ENTRY), {"uid": uid, "kind": "talk", "created_at": created_at})
        connection.execute(text("UPDATE ledger_state SET revision = 7, renderer = 'r'"))
    migrate.upgrade(database.engine)
    kept = "uid, serial, sequence, revision, content_hash, ics, tombstone_until"
    assert query_rows(database, f"SELECT {kept} FROM feed_entries ORDER BY serial") == [  # noqa: S608 - constant query
        (uid, number, 3, 5, "abc", "BEGIN:VEVENT", None) for number, uid in enumerate(["a", "b", "young"], start=1)
    ]
    assert query_rows(
        database, "SELECT revision, full_rebuild_revision, last_serial, renderer_version FROM feed_state"
    ) == [(7, 7, 3, "")]


def test_downgrade_drops_entry_kinds_unknown_to_older_release(database: Database) -> None:
    migrate.downgrade(database.engine, "0004")
    with database.engine.begin() as connection:
        for kind in ("event", "talk", "opening", "closing"):
            connection.execute(text(INSERT_OLD_ENTRY), {"uid": kind, "kind": kind, "created_at": "2026-03-01 12:00:00"})
    migrate.upgrade(database.engine)
    migrate.downgrade(database.engine, "0004")
    assert query_rows(database, "SELECT uid FROM ledger_entries ORDER BY uid") == [("event",), ("talk",)]


def test_renamed_tables_keep_their_rows_and_continue_their_ids(database: Database) -> None:
    migrate.downgrade(database.engine, "0009")
    with database.engine.begin() as connection:
        connection.execute(text(INSERT_MEMBER))
        connection.execute(
            text(
                "INSERT INTO kept_answers (id, member_id, key, fingerprint, status, body, kept_at)"
                " VALUES (41, 'm', 'k', 'f', 201, '{}', '2026-03-01 12:00:00')"
            )
        )
        connection.execute(text("UPDATE ledger_state SET revision = 7, numbers = 3, reshaped_at = 5, renderer = 'r'"))
    migrate.upgrade(database.engine)
    assert query_rows(database, "SELECT id, last_serial, full_rebuild_revision, renderer_version FROM feed_state") == [
        (1, 3, 5, "r")
    ]
    with database.unit_of_work() as unit:
        record = {"member_id": "m", "fingerprint": "f", "status": 201, "body": "{}", "created_at": NOON}
        unit.session.add(IdempotencyRecord(key="another", **record))
    assert query_rows(database, "SELECT id, key FROM idempotency_keys ORDER BY id") == [(41, "k"), (42, "another")]


def test_upgrade_limits_existing_tokens_to_current_role_and_one_year(database: Database) -> None:
    migrate.downgrade(database.engine, "0016")
    in_a_year, in_a_month = datetime.now(UTC) + timedelta(days=365), datetime.now(UTC) + timedelta(days=30)
    with database.engine.begin() as connection:
        connection.execute(text(INSERT_MEMBER))
        for name, expires_at in {"a": None, "b": in_a_month, "c": in_a_year + timedelta(days=3000)}.items():
            token = {"id": name, "expires_at": expires_at and f"{expires_at:%Y-%m-%d %H:%M:%S+00:00}"}
            connection.execute(
                text(
                    "INSERT INTO access_tokens (id, member_id, name, token_hash, scopes, expires_at, created_at)"
                    " VALUES (:id, 'm', 'x', :id, '[\"admin\"]', :expires_at, '2026-03-01 12:00:00+00:00')"
                ),
                token,
            )
    migrate.upgrade(database.engine)
    with database.read_session() as session:
        tokens = session.scalars(select(AccessToken).order_by(AccessToken.id)).all()
    assert {token.granted_role for token in tokens} == {Role.MEMBER}
    expected = [in_a_year, in_a_month, in_a_year]
    assert all(abs(token.expires_at - at) < timedelta(hours=1) for token, at in zip(tokens, expected, strict=True))


def test_other_users_cannot_read_a_new_sqlite_database(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        migrate.upgrade(f"sqlite:///{tmp_path}/new.db")
        database = Database(f"sqlite:///{tmp_path}/new.db", clock=SystemClock())
        with database.unit_of_work() as unit:
            unit.session.execute(text("UPDATE feed_state SET revision = revision"))
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        database.engine.dispose()
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(modes, 0o600)
    assert {"new.db", "new.db-wal"} <= modes.keys()
