"""Resources as finished JSON, as everybody may see them: what the ledger keeps, and lists are joined from."""

from dataclasses import dataclass

import orjson

from eventcal.events.models import Event
from eventcal.talks.models import Talk
from eventcal.web.api.shapes import event_json, talk_json
from eventcal.web.links import Links


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
