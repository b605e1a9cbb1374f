"""VTIMEZONE components for the calendar feeds, made from the tzdata package.

Nothing here asks the operating system: one tzdata release gives the same bytes on every machine.
"""

from eventcal.feeds.zones.component import vtimezone

__all__ = ["vtimezone"]
