"""Calendar clients: detection by the User-Agent header, and descriptions of their refresh behaviour."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any, BinaryIO

from eventcal.kit.bounded_cache import bounded_cache
from eventcal.kit.errors import Message

_MAX_USER_AGENT_LENGTH = 300


class ClientKind(StrEnum):
    """A kind of client that fetches feeds. Values can have at most 20 characters, the size of the database column."""

    GOOGLE = "google"
    APPLE = "apple"
    MICROSOFT365 = "microsoft365"
    OUTLOOK = "outlook"
    THUNDERBIRD = "thunderbird"
    ICSX5 = "icsx5"
    DAVX5 = "davx5"
    NEXTCLOUD = "nextcloud"
    HOME_ASSISTANT = "home-assistant"
    EVOLUTION = "evolution"
    KORGANIZER = "korganizer"
    VDIRSYNCER = "vdirsyncer"
    PROTON = "proton"
    FASTMAIL = "fastmail"
    YAHOO = "yahoo"
    WORDPRESS = "wordpress"
    CALENDAR = "calendar"
    MONITOR = "monitor"
    ROBOT = "robot"
    SCRIPT = "script"
    BROWSER = "browser"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class ClientFacts:
    """The name of a calendar app, and texts for users that explain when the app refreshes a feed."""

    name: str
    expect: Message
    refresh_now: Message


_CLIENT_DATA: dict[str, dict[str, Any]] = tomllib.loads((files("eventcal.feeds") / "clients.toml").read_text("utf-8"))


def _parse_client_facts(data: Mapping[str, str]) -> ClientFacts:
    texts = {key: Message(text) for key, text in data.items() if key != "name"}
    name = data.get("name") or texts["description"]
    return ClientFacts(name=name, expect=texts["expect"], refresh_now=texts["refresh_now"])


CLIENTS: Mapping[ClientKind, ClientFacts] = {
    ClientKind(kind): _parse_client_facts(data) for kind, data in _CLIENT_DATA["clients"].items()
}
"""Facts about all kinds of clients, in display order."""

_USER_AGENT_PATTERNS = [
    (ClientKind(kind), re.compile("|".join(patterns), re.IGNORECASE | re.ASCII))
    for kind, patterns in _CLIENT_DATA["user_agents"].items()
]


def detect_client_kind(user_agent: str) -> ClientKind:
    """Return the kind of client that sends a User-Agent header. Only the beginning of the header is examined."""
    return _detect_client_kind(user_agent[:_MAX_USER_AGENT_LENGTH])


@bounded_cache(500_000)
def _detect_client_kind(user_agent: str) -> ClientKind:
    return next((kind for kind, pattern in _USER_AGENT_PATTERNS if pattern.search(user_agent)), ClientKind.OTHER)


def extract_messages(data: BinaryIO, *_: object, **_options: object) -> Iterator[tuple[int, None, str, list[str]]]:
    """Yield the translatable texts in `clients.toml`, as an extraction method for Babel."""
    for facts in tomllib.load(data)["clients"].values():
        yield from ((1, None, text, []) for key, text in facts.items() if key != "name")
