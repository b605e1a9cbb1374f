"""VTIMEZONE components for calendar feeds, generated from the tzdata package.

The time zone data of the operating system is not used, so that the output is the same on every machine.
"""

from eventcal.feeds.zones.component import vtimezone

__all__ = ["vtimezone"]
