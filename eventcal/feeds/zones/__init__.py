"""VTIMEZONE components for calendar feeds, generated from the tzdata package.

The operating system's time zone data is not used, so that one tzdata release gives the same bytes on every machine.
"""

from eventcal.feeds.zones.component import vtimezone

__all__ = ["vtimezone"]
