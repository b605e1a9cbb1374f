"""The site of the browser tests: the demo data, and an event with long and unusual values in all fields."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from playwright.sync_api import BrowserContext
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wsgi import ClosingIterator

from eventcal.datasets.demo import read_demo_dataset, shift_dataset_dates, weeks_to_future_start
from eventcal.datasets.import_service import load_dataset
from eventcal.datasets.parser import parse_dataset
from eventcal.media.images import ImageSpec
from eventcal.media.reencode import reencode_picture
from eventcal.media.store import MediaStore
from eventcal.members.caller import OPERATOR
from eventcal.speakers.service import get_speaker
from eventcal.sponsors.queries import get_sponsor
from eventcal.web.media import UPLOAD_PATH
from eventcal.web.schemas.dataset_records import load_record
from tests.browser.page_list import ALL_PAGES
from tests.browser.signed_in_members import add_members
from tests.clocks import NOON, FixedClock
from tests.http_app import create_test_app, database_of, services_of
from tests.images import make_image, make_two_colour_image

_DEMO_EVENT = "xen-project-developer-summit-2014"
_CROWDED_EVENT = "crowded"
# A word that is wider than the screen of a phone.
_LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
_LONG_URL = f"https://example.org/{'recordings-' * 20}"
_ROOMS = ("Großer Saal", "Room 2", "Under the roof, by the stairs to the left", _LONG_WORD[:60])
_TRACKS = (("Security", "#ffee00"), ("ARM", "#101010"), (_LONG_WORD, "#1f6f8b"))
_START_TIMES = ("09:30", "11:00", "14:15")
_DAYS = ("2026-03-14", "2026-03-15")
_MARKDOWN = f"""\
## What it is about

