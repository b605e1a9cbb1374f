"""VTIMEZONE components, generated from the tzdata package so that the output is the same on every machine."""

from eventcal.feeds.zones.component import vtimezone, vtimezone_of_yearly_rule

__all__ = ["vtimezone", "vtimezone_of_yearly_rule"]
