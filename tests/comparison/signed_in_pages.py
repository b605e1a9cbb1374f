"""The pages of signed-in users: a member, an organiser, a reviewer and a moderator."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.comparison.public_responses import HTML_TYPE
from tests.comparison.recorder import RecordingClient

_SECTIONS = ("", "/event", "/schedule", "/parts", "/sponsors", "/team", "/publishing")
_EVENT_ACTIONS = ("publish", "cancel", "delete", "redact", "dance")
_TALK_ACTIONS = ("accept", "reject", "waitlist", "cancel", "dance")
_OWN_API_PATHS = ("/me", "/me/talks", "/me/talks?limit=2", "/me/stars", "/me/feeds", "/me/tokens")


@dataclass(frozen=True)
class EventParts:
    """The slug of an event and the ids of its parts, such as rooms and tracks."""

    slug: str
    talks: Sequence[str] = ()
    rooms_and_tracks: Sequence[str] = ()
    tiers: Sequence[str] = ()
    sponsorships: Sequence[str] = ()
    members: Sequence[str] = ()


def record_account_pages(
    person: RecordingClient, talks: Sequence[str], *, event: str, others: Sequence[str] = ()
) -> None:
    """Record the pages and API responses about a member's account, talks and agenda, and other pages."""
    for path in _OWN_API_PATHS:
        person.call_api("GET", path)
    for path in (*_account_paths(talks, event), *others):
        person.get(path, label="en", Accept=HTML_TYPE)
        person.get(path, label="de", Accept=HTML_TYPE, Accept_Language="de")


def record_organiser_pages(person: RecordingClient, parts: EventParts) -> None:
    """Record the pages and API responses for the team of an event, or the error responses for other users."""
    for path in ("", "/talks?state=submitted,waitlisted,rejected,draft", "/team", "/sponsorships", "/tiers"):
        person.call_api("GET", f"/events/{parts.slug}{path}")
    for path in _organiser_paths(parts):
        person.get(path, label="en", Accept=HTML_TYPE)
    for path in (f"/organise/{parts.slug}{section}" for section in _SECTIONS):
        person.get(path, label="de", Accept=HTML_TYPE, Accept_Language="de")
    for one in parts.sponsorships:
        person.call_api("GET", f"/sponsorships/{one}")
    for one in parts.talks:
        person.call_api("GET", f"/talks/{one}")


def _account_paths(talks: Sequence[str], event: str) -> Iterator[str]:
    yield from ("/me", "/me/stars", "/me/stars?past", "/me/feeds", "/me/tokens", "/me/speaker", "/me/account")
    yield from ("/me/security", "/me/security/again", "/me/security/app", "/me/security/app/off", "/me/security/codes")
    yield from ("/me/security/passkeys/new", "/me/account/delete", "/submit", f"/submit?event={event}", "/propose")
    yield "/organise"
    for talk in talks:
        yield from (f"/me/talks/{talk}", f"/me/talks/{talk}/withdraw", f"/me/stars/{talk}")


def _organiser_paths(parts: EventParts) -> Iterator[str]:
    home = f"/organise/{parts.slug}"
    yield from (f"{home}{section}" for section in _SECTIONS)
    yield from (f"{home}?state={state}" for state in ("all", "waiting", "accepted", "rejected", "nonsense"))
    yield from (
        f"{home}?state=all&q=xen",
        f"{home}?tick=all",
        f"{home}/schedule?day=none",
        f"{home}?done=accept&number=2",
    )
    yield from (f"{home}/publishing/{step}" for step in _EVENT_ACTIONS)
    yield from (f"{home}/parts/{part}/remove" for part in parts.rooms_and_tracks)
    yield from (f"{home}/sponsors/tiers/{tier}/remove" for tier in parts.tiers)
    yield from (f"{home}/sponsors/{one}/cancel" for one in parts.sponsorships)
    yield from (f"{home}/team/{member}/remove" for member in parts.members)
    for talk in parts.talks:
        yield from (f"{home}/talks/{talk}", f"{home}/talks/{talk}/redact")
        yield from (f"{home}/decide?do={step}&talk={talk}" for step in _TALK_ACTIONS)
    yield f"{home}/decide?do=accept&{'&'.join(f'talk={talk}' for talk in parts.talks)}"
