"""Rendering of the JSON resources that the feed index stores together with calendar entries."""

from dataclasses import dataclass

import orjson

from eventcal.events.models import Event
from eventcal.talks.models import Talk
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.schemas.events import event_json
from eventcal.web.schemas.talks import talk_json


@dataclass(frozen=True)
class JsonResourceRenderer:
    """A JSON serializer for events and talks. `links` builds the URLs in the JSON text."""

    links: UrlBuilder

    def render_event(self, event: Event) -> str:
        return orjson.dumps(event_json(event, self.links)).decode()

    def render_talk(self, talk: Talk) -> str:
        return orjson.dumps(talk_json(talk, self.links)).decode()
