"""Commands for members, roles, passwords and event teams."""

import sys

import click

from eventcal.cli.common import open_app_context, open_services, open_unit_of_work
from eventcal.config import Settings
from eventcal.events.enums import TeamRole
from eventcal.events.queries import get_event
from eventcal.events.service import add_team_member, remove_team_member
from eventcal.kit.errors import Invalid
from eventcal.kit.text import single_line_error
from eventcal.kit.validators import too_long_message
from eventcal.members.access import reinstate_member, suspend_member
from eventcal.members.authentication_factors import delete_all_passkeys, remove_second_factors
from eventcal.members.caller import OPERATOR
from eventcal.members.enums import Role
from eventcal.members.errors import DuplicateEmail, EmailNotConfirmed
from eventcal.members.password_rules import normalise_password, password_errors
from eventcal.members.service import (
    change_role,
    create_member,
    delete_all_access_tokens,
    find_member_by_email,
    get_member_by_email,
    is_email_confirmed,
    normalise_email,
)
from eventcal.speakers.service import prefer_member_data
from eventcal.web.identity.accounts import change_password
from eventcal.web.identity.password_hashes import hash_password

_MAX_NAME_LENGTH = 200
_NOT_CONFIRMED_YET = " The address is not confirmed: until it is, the role has no effect."


