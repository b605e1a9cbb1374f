"""A strict validator of JSCalendar (RFC 8984), and the times of its events.

`jscalendar.schema.json` describes the objects. The validator shares no code with the modules that write feeds.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from dateutil.rrule import rrulestr

from eventcal.kit.localtime import get_zone, is_known_zone

Json = dict[str, Any]

_SCHEMA = json.loads(Path(__file__).with_suffix(".schema.json").read_text(encoding="utf-8"))


def validation_errors(value: Json, kind: str = "Group") -> list[str]:
    """Return the errors in a JSCalendar object of this type, each with the path of the invalid value.

    Duplicate uids and overridden occurrences are checked only in objects that match the schema.
    """
    errors = [
        f"/{'/'.join(map(str, error.instance_path))}: {error.message}" for error in _validator(kind).iter_errors(value)
    ]
    if errors:
        return errors
    for index, entry in enumerate(value.get("entries", [])):
        errors += [f"/entries/{index}{error}" for error in validation_errors(entry, "Event")]
    for occurrence, patch in value.get("recurrenceOverrides", {}).items():
        found = validation_errors(apply_patch(value, patch, occurrence), "Event")
        errors += [f"/recurrenceOverrides/{occurrence}{error}" for error in found]
    uids = [entry["uid"] for entry in value.get("entries", [])]
    if len(set(uids)) < len(uids):
        errors.append("/entries: two entries have the same uid")
    return errors


@cache
def _validator(kind: str) -> jsonschema_rs.Draft202012Validator:
    schema = {**_SCHEMA, "$ref": f"#/$defs/{kind}"}
    return jsonschema_rs.Draft202012Validator(schema, formats={"iana-time-zone": is_known_zone}, validate_formats=True)


def apply_patch(event: Json, patch: Mapping[str, Any], occurrence: str) -> Json:
    """Return one occurrence of a recurring event: the event with its PatchObject applied (1.4.9, 4.3.5)."""
    whole = {name: value for name, value in event.items() if not name.startswith("recurrence")}
    whole |= {"start": occurrence, **patch}
    return {name: value for name, value in whole.items() if value is not None}


def list_occurrences(event: Json, before: datetime) -> dict[str, Json]:
    """Return the occurrences of an event before a local time, by recurrence id (4.3)."""
    start = datetime.fromisoformat(event["start"])
    ids = {start.isoformat()}
    for rule in event.get("recurrenceRules", []):
        wanted = rrulestr(_to_rrule(rule), dtstart=start)
        ids |= {moment.isoformat() for moment in wanted.between(start, before, inc=True)}
    overrides = event.get("recurrenceOverrides", {})
    found = {one: apply_patch(event, overrides.get(one, {}), one) for one in sorted({*ids, *overrides})}
    return {one: whole for one, whole in found.items() if not whole.get("excluded")}


def start_and_end(event: Json) -> tuple[datetime, datetime]:
    """Return the start and end of an event: instants, or local times if it has no time zone (1.4.6, 5.1)."""
    start = datetime.fromisoformat(event["start"])
    amounts = re.findall(r"(\d+)([WDHMS])", event.get("duration", "PT0S"))
    units = defaultdict(int, {unit: int(amount) for amount, unit in amounts})
    nominal = timedelta(weeks=units["W"], days=units["D"])
    exact = timedelta(hours=units["H"], minutes=units["M"], seconds=units["S"])
    if event.get("timeZone") is None:
        return start, start + nominal + exact
    here = get_zone(event["timeZone"])
    first, last = (moment.replace(tzinfo=here).astimezone(UTC) for moment in (start, start + nominal))
    return first, last + exact


def _to_rrule(rule: Json) -> str:
    """Return a RecurrenceRule in the syntax of iCalendar."""
    names = {"frequency": "FREQ", "firstDayOfWeek": "WKST", "bySetPosition": "BYSETPOS"}
    parts = []
    for name, value in rule.items():
        if name != "@type":
            values = value if isinstance(value, list) else [value]
            written = [f"{one.get('nthOfPeriod', '')}{one['day']}" if name == "byDay" else str(one) for one in values]
            text = ",".join(written)
            parts.append(f"{names.get(name, name)}={re.sub('[-:]', '', text) if name == 'until' else text}")
    return ";".join(parts).upper()
