import json
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from eventcal.cli.common import progress_bar
from tests.clocks import FixedClock
from tests.command_line import CommandLine, open_app
from tests.datasets import EVENT_RECORD, SPEAKER_RECORD, TALK_RECORD
from tests.http_app import PASSWORD, sign_in_with_password

COMMANDS = [
    ("demo",),
    ("load", "file.json"),
    ("recompute-instants",),
    ("db", "check"),
    ("serve",),
    ("members", "role", "ada@example.org", "admin"),
    ("members", "add", "ada@example.org", "--name", "Ada", "--password-stdin"),
    ("members", "password", "ada@example.org", "--password-stdin"),
    ("events", "team", "summit", "add", "ada@example.org"),
    ("events", "team", "summit", "remove", "ada@example.org"),
]


@pytest.fixture
def cli_without_database(tmp_path: Path) -> CommandLine:
    """Return the command line with an empty instance folder."""
    return CommandLine(tmp_path)


@pytest.fixture
def cli(tmp_path: Path, sqlite_url: str) -> CommandLine:
    """Return the command line with a migrated database."""
    assert sqlite_url == f"sqlite:///{tmp_path}/eventcal.db"
    return CommandLine(tmp_path)


# All commands


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_command_without_schema_fails_and_suggests_db_upgrade(
    cli_without_database: CommandLine, command: tuple[str, ...]
) -> None:
    (cli_without_database.instance / "file.json").write_text("{}")
    arguments = [str(cli_without_database.instance / word) if word == "file.json" else word for word in command]
    assert cli_without_database.run_expecting_error(*arguments, typed=PASSWORD) == (
        "The database schema is out of date. Run `eventcal db upgrade` first.\n"
    )


@pytest.mark.parametrize("command", [("db", "upgrade"), *COMMANDS[2:4]], ids=" ".join)
def test_unreachable_database_error_is_one_sentence_without_password(
    cli_without_database: CommandLine, command: tuple[str, ...]
) -> None:
    url = "postgresql://me:hush@127.0.0.1:1/calendar"
    said = cli_without_database.run_expecting_error(*command, EVENTCAL_DATABASE_URL=url, EVENTCAL_SECRET_KEY="k" * 40)
    assert said.startswith("The database cannot be reached: ")
    assert said.endswith(". Check EVENTCAL_DATABASE_URL.\n")
    assert "hush" not in said


def test_unknown_setting_is_reported_in_one_sentence(cli_without_database: CommandLine) -> None:
    assert cli_without_database.run_expecting_error("db", "check", EVENTCAL_COLOUR="red") == (
        "Unknown settings in the environment: EVENTCAL_COLOUR.\n"
    )


def test_unusable_instance_folder_is_reported_in_one_sentence(cli_without_database: CommandLine) -> None:
    (cli_without_database.instance / "file").write_text("")
    said = cli_without_database.run_expecting_error(
        "db", "upgrade", EVENTCAL_INSTANCE=str(cli_without_database.instance / "file")
    )
    assert said.startswith("The instance folder cannot be used: ")


def test_database_of_later_release_is_reported_in_one_sentence(cli: CommandLine) -> None:
    cli.query_rows("UPDATE alembic_version SET version_num = '9999'")
    assert cli.run_expecting_error("db", "upgrade") == (
        "This release of eventcal cannot upgrade this database: Can't locate revision identified by '9999'.\n"
    )


def test_version_option_prints_version(cli_without_database: CommandLine) -> None:
    assert re.fullmatch(r"eventcal, version [0-9.]+\n", cli_without_database.run_ok("--version"))


# The database


def test_second_database_upgrade_changes_nothing(cli_without_database: CommandLine) -> None:
    assert cli_without_database.run_ok("db", "upgrade") == "The database was upgraded.\n"
    assert cli_without_database.run_ok("db", "upgrade") == "The database is up to date.\n"
    assert cli_without_database.run_ok("db", "check") == "The database is up to date.\n"


