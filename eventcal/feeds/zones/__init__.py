"""VTIMEZONE text for the calendar feeds, made from the tzdata package.

`tzif` reads a zone's file, `posix` the yearly rule at its end, `timeline` holds what both speak of, `component`
writes iCalendar. Nothing here asks the operating system: one tzdata release gives the same bytes on every machine.
"""

from eventcal.feeds.zones.component import vtimezone

__all__ = ["vtimezone"]
