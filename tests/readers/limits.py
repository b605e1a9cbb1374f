"""What calendar libraries cannot read, whoever wrote it; tests/unit/feeds/test_reader_limits.py shows it of each.

Each limit says of an entry, as it is to be read, and of the zone that its times are written in, which fields a library
gets wrong. Times are "start" and "end".
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from eventcal.kit.localtime import get_zone
from tests.readers.changes import is_repeated
from tests.readers.libraries import Found

Limit = Callable[[Found, str], Iterator[str]]

_TEXTS = ("title", "description", "location")
# node-ical reads zones by a library that knows changes until then.
_LAST_YEAR_OF_NODE_ICAL = 2035


def no_limit(entry: Found, tzid: str) -> Iterator[str]:
    """Yield nothing: the library reads all."""
    del entry, tzid
    yield from ()


def limit_of_ical(entry: Found, tzid: str) -> Iterator[str]:
    """Yield what it reads wrong: it takes each comma in CATEGORIES for the end of one, an escaped one, too."""
    del tzid
    if any(set(category) & set(",\\") for category in entry.categories):
        yield "categories"


def limit_of_recurring_ical_events(entry: Found, tzid: str) -> Iterator[str]:
    """Yield what it reads wrong: a time in an hour that repeats, where it is written in UTC.

    It moves what is written in UTC into the zone that X-WR-TIMEZONE names, and there counts on the clock how long an
    entry lasts, for which the two hours are one.
    """
    for name, moment in _times(entry):
        if moment.astimezone(get_zone(tzid)).fold or is_repeated(moment, get_zone(tzid)):
            yield name


def limit_of_vobject(entry: Found, tzid: str) -> Iterator[str]:
    """Yield what it reads wrong: it knows Morocco by pytz alone, where the VTIMEZONE is UTC from 2000 to 2020."""
    if tzid == "Africa/Casablanca":
        yield from _repeated(entry, tzid)


def limit_of_ics(entry: Found, tzid: str) -> Iterator[str]:
    r"""Yield what it reads wrong: it undoes \n before \\, and forgets lines that are blank."""
    del tzid
    for name, text in _texts(entry):
        if re.search(r"\\[nNrR]", text) or re.search(r"\s{24}", text):
            yield name
    if any("\\" in category or re.search(r"\s{24}", category) for category in entry.categories):
        yield "categories"


def limit_of_ical_js(entry: Found, tzid: str) -> Iterator[str]:
    """Yield what it reads wrong: of two same times it takes the second, and a comma after a backslash for escaped."""
    yield from limit_of_ical_js_in_jcal(entry, tzid)
    if any(category.endswith("\\") for category in entry.categories[:-1]):
        yield "categories"


def limit_of_ical_js_in_jcal(entry: Found, tzid: str) -> Iterator[str]:
    """Yield what it reads wrong: of two same times it takes the second."""
    yield from _repeated(entry, tzid)


def limit_of_node_ical(entry: Found, tzid: str) -> Iterator[str]:
    r"""Yield what it reads wrong.

    It undoes \n before \\, and takes off quotes: those around a text, and all from a line that holds "TZID=".
    CATEGORIES it splits at commas, trims and does not unescape. Of two same times it takes the second; it overlooks
    changes that are soon taken back, as in Morocco, and knows none after 2035, unless Node has Temporal of its own.
    """
    for name, text in _texts(entry):
        if re.search(r"\\[nN]", text) or re.fullmatch(r'".*"', text) or _loses_quotes(text):
            yield name
    # JavaScript trims the mark of byte order as well.
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
    """Yield the times that come twice, of which this is the first: written in UTC, the second is plain."""
    for name, moment in _times(entry):
        if is_repeated(moment, get_zone(tzid)):
            yield name
