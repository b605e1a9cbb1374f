"""Permanent identifiers of talks, persons and rooms in schedules, which apps use to store favourites."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from uuid import UUID, uuid5

from eventcal.feeds.entries.sanitize import replace_controls
from eventcal.kit.bounded_cache import bounded_cache
from eventcal.kit.text import slugify

# Never change this namespace, because all GUIDs are derived from it.
_NAMESPACE = UUID("44e20506-a140-5356-b03e-c0878962fa4a")
_MIN_LENGTH = 4
_LARGEST_ID = 2**31 - 1


@bounded_cache(1_000_000)
def object_guid(kind: str, key: str) -> str:
    return str(uuid5(_NAMESPACE, f"{kind} {replace_controls(key)}"))


def talk_guid(uid: str) -> str:
    # The UUID does not depend on the domain of the UID, because the domain can change.
    return object_guid("talk", uid.partition("@")[0])


def event_acronym(slug: str) -> str:
    """Return the acronym of an event: at least four characters from a-z, 0-9 and `_`, as the JSON schema requires."""
    return re.sub("[^a-z0-9]", "_", replace_controls(slug).lower()).ljust(_MIN_LENGTH, "_")


def talk_slug(acronym: str, number: int, title: str) -> str:
    """Return the slug of a talk, such as `xen_summit-17-xen-on-arm`, with a number that makes the slug unique."""
    words = slugify(replace_controls(title))
    return f"{acronym}-{number}-{words if len(words) >= _MIN_LENGTH else f'{words}-talk'.removeprefix('-')}"


def person_ids(keys: Iterable[str]) -> Mapping[str, int]:
    """Return a positive 31-bit integer for each key, which is the same in every schedule unless two keys collide."""
    keys_by_id: dict[int, str] = {}
    for key in sorted(set(keys)):
        attempt = 0
        while (found := _hash_to_id(key, attempt)) in keys_by_id:
            attempt += 1
        keys_by_id[found] = key
    return {key: id_ for id_, key in keys_by_id.items()}


def _hash_to_id(key: str, attempt: int) -> int:
    digest = hashlib.blake2b(replace_controls(key).encode(), digest_size=8, salt=attempt.to_bytes(8, "big")).digest()
    return int.from_bytes(digest, "big") % _LARGEST_ID + 1
