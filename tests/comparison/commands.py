"""The output of commands that load data sets: invalid data sets, and a valid data set that is loaded twice."""

import json
from pathlib import Path
from typing import Any

from tests.comparison.application import run_command
from tests.comparison.randomness import Randomness

Json = dict[str, Any]

_EVENT_RECORD: Json = {"title": "T", "timezone": "UTC", "starts": "2026-03-01"}
_VALID_DATASET: Json = {
    "speakers": [{"slug": "ada", "name": "Ada Lovelace", "affiliation": None}],
    "sponsors": [{"slug": "company", "name": "Company & Sons"}],
    "events": [
        {
            "slug": "summit",
            "title": "Summit",
            "timezone": "Europe/Berlin",
            "starts": "2026-06-10",
            "ends": "2026-06-12",
            "tracks": [{"name": "Security"}],
            "rooms": [{"name": "Attic"}],
            "tiers": [{"name": "Gold"}],
            "sponsorships": [{"sponsor": "company", "tier": "Gold", "state": "confirmed"}],
        }
    ],
    "talks": [{"event": "summit", "title": "A talk", "state": "confirmed", "speakers": ["ada"], "track": "Security"}],
}
_CHANGED_DATASET: Json = {
    **_VALID_DATASET,
    "speakers": [{"slug": "ada", "name": "Ada King"}, {"slug": "grace", "name": "Grace Hopper"}],
}
_INVALID_DATASET: Json = {
    "nobody": "knows",
    "speakers": [
        {"slug": "Ada!", "name": ""},
        {"name": "No slug"},
        {"slug": "one", "name": "One"},
        {"slug": "one", "name": "Two"},
    ],
    "sponsors": "none",
    "events": [
        {"slug": "no-zone", "title": "T", "starts": "2026-02-30", "timezone": "Mars/Olympus", "kind": "party", "x": 1},
        {"slug": "no-start", "title": "T", "timezone": "UTC", "co_located_with": ["nobody"]},
        {
            **_EVENT_RECORD,
            "slug": "shapes",
            "tracks": [{"name": "A", "colour": "red"}],
            "call_for_talks": {"kinds": ["speech"]},
        },
        {**_EVENT_RECORD, "slug": "zone", "timezone": "Mars/Olympus"},
        {**_EVENT_RECORD, "slug": "end", "ends": "2026-02-01"},
        {**_EVENT_RECORD, "slug": "rule", "recurrence": "FREQ=NEVER"},
        {**_EVENT_RECORD, "slug": "call", "call_for_talks": {"closes_at": "later"}},
        {
            **_EVENT_RECORD,
            "slug": "names",
            "tracks": [{"name": "A"}, {"name": "A"}],
            "tiers": [{"name": "B"}, {"name": "B"}],
        },
        {**_EVENT_RECORD, "slug": "sponsors", "sponsorships": [{"sponsor": "nobody", "tier": "None"}]},
        {"slug": "sound", "title": "Sound", "timezone": "UTC", "starts": "2026-03-01"},
    ],
    "talks": [
        {"event": "nobody", "title": "T"},
        {"event": "sound", "title": "", "state": "perfect"},
        {
            "event": "sound",
            "title": "T",
            "speakers": ["nobody"],
            "track": "None",
            "room": "None",
            "starts": "2027-01-01T10:00:00",
        },
        {"event": "sound", "title": "U", "duration_minutes": 0},
        {"event": "sound", "title": "V", "reprise_of": {"event": "sound", "title": "None"}},
        {"event": "sound", "title": "W", "starts": "2026-03-01T10:00:00", "ends": "2026-03-01T09:00:00"},
        [],
    ],
}


def record_commands(folder: Path, scratch: Path, randomness: Randomness) -> int:
    """Write the output of each command to a separate file, and return the number of files."""
    for name, dataset in (("sound", _VALID_DATASET), ("changed", _CHANGED_DATASET), ("faulty", _INVALID_DATASET)):
        (scratch / f"{name}.json").write_text(json.dumps(dataset), encoding="utf-8")
    (scratch / "broken.json").write_text('{"events": [', encoding="utf-8")
    commands = (
        ("load", "sound.json"),
        ("db", "upgrade"),
        ("load", "missing.json"),
        ("load", "broken.json"),
        ("load", "faulty.json"),
        ("load", "sound.json"),
        ("load", "sound.json"),
        ("load", "changed.json"),
        ("demo", "--as-it-was"),
        ("demo", "--as-it-was"),
        ("load", "--help"),
        ("--help",),
    )
    folder.mkdir(parents=True)
    for number, arguments in enumerate(commands, start=1):
        # The demo command prints a random password.
        randomness.seed(f"command {number}")
        printed = run_command(scratch, *arguments)
        (folder / f"{number:02}_{'_'.join(arguments)}.txt").write_text(printed, encoding="utf-8")
    return len(commands)
