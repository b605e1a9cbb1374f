"""eventcal: a community's calendar of events and conference talks."""

__version__ = "0.1.0"
