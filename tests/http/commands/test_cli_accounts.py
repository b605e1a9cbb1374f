from pathlib import Path

import pytest

from tests.clocks import FixedClock
from tests.command_line import CommandLine, open_app
from tests.datasets import EVENT_RECORD
from tests.html_browser import HtmlBrowser, create_browser
from tests.http_app import PASSWORD, post_to_api, sign_in_with_password, status_and_code
from tests.second_factors import set_up_app


@pytest.fixture
def cli(tmp_path: Path, sqlite_url: str) -> CommandLine:
    """Return the command line with a migrated database."""
    assert sqlite_url == f"sqlite:///{tmp_path}/eventcal.db"
    return CommandLine(tmp_path)


# Members


def test_added_member_can_sign_in(cli: CommandLine, clock: FixedClock) -> None:
    arguments = ("members", "add", "Ada@Example.ORG", "--name", "Ada Lovelace", "--role", "admin", "--password-stdin")
    assert cli.run_ok(*arguments, typed=f"{PASSWORD}\n") == (
        "Ada Lovelace can sign in as Ada@example.org, with the role admin.\n"
    )
    with open_app(cli, clock) as app:
        member = sign_in_with_password(app, "ada@example.org").member
    assert (member["name"], member["role"], member["confirmed"]) == ("Ada Lovelace", "admin", True)


def test_too_short_password_is_rejected(cli: CommandLine) -> None:
    arguments = ("members", "add", "ada@example.org", "--name", "Ada", "--password-stdin")
    assert cli.run_expecting_error(*arguments, typed="short\n") == "The password must have 8 to 128 characters.\n"
    assert cli.query_rows("SELECT * FROM members") == []


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("password", "is one of the most common passwords; choose another one"),
        ("Ada Lovelace1", "must not be your name, your email address or the name of the calendar"),
    ],
)
def test_easily_guessed_password_is_rejected(cli: CommandLine, password: str, problem: str) -> None:
    arguments = ("add", "ada@example.org", "--name", "Ada Lovelace", "--password-stdin")
    assert cli.run_expecting_error("members", *arguments, typed=password) == f"The password {problem}.\n"
    cli.run_ok("members", *arguments, typed=PASSWORD)
    change = ("password", "ada@example.org", "--password-stdin")
    assert cli.run_expecting_error("members", *change, typed=password) == f"The password {problem}.\n"


def test_email_address_cannot_have_two_accounts(cli: CommandLine) -> None:
    add_member(cli)
    said = cli.run_expecting_error(
        "members", "add", "ADA@example.org", "--name", "Ada", "--password-stdin", typed=PASSWORD
    )
    assert said == (
        "ADA@example.org already has an account. "
        "Change it with `eventcal members role` or `eventcal members password`.\n"
    )


def add_member(cli: CommandLine, email: str = "ada@example.org") -> None:
    cli.run_ok("members", "add", email, "--name", "Ada", "--password-stdin", typed=PASSWORD)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("add", "ada@example.org", "--name", "Ada"),
            "Pass --password-stdin and write the password to standard input.",
        ),
        (("add", "ada", "--name", "Ada"), "must be an email address such as ada@example.org"),
        (("add", "ada@example.org", "--name", " "), "must not be blank"),
        (("add", "ada@example.org", "--name", "A" * 201), "must have at most 200 characters"),
        (("add", "ada@example.org"), "Missing option '--name'."),
        (("role", "ada@example.org", "king"), "'king' is not one of 'member', 'moderator', 'admin'."),
        (("password", "ada@example.org"), "Pass --password-stdin"),
    ],
)
def test_incorrect_usage_is_explained(cli: CommandLine, arguments: tuple[str, ...], says: str) -> None:
    assert says in cli.run_expecting_usage_error("members", *arguments)


def test_members_role_changes_role(cli: CommandLine) -> None:
    add_member(cli)
    assert cli.run_ok("members", "role", "ada@example.org", "moderator") == (
        "ada@example.org now has the role moderator.\n"
    )
    assert cli.query_rows("SELECT role FROM members") == [("moderator",)]