A *paragraph* with a [link](https://example.org/), `code`, and {_LONG_WORD}.

- one
- two

    {"a line of code that does not end " * 6}

> {_LONG_URL}
"""


@dataclass(frozen=True)
class Site:
    """A running site with its base URL, and the ids and slugs of its tested pages by name.

    `cookies` are the session cookies of the signed-in members.
    """

    base_url: str
    ids_by_name: dict[str, str]
    cookies: dict[str, str]

    def url(self, name: str) -> str:
        """Return the URL of a page by its name in ALL_PAGES."""
        return self.base_url + ALL_PAGES[name].path.format(**self.ids_by_name)

    def sign_in(self, context: BrowserContext, name: str) -> None:
        """Set the session cookie of the member whose page this is, or no cookie for a public page."""
        context.clear_cookies()
        if (who := ALL_PAGES[name].signed_in_as) is not None:
            context.add_cookies([{"name": "eventcal", "value": self.cookies[who], "url": self.base_url}])

    def get_api(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON body of the API response for a path."""
        with urllib.request.urlopen(f"{self.base_url}/api/v1{path}") as answer:  # noqa: S310 - our own server
            return json.load(answer)


@contextmanager
def serve_site(database: Path) -> Iterator[Site]:
    """Serve the site with a migrated database in threads of this process, with the clock set to NOON."""
    with serve_app(database) as (app, base):
        load_demo(app)
        with database_of(app).unit_of_work() as unit:
            load_dataset(
                unit,
                parse_dataset(json.dumps(_make_crowded_dataset()).encode(), load_record, source_name="crowded.json"),
            )
        public = _find_ids(Site(base, {}, {}))
        people = add_members(app, _CROWDED_EVENT, long_word=_LONG_WORD)
        _add_images(app)
        yield Site(base, public | people.talk_ids, people.cookies)


@contextmanager
def serve_app(database: Path, **changes: Any) -> Iterator[tuple[Flask, str]]:
    """Serve an app with an empty migrated database, with the clock set to NOON. Provide the app and its base URL."""
    server = make_server("127.0.0.1", 0, _placeholder_app, threaded=True, request_handler=_SilentHandler)
    base = f"http://127.0.0.1:{server.server_port}"
    settings = {"base_url": base, "instance": database.parent, **changes}
    with create_test_app(f"sqlite:///{database}", FixedClock(NOON), **settings) as app:
        server.app = _buffer_responses(app)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield app, base
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def load_demo(app: Flask) -> None:
    """Load the demo data with dates in the near future."""
    demo = read_demo_dataset(load_record)
    with database_of(app).unit_of_work() as unit:
        load_dataset(unit, shift_dataset_dates(demo, weeks=weeks_to_future_start(demo, today=NOON.date())))


def _add_images(app: Flask) -> None:
    """Add a portrait to a speaker, and a transparent logo to a sponsor."""
    gallery = MediaStore(services_of(app).settings.media_folder)
    portrait = reencode_picture(make_two_colour_image((900, 1200), form="JPEG"), ImageSpec.PORTRAIT)
    logo = reencode_picture(make_image((1200, 300), mode="RGBA", colour=(20, 20, 20, 160)), ImageSpec.LOGO)
    with database_of(app).unit_of_work() as unit:
        speaker = get_speaker(unit.session, "noor", OPERATOR)
        speaker.photo_url = f"{UPLOAD_PATH}{gallery.save(portrait, now=NOON)}"
        get_sponsor(unit.session, "longest", OPERATOR).logo_url = f"{UPLOAD_PATH}{gallery.save(logo, now=NOON)}"


def _placeholder_app(*_: object) -> list[bytes]:
    """Raise NotImplementedError. The function replaces the app until the port of the server is known."""
    raise NotImplementedError


def _buffer_responses(app: Flask) -> WSGIApplication:
    """Return an application that reads and closes each response of the app before it sends the response.

    The server does not close a partly sent response, such as a file, if the browser leaves the page.
    """

    def respond(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        with closing(ClosingIterator(app(environ, start_response))) as parts:
            return [b"".join(parts)]

    return respond


class _SilentHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Log nothing."""


def _find_ids(found: Site) -> dict[str, str]:
    names: dict[str, str] = {}
    for prefix, slug in (("", _DEMO_EVENT), ("crowded_", _CROWDED_EVENT)):
        talks = found.get_api(f"/events/{slug}/talks")["items"]
        talk = next(one for one in talks if one["speakers"])
        names |= {
            f"{prefix}event": slug,
            f"{prefix}talk": talk["id"],
            f"{prefix}speaker": talk["speakers"][0]["slug"],
        }
    return names


def _make_crowded_dataset() -> dict[str, Any]:
    """Return a data set with values in all fields, many of them long."""
    event = {
        "slug": _CROWDED_EVENT,
        "title": f"{_LONG_WORD}, the yearly meeting of everybody who ever wrote a line of it",
        "starts": f"{_DAYS[0]}T09:00:00",
        "ends": f"{_DAYS[1]}T18:00:00",
        "timezone": "America/Argentina/Buenos_Aires",
        "programme": "curated",
        "status": "postponed",
        "attendance": "hybrid",
        "location": {"venue": _LONG_WORD, "address": "1 Long Street", "city": "Buenos Aires", "country": "AR"},
        "url": _LONG_URL,
        "registration": {"url": _LONG_URL, "price": {"amount": "12345.50", "currency": "EUR"}},
        "summary": f"Two days. {_LONG_URL}",
        "description": _MARKDOWN,
        "tags": ["xen", "a-rather-long-tag-that-nobody-shortened", *(f"tag-{number}" for number in range(12))],
        "tracks": [{"name": name, "colour": colour} for name, colour in _TRACKS],
        "rooms": [{"name": name} for name in _ROOMS],
        "tiers": [{"name": name, "rank": rank} for rank, name in enumerate(("Platinum", _LONG_WORD), start=1)],
        "sponsorships": [
            {"sponsor": "longest", "tier": "Platinum", "state": "confirmed"},
            {"sponsor": "shortest", "tier": _LONG_WORD, "state": "confirmed"},
        ],
        "call_for_talks": {
            "kinds": ["talk", "bof"],
            "closes_at": "2026-03-10T23:59:00",
            "note": f"Short ones. {_LONG_WORD}",
        },
    }
    called_off = {
        "slug": "called-off",
        "title": "Called off",
        "starts": "2026-03-20",
        "timezone": "UTC",
        "programme": "listed",
        "status": "cancelled",
    }
    return {
        "speakers": [
            {
                "slug": "noor",
                "name": "نور الدين",
                "job_title": "Engineer",
                "affiliation": f"{_LONG_WORD} & Sons",
                "bio": _MARKDOWN,
                "links": [{"title": "Site", "url": _LONG_URL}, {"title": "نور", "url": "https://example.org/"}],
            },
            {"slug": "long", "name": f"Ada {_LONG_WORD}"},
        ],
        "sponsors": [
            {"slug": "longest", "name": _LONG_WORD, "url": _LONG_URL, "description": _MARKDOWN},
            {"slug": "shortest", "name": "X"},
        ],
        "events": [event, called_off],
        "talks": [*_iter_talks(), {"event": _CROWDED_EVENT, "title": "When nobody knows", "state": "confirmed"}],
    }


def _iter_talks() -> Iterator[dict[str, Any]]:
    for number, (day, hour, room) in enumerate(product(_DAYS, _START_TIMES, _ROOMS)):
        yield {
            "event": _CROWDED_EVENT,
            "title": f"{number}: {_LONG_WORD if number % 3 == 0 else 'What we learned'}",
            "abstract": _MARKDOWN,
            "kind": "talk",
            "language": "es",
            "state": "cancelled" if number == 1 else "confirmed",
            "speakers": ["noor", "long"],
            "starts": f"{day}T{hour}:00",
            "ends": f"{day}T{hour[:2]}:55:00" if number % 2 else None,
            "duration_minutes": None if number % 2 else 90,
            "track": _TRACKS[number % len(_TRACKS)][0],
            "room": room,
            "tags": ["xen", "a-rather-long-tag-that-nobody-shortened"],
            "slides_url": _LONG_URL,
            "recording_url": _LONG_URL,
        }
