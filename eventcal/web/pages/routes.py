"""Every page there is: each puts itself on the blueprint."""

from eventcal.web.pages import talks
from eventcal.web.pages.showing import pages

__all__ = ["pages", "talks"]
