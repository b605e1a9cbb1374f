"""What names a talk, a person or a room in a schedule, for ever: apps keep their users' favourites by it."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from uuid import UUID, uuid5

from eventcal.feeds.entries.sanitize import clean
from eventcal.kit.text import slugify

# Every guid ever given out was made from this one: it never changes.
_NAMESPACE = UUID("44e20506-a140-5356-b03e-c0878962fa4a")
_SHORTEST = 4
_LARGEST_ID = 2**31 - 1


def guid_of(kind: str, key: str) -> str:
    """Return the UUID (version 5) of the thing of that kind which `key` names."""
    return str(uuid5(_NAMESPACE, f"{kind} {clean(key)}"))


def talk_guid(uid: str) -> str:
    """Return the UUID of a talk from its entry's UID: from the part before the "@", for the domain may change."""
    return guid_of("talk", uid.partition("@")[0])


def acronym_of(slug: str) -> str:
    """Return the event's short name in the characters that every tool takes: at least four of a-z, 0-9 and "_".

    The XML schema's acronym may have a "-", but neither the JSON schema's nor the beginning of a talk's slug. Two slugs
    never give the same one.
    """
    return re.sub("[^a-z0-9]", "_", clean(slug).lower()).ljust(_SHORTEST, "_")


def talk_slug(acronym: str, number: int, title: str) -> str:
    """Return a talk's slug, unique by its number: `xen_summit-17-xen-on-arm`. Nothing shorter than "talk" ends it."""
    words = slugify(clean(title))
    if len(words) < _SHORTEST:
        words = f"{words}-talk".removeprefix("-")
    return f"{acronym}-{number}-{words}"


def person_ids(keys: Iterable[str]) -> Mapping[str, int]:
    """Return a whole number of 31 bits, never 0, for each key: the same in every schedule, and no two the same.

    Where two keys of one schedule would have the same, the later of them in order takes another.
    """
    ids: dict[str, int] = {}
    taken: set[int] = set()
    for key in sorted(set(keys)):
        attempt = 0
        while (found := _number(key, attempt)) in taken:
            attempt += 1
        ids[key] = found
        taken.add(found)
    return ids


def _number(key: str, attempt: int) -> int:
    digest = hashlib.blake2b(clean(key).encode(), digest_size=8, salt=attempt.to_bytes(8, "big")).digest()
    return int.from_bytes(digest, "big") % _LARGEST_ID + 1