def test_upgrade_with_new_base_url_rerenders_entries_and_keeps_sequences(cli: CommandLine) -> None:
    cli.run_ok("db", "upgrade")
    cli.run_ok("load", cli.write_dataset(speakers=[SPEAKER_RECORD], events=[EVENT_RECORD], talks=[TALK_RECORD]))
    elsewhere = {"EVENTCAL_BASE_URL": "https://events.example.org"}
    assert cli.run_expecting_error("db", "check", **elsewhere) == (
        "The feeds were rendered by another release, or with another BASE_URL or DOMAIN. "
        "Run `eventcal db upgrade` with the same settings.\n"
    )
    assert cli.run_ok("db", "upgrade", **elsewhere) == (
        "The database is up to date.\n2 entries of the feeds changed.\n"
    )
    entries = cli.query_rows("SELECT sequence, uid, ics FROM feed_entries")
    assert [sequence for sequence, *_ in entries] == [1, 1]
    assert all(uid.endswith("@events.example.org") for _, uid, _ in entries)
    assert all("https://events.example.org/" in ics.replace("\r\n ", "") for *_, ics in entries)
    assert cli.run_ok("db", "upgrade", **elsewhere) == "The database is up to date.\n"


def test_recompute_instants_corrects_stored_start_times(cli: CommandLine) -> None:
    cli.run_ok("db", "upgrade")
    cli.run_ok(
        "load",
        cli.write_dataset(
            speakers=[SPEAKER_RECORD], events=[EVENT_RECORD], talks=[{**TALK_RECORD, "starts": "2026-06-10T09:00:00"}]
        ),
    )
    assert cli.run_ok("recompute-instants") == "0 entries of the feeds changed.\n"
    # Simulate a time zone whose rules changed after the talk was loaded.
    cli.query_rows("UPDATE talks SET starts_at = '2026-06-10 08:00:00'")
    cli.query_rows("UPDATE feed_entries SET content_hash = '' WHERE kind = 'talk'")
    assert cli.run_ok("recompute-instants") == "1 entry of the feeds changed.\n"
    assert cli.query_rows("SELECT starts_at, sequence FROM talks") == [("2026-06-10 07:00:00.000000", 1)]


# Data sets


def test_loading_a_file_again_changes_nothing(cli: CommandLine) -> None:
    file = cli.write_dataset(speakers=[SPEAKER_RECORD], events=[EVENT_RECORD], talks=[TALK_RECORD])
    assert cli.run_ok("load", file) == (
        "Loaded:\n"
        "  speakers: 1 new, 0 changed, 0 unchanged\n"
        "  events: 1 new, 0 changed, 0 unchanged\n"
        "  talks: 1 new, 0 changed, 0 unchanged\n"
    )
    assert cli.run_ok("load", file).startswith("Nothing to load, all records are up to date:\n")


def test_long_commands_run_with_low_priority() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with progress_bar("Loading", length=2) as advance:
        assert os.getpriority(os.PRIO_PROCESS, 0) >= 10
        advance(2)
    # Only privileged processes may increase their priority again.
    assert os.getpriority(os.PRIO_PROCESS, 0) in {before, 10}


def test_invalid_file_reports_all_errors_and_loads_nothing(cli: CommandLine) -> None:
    file = cli.write_dataset(
        events=[EVENT_RECORD, {**EVENT_RECORD, "slug": "Other", "starts": "soon"}], talks=[TALK_RECORD]
    )
    assert cli.run_expecting_error("load", file) == (
        "Nothing was loaded, because the file has 3 errors:\n"
        "  /events/1/slug: must be words of lower-case letters a-z and digits joined by hyphens, "
        "with at most 80 characters\n"
        "  /events/1/starts: 'soon' is neither a date (2014-08-18) "
        "nor a local date-time (2014-06-04T13:30:00)\n"
        "  /talks/0/speakers/0: refers to speaker “ada”, which exists neither in the file nor in the calendar\n"
    )
    assert cli.query_rows("SELECT * FROM events") == []


