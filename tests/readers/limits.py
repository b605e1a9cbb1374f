"""Known limits of calendar libraries, which tests/unit/feeds/test_reader_limits.py demonstrates.

A limit receives an expected entry and the time zone of its times, and yields the names of the fields that a library
reads incorrectly.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from eventcal.kit.localtime import get_zone
from tests.readers.changes import is_repeated
from tests.readers.libraries import Found

Limit = Callable[[Found, str], Iterator[str]]

_TEXTS = ("title", "description", "location")
# The time zone library of node-ical has no offset changes after this year.
_LAST_YEAR_OF_NODE_ICAL = 2035


def no_limit(entry: Found, tzid: str) -> Iterator[str]:
    """Yield nothing, for a library without known limits."""
    del entry, tzid
    yield from ()


def limit_of_ical(entry: Found, tzid: str) -> Iterator[str]:
    """Yield the field that ical misreads: it splits CATEGORIES at escaped commas, too."""
    del tzid
    if any(set(category) & set(",\\") for category in entry.categories):
        yield "categories"


def limit_of_recurring_ical_events(entry: Found, tzid: str) -> Iterator[str]:
    """Yield the UTC times that recurring-ical-events misreads in a repeated hour.

    The library converts UTC times to the zone in X-WR-TIMEZONE and computes durations from local times, which are the
    same in both occurrences of the hour.
    """
    for name, moment in _times(entry):
        if moment.astimezone(get_zone(tzid)).fold or is_repeated(moment, get_zone(tzid)):
            yield name


def limit_of_vobject(entry: Found, tzid: str) -> Iterator[str]:
    """Yield the times in Morocco that vobject misreads: it uses pytz instead of the VTIMEZONE component."""
    if tzid == "Africa/Casablanca":
        yield from _repeated(entry, tzid)


def limit_of_ics(entry: Found, tzid: str) -> Iterator[str]:
    r"""Yield the texts that ics misreads: it replaces \n before \\, and drops blank lines."""
    del tzid
    for name, text in _texts(entry):
        if re.search(r"\\[nNrR]", text) or re.search(r"\s{24}", text):
            yield name
    if any("\\" in category or re.search(r"\s{24}", category) for category in entry.categories):
        yield "categories"


def limit_of_ical_js(entry: Found, tzid: str) -> Iterator[str]:
    """Yield the fields that ical.js misreads: repeated local times, and categories that end with a backslash."""
    yield from limit_of_ical_js_in_jcal(entry, tzid)
    if any(category.endswith("\\") for category in entry.categories[:-1]):
        yield "categories"


def limit_of_ical_js_in_jcal(entry: Found, tzid: str) -> Iterator[str]:
    """Yield the repeated local times, for which ical.js selects the second instant."""
    yield from _repeated(entry, tzid)


def limit_of_node_ical(entry: Found, tzid: str) -> Iterator[str]:
    r"""Yield the fields that node-ical misreads.

    The library replaces \n before \\, removes the quotation marks around a text, and removes all quotation marks from
    a line that contains "TZID=". Categories are split at commas, trimmed and not unescaped. node-ical selects
    the second instant of a repeated local time, misses short offset changes as in Morocco, and has no offset changes
    after 2035 unless Node supports Temporal.
    """
    for name, text in _texts(entry):
        if re.search(r"\\[nN]", text) or re.fullmatch(r'".*"', text) or _loses_quotes(text):
            yield name
    # JavaScript also trims byte order marks.
    plain = all(re.fullmatch(r"[^\\,;\s\ufeff]([^\\,;]*[^\\,;\s\ufeff])?", category) for category in entry.categories)
    if not plain or _loses_quotes("".join(entry.categories)):
        yield "categories"
    yield from _repeated(entry, tzid)
    for name, moment in _times(entry):
        if tzid == "Africa/Casablanca" or moment.year > _LAST_YEAR_OF_NODE_ICAL:
            yield name


def _loses_quotes(line: str) -> bool:
    return "TZID=" in line and '"' in line


def _texts(entry: Found) -> Iterator[tuple[str, str]]:
    for name in _TEXTS:
        text = getattr(entry, name)
        if text is not None:
            yield name, text


def _times(entry: Found) -> Iterator[tuple[str, datetime]]:
    for name, moment in (("start", entry.start), ("end", entry.end)):
        if isinstance(moment, datetime):
            yield name, moment


def _repeated(entry: Found, tzid: str) -> Iterator[str]:
    """Yield local times that occur twice and mean the first instant. Feeds write the second instant in UTC."""
    for name, moment in _times(entry):
        if is_repeated(moment, get_zone(tzid)):
            yield name