def _parse_email(_context: click.Context, _parameter: click.Parameter, email: str) -> str:
    try:
        return normalise_email(email)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _validate_name(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    if error := single_line_error(name):
        raise click.BadParameter(error)
    if len(name) > _MAX_NAME_LENGTH:
        raise click.BadParameter(too_long_message(_MAX_NAME_LENGTH))
    return name


_email_argument = click.argument("email", callback=_parse_email)
_unconfirmed_option = click.option("--yes", is_flag=True, help="Also grant the role if the address is not confirmed.")
_password_stdin_option = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.group()
def members() -> None:
    """Manage members."""


@members.command()
@_email_argument
@click.option("--name", metavar="NAME", callback=_validate_name, required=True, help="Name of the member.")
@click.option("--role", type=click.Choice(Role, case_sensitive=False), default=Role.MEMBER, show_default=True)
@_password_stdin_option
def add(*, email: str, name: str, role: Role, password_stdin: bool) -> None:
    """Add a member with a confirmed email address."""
    given = _read_password(from_stdin=password_stdin)
    with open_services() as services:
        hashed = _hash_new_password(given, services.settings, email=email, name=name)
        with services.database.unit_of_work() as unit:
            session, now = unit.session, unit.now
            if find_member_by_email(session, email) is not None:
                hint = "Change it with `eventcal members role` or `eventcal members password`."
                raise DuplicateEmail(f"{email} already has an account. {hint}")
            member = create_member(
                session, email=email, name=name, password_hash=hashed, now=now, confirmed_at=now, role=role
            )
            prefer_member_data(session, member, now=now)
    click.echo(f"{name} can sign in as {email}, with the role {role}.")


@members.command("role")
@_email_argument
@click.argument("role", type=click.Choice(Role, case_sensitive=False))
@_unconfirmed_option
def set_role(*, email: str, role: Role, yes: bool) -> None:
    """Set a member's role on the site. Each role includes the permissions of the previous ones.

    A role takes effect only once the member has confirmed their email address.
    """
    with open_services() as services, services.database.unit_of_work() as unit:
        member = get_member_by_email(unit.session, email)
        confirmed = is_email_confirmed(member, services.settings)
        if not (confirmed or yes or role == Role.MEMBER):
            raise _not_confirmed(email)
        change_role(unit.session, member, role)
    click.echo(f"{email} now has the role {role}.{'' if confirmed else _NOT_CONFIRMED_YET}")


@members.command("password")
@_email_argument
@_password_stdin_option
def set_password(*, email: str, password_stdin: bool) -> None:
    """Set a member's password. Revokes all sessions, access tokens and passkeys of the member."""
    given = _read_password(from_stdin=password_stdin)
    with open_app_context() as services:
        with services.database.read_session() as session:
            member = get_member_by_email(session, email)
        password_hash = _hash_new_password(given, services.settings, email=email, name=member.name)
        with services.database.unit_of_work() as unit:
            member = get_member_by_email(unit.session, email)
            delete_all_access_tokens(unit.session, member)
            delete_all_passkeys(unit.session, member)
            change_password(unit.session, member, password_hash, now=unit.now)
    click.echo(f"{email} has a new password. All sessions, access tokens and passkeys have been revoked.")


@members.command()
@_email_argument
def suspend(*, email: str) -> None:
    """Suspend a member, who can then no longer sign in.

    This ends their sessions, and revokes their access tokens and secret feeds. The content of the member stays public.
    """
    with open_unit_of_work() as unit:
        suspend_member(unit.session, get_member_by_email(unit.session, email), now=unit.now)
    click.echo(f"{email} is suspended. All of their sessions, access tokens and secret feeds have ended.")


@members.command()
@_email_argument
def reinstate(*, email: str) -> None:
    """Allow a suspended member to sign in again."""
    with open_unit_of_work() as unit:
        reinstate_member(unit.session, get_member_by_email(unit.session, email))
    click.echo(f"{email} can sign in again.")


@members.command("reset-factors")
@_email_argument
def remove_member_factors(*, email: str) -> None:
    """Remove the authenticator app, recovery codes and passkeys of a member who has lost their devices.

    This also ends their sessions. Verify the identity of the member first.
    """
    with open_unit_of_work() as unit:
        remove_second_factors(unit.session, get_member_by_email(unit.session, email))
    click.echo(f"{email} can now sign in with the password alone. All of their sessions have ended.")


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.read().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("Pass --password-stdin and write the password to standard input.")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _hash_new_password(password: str, settings: Settings, *, email: str, name: str) -> str:
    normal = normalise_password(password)
    if errors := password_errors(normal, personal_texts=(settings.name, email, name)):
        raise Invalid(f"The password {'; '.join(errors)}.")
    return hash_password(normal)


@click.group()
def events() -> None:
    """Manage events."""


@events.group()
@click.argument("slug")
@click.pass_context
def team(context: click.Context, slug: str) -> None:
    """Manage the organisers and reviewers of the event SLUG."""
    context.obj = slug


@team.command("add")
@_email_argument
@click.option(
    "--role", type=click.Choice(TeamRole, case_sensitive=False), default=TeamRole.ORGANISER, show_default=True
)
@_unconfirmed_option
@click.pass_obj
def team_add(slug: str, *, email: str, role: TeamRole, yes: bool) -> None:
    """Add a member to the team, or change their role in it.

    The role takes effect only once the member has confirmed their email address.
    """
    with open_services() as services, services.database.unit_of_work() as unit:
        event = get_event(unit.session, slug, OPERATOR)
        member = get_member_by_email(unit.session, email)
        confirmed = is_email_confirmed(member, services.settings)
        if not (confirmed or yes):
            raise _not_confirmed(email)
        add_team_member(unit.session, event, member, role=role)
    click.echo(f"{email} is now on the team of {slug}, with the role {role}.{'' if confirmed else _NOT_CONFIRMED_YET}")


def _not_confirmed(email: str) -> EmailNotConfirmed:
    hint = "Anybody may have registered it. Ask the member to confirm it, or repeat the command with --yes."
    return EmailNotConfirmed(f"{email} is not confirmed. {hint}")


@team.command("remove")
@_email_argument
@click.pass_obj
def team_remove(slug: str, *, email: str) -> None:
    """Remove a member from the team."""
    with open_unit_of_work() as unit:
        event = get_event(unit.session, slug, OPERATOR)
        remove_team_member(unit.session, event, get_member_by_email(unit.session, email).id)
    click.echo(f"{email} is no longer on the team of {slug}.")