def test_load_reports_error_of_the_whole_file(cli: CommandLine) -> None:
    path = cli.instance / "list.json"
    path.write_text("[]")
    assert cli.run_expecting_error("load", str(path)) == (
        "Nothing was loaded, because the file has 1 error:\n  file: must be a JSON object\n"
    )


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (Path.resolve, r"gone\.json cannot be read: No such file or directory\.\n"),
        (Path.mkdir, r"gone\.json cannot be read: Is a directory\.\n"),
        (lambda path: path.write_text("{"), r"gone\.json is not JSON in UTF-8: .*, at line 1, column 2\.\n"),
    ],
)
def test_unreadable_file_is_reported_in_one_sentence(
    cli: CommandLine, spoil: Callable[[Path], object], says: str
) -> None:
    spoil(cli.instance / "gone.json")
    assert re.search(says, cli.run_expecting_error("load", str(cli.instance / "gone.json")))


# The demo


def test_demo_is_loaded_once_and_its_organiser_can_sign_in(cli: CommandLine, clock: FixedClock) -> None:
    said = cli.run_ok("demo")
    found = re.fullmatch(
        r"Loaded the Xen Project's calendar of 2014: 8 events and 14 talks, with dates moved by [0-9]+ weeks\. "
        r"The first event starts on [0-9-]{10}\.\n"
        r"Sign in as organiser@example\.org with the password (\S+) \(shown only once\):\n"
        r"  curl -c cookies\.txt -H 'Content-Type: application/json' \\\n"
        r"    -d '(\{.*\})' http://127\.0\.0\.1:8000/api/v1/auth/login\n",
        said,
    )
    assert found is not None, said
    password = found[1]
    assert json.loads(found[2]) == {"email": "organiser@example.org", "password": password}
    with open_app(cli, clock) as app:
        assert sign_in_with_password(app, "organiser@example.org", password).member["role"] == "moderator"
    before = cli.query_rows("SELECT slug, starts, sequence, revision FROM events")
    for arguments in (("demo",), ("demo", "--as-it-was")):
        assert cli.run_ok(*arguments) == (
            "The demo calendar has already been loaded and was not changed.\n"
            "The organiser organiser@example.org already has an account. To set a new password, run\n"
            "  eventcal members password organiser@example.org\n"
        )
    assert cli.query_rows("SELECT slug, starts, sequence, revision FROM events") == before
    with open_app(cli, clock) as app:
        sign_in_with_password(app, "organiser@example.org", password)


def test_demo_as_it_was_keeps_original_dates(cli: CommandLine) -> None:
    said = cli.run_ok("demo", "--as-it-was")
    assert "8 events and 14 talks, with the original dates. The first event starts on 2014-05-29." in said
    assert cli.query_rows("SELECT starts, ends FROM events WHERE slug = 'linuxcon-north-america-2014'") == [
        ("2014-08-20", "2014-08-22")
    ]


# Serving: errors before startup. test_serve.py tests the running server.


def test_serve_rejects_port_in_use(cli: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = cli.run_expecting_error("serve", "--port", str(port))
    assert said.splitlines()[-1] == (
        f"Another process already listens on 127.0.0.1 port {port}. Stop it, or choose another port with --port."
    )


@pytest.mark.parametrize("host", ["203.0.113.9", "nowhere.invalid"])
def test_serve_rejects_address_of_another_machine(cli: CommandLine, host: str) -> None:
    said = cli.run_expecting_error("serve", "--host", host)
    assert said.splitlines()[-1] == f"This machine has no address {host}. Choose another one with --host."


def test_serve_warns_about_outdated_feeds_until_upgrade(cli: CommandLine) -> None:
    said = cli.run_expecting_error("serve", "--host", "203.0.113.9")
    assert said.splitlines()[0] == (
        "The feeds were rendered by another release, or with another BASE_URL or DOMAIN. "
        "Run `eventcal db upgrade` with the same settings."
    )
    cli.run_ok("db", "upgrade")
    assert len(cli.run_expecting_error("serve", "--host", "203.0.113.9").splitlines()) == 1
