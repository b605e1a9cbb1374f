"""The programs that fetch calendars: how one is told from another by its User-Agent, and what it is known to do.

`clients.toml` has what is said of each.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any, BinaryIO

from eventcal.kit.refusals import Sentence

LONGEST_USER_AGENT = 300
"""The part of a User-Agent header that identifies a program, in characters; longer ones are made up."""


class ClientKind(StrEnum):
    """A kind of program that fetches feeds. Longer than twenty characters, the table has no room for it."""

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
    """What is known of a kind of program: how often it looks, and what makes it look at once; sentences for people."""

    name: str
    expect: Sentence
    refresh_now: Sentence


_DATA: dict[str, dict[str, Any]] = tomllib.loads((files("eventcal.feeds") / "clients.toml").read_text("utf-8"))


def _facts(read: Mapping[str, str]) -> ClientFacts:
    made = {key: Sentence(text) for key, text in read.items() if key != "name"}
    return ClientFacts(
        name=read.get("name") or made["description"], expect=made["expect"], refresh_now=made["refresh_now"]
    )


CLIENTS: Mapping[ClientKind, ClientFacts] = {ClientKind(kind): _facts(read) for kind, read in _DATA["clients"].items()}
"""Every kind, in the order in which people should read of them."""

_PATTERNS = [
    (ClientKind(kind), re.compile("|".join(patterns), re.IGNORECASE | re.ASCII))
    for kind, patterns in _DATA["user_agents"].items()
]


@lru_cache(2048)
def kind_of(user_agent: str) -> ClientKind:
    """Return the kind of program that a User-Agent header identifies; its first LONGEST_USER_AGENT characters count.

    Results are cached, so pass no more of the header than that.
    """
    return next((kind for kind, pattern in _PATTERNS if pattern.search(user_agent)), ClientKind.OTHER)


def extract_sentences(data: BinaryIO, *_: object, **_options: object) -> Iterator[tuple[int, None, str, list[str]]]:
    """Yield every sentence of `clients.toml` (an extraction method for Babel)."""
    for facts in tomllib.load(data)["clients"].values():
        yield from ((1, None, text, []) for key, text in facts.items() if key != "name")
