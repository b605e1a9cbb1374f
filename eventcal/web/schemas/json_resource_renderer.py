"""Rendering of the JSON resources that are stored with the calendar entries in the feed index."""

from dataclasses import dataclass

import orjson

from eventcal.events.models import Event
from eventcal.talks.models import Talk
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.schemas.events import event_json
from eventcal.web.schemas.talks import talk_json


@dataclass(frozen=True)
class JsonResourceRenderer:
    """A JSON serializer for events and talks that uses the URLs of this installation."""

    links: UrlBuilder

    def render_event(self, event: Event) -> str:
        """Return the JSON text of an event whose relationships are loaded."""
        return orjson.dumps(event_json(event, self.links)).decode()

    def render_talk(self, talk: Talk) -> str:
        """Return the JSON text of a talk whose relationships are loaded."""
        return orjson.dumps(talk_json(talk, self.links)).decode()
