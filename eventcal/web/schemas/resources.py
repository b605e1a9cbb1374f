"""The resources that are stored as JSON beside the calendar entries."""

from dataclasses import dataclass

import orjson

from eventcal.events.models import Event
from eventcal.talks.models import Talk
from eventcal.web.http.urls import Links
from eventcal.web.schemas.events import event_json
from eventcal.web.schemas.talks import talk_json


@dataclass(frozen=True)
class Resources:
    """Writes resources with the links of one installation."""

    links: Links

    def event(self, event: Event) -> str:
        """Return an event's resource as JSON; it must be loaded whole."""
        return orjson.dumps(event_json(event, self.links)).decode()

    def talk(self, talk: Talk) -> str:
        """Return a talk's resource as JSON; it must be loaded whole."""
        return orjson.dumps(talk_json(talk, self.links)).decode()