@pytest.mark.parametrize(
    "arguments",
    [("role", "ada@example.org", "admin"), ("password", "ada@example.org"), ("reset-factors", "ada@example.org")],
)
def test_commands_reject_email_without_account(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    from_stdin = ("--password-stdin",) if arguments[0] == "password" else ()
    assert cli.run_expecting_error("members", *arguments, *from_stdin, typed=PASSWORD) == (
        "No account has this email address. Ask the person to register first.\n"
    )


def test_password_change_ends_existing_sessions(cli: CommandLine, clock: FixedClock) -> None:
    add_member(cli)
    with open_app(cli, clock) as app:
        browser = sign_in_with_password(app)
        cli.run_ok("members", "password", "ada@example.org", "--password-stdin", typed="battery staple\n")
        assert browser.get("/me").status_code == 401
        assert sign_in_with_password(app, password="battery staple").get("/me").status_code == 200


def test_reset_factors_restores_sign_in_with_password_alone(cli: CommandLine, clock: FixedClock) -> None:
    add_member(cli)
    with open_app(cli, clock) as app:
        ada = HtmlBrowser(sign_in_with_password(app).client, create_browser(app).response)
        set_up_app(ada, clock)
        assert (
            status_and_code(post_to_api(app, "/auth/login", {"email": "ada@example.org", "password": PASSWORD}))[0]
            == 401
        )
        assert cli.run_ok("members", "reset-factors", "ada@example.org") == (
            "ada@example.org can now sign in with the password alone. All of their sessions have ended.\n"
        )
        assert ada.client.get("/api/v1/me").status_code == 401
        assert sign_in_with_password(app).get("/me").status_code == 200
    assert cli.query_rows("SELECT * FROM recovery_codes") == cli.query_rows("SELECT * FROM passkeys") == []


# Teams


def test_team_commands_add_and_remove_members(cli: CommandLine) -> None:
    cli.run_ok("load", cli.write_dataset(events=[EVENT_RECORD]))
    for email in ("ada@example.org", "grace@example.org"):
        add_member(cli, email)
    team = ("events", "team", "summit")
    assert (
        cli.run_ok(*team, "add", "ada@example.org")
        == "ada@example.org is now on the team of summit, with the role organiser.\n"
    )
    assert cli.run_ok(*team, "add", "grace@example.org", "--role", "reviewer") == (
        "grace@example.org is now on the team of summit, with the role reviewer.\n"
    )
    query = "SELECT email, team_members.role FROM team_members JOIN members ON id = member_id ORDER BY email"
    assert cli.query_rows(query) == [("ada@example.org", "organiser"), ("grace@example.org", "reviewer")]
    assert cli.run_ok(*team, "remove", "grace@example.org") == (
        "grace@example.org is no longer on the team of summit.\n"
    )
    assert (
        cli.run_expecting_error(*team, "remove", "ada@example.org")
        == "An event needs at least one organiser. Add another organiser first.\n"
    )
    assert cli.query_rows(query) == [("ada@example.org", "organiser")]


def test_team_command_rejects_unknown_event(cli: CommandLine) -> None:
    add_member(cli)
    assert (
        cli.run_expecting_error("events", "team", "nowhere", "add", "ada@example.org") == "Event “nowhere” not found.\n"
    )


# Members who have not confirmed their address


@pytest.mark.parametrize(
    ("arguments", "granted"),
    [
        (("members", "role", "ada@example.org", "moderator"), "SELECT role FROM members WHERE role != 'member'"),
        (("events", "team", "summit", "add", "ada@example.org"), "SELECT role FROM team_members"),
    ],
)
def test_granting_a_role_to_an_unconfirmed_member_requires_yes(
    cli: CommandLine, arguments: tuple[str, ...], granted: str
) -> None:
    cli.run_ok("load", cli.write_dataset(events=[EVENT_RECORD]))
    add_member(cli)
    cli.query_rows("UPDATE members SET confirmed_at = NULL")
    mailing = {"EVENTCAL_MAIL_URL": "smtp://mail.example.org"}
    assert cli.run_expecting_error(*arguments, **mailing) == (
        "ada@example.org is not confirmed. Anybody may have registered it. "
        "Ask the member to confirm it, or repeat the command with --yes.\n"
    )
    assert cli.query_rows(granted) == []
    assert "The address is not confirmed: until it is, the role has no effect." in cli.run_ok(
        *arguments, "--yes", **mailing
    )
    assert len(cli.query_rows(granted)) == 1


def test_role_is_taken_from_an_unconfirmed_member_without_yes(cli: CommandLine) -> None:
    add_member(cli)
    cli.query_rows("UPDATE members SET confirmed_at = NULL, role = 'admin'")
    cli.run_ok("members", "role", "ada@example.org", "member", EVENTCAL_MAIL_URL="smtp://mail.example.org")
    assert cli.query_rows("SELECT role FROM members") == [("member",)]
