"""Events, talks and speakers as schema.org objects (JSON-LD) for search engines."""

from eventcal.events.enums import Attendance, EventStatus
from eventcal.events.models import Event
from eventcal.events.rules import is_all_day
from eventcal.kit.localtime import format_with_offset
from eventcal.kit.markdown import to_plain_text
from eventcal.speakers.models import Speaker
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.media import find_uploaded_path
from eventcal.web.schemas.money import price_json
from eventcal.web.schemas.response_schema import Json

_SCHEMA = "https://schema.org"
_ATTENDANCE_MODES = {
    Attendance.IN_PERSON: f"{_SCHEMA}/OfflineEventAttendanceMode",
    Attendance.ONLINE: f"{_SCHEMA}/OnlineEventAttendanceMode",
    Attendance.HYBRID: f"{_SCHEMA}/MixedEventAttendanceMode",
}
_SCHEDULED, _CANCELLED = f"{_SCHEMA}/EventScheduled", f"{_SCHEMA}/EventCancelled"
_STATUSES = {EventStatus.CANCELLED: _CANCELLED, EventStatus.POSTPONED: f"{_SCHEMA}/EventPostponed"}


def event_json_ld(event: Event, links: UrlBuilder) -> Json:
    return {"@context": _SCHEMA, **_without_empty_values(_event_properties(event, links)), **_offers(event, links)}


def talk_json_ld(talk: Talk, links: UrlBuilder) -> Json | None:
    """Return a public talk as a schema.org Event, or None if the talk lacks the required start and end times."""
    event = talk.event
    if talk.starts_at is None or talk.ends_at is None:
        return None
    is_cancelled = talk.public_state == TalkState.CANCELLED
    own = {
        "name": talk.title,
        "url": links.talk_page(talk.id),
        # The website of the event does not identify the talk.
        "sameAs": None,
        "description": to_plain_text(talk.abstract or ""),
        "startDate": format_with_offset(talk.starts_at, event.timezone),
        "endDate": format_with_offset(talk.ends_at, event.timezone),
        "eventStatus": _CANCELLED if is_cancelled else _STATUSES.get(event.status, _SCHEDULED),
        "location": _location(event, links, room=talk.room.name if talk.room else None),
        "inLanguage": talk.language,
        "performer": [_person(speaker, links) for speaker in talk.speaker_rows],
    }
    parent = _event_properties(event, links)
    return {"@context": _SCHEMA, **_without_empty_values(parent | own), "superEvent": _without_empty_values(parent)}


def speaker_json_ld(speaker: Speaker, links: UrlBuilder) -> Json:
    details = {"description": to_plain_text(speaker.bio or ""), "sameAs": [link["url"] for link in speaker.links]}
    return {"@context": _SCHEMA, **_person(speaker, links), **_without_empty_values(details)}


def _event_properties(event: Event, links: UrlBuilder) -> Json:
    # All-day events have a start date and an inclusive end date. The times of all other events have a UTC offset.
    starts, ends = event.starts, event.ends
    if not is_all_day(starts):
        starts = format_with_offset(event.starts_at, event.timezone)
        ends = format_with_offset(event.ends_at, event.timezone)
    return {
        "@type": "Event",
        "name": event.title,
        "url": links.event_page(event.slug),
        "sameAs": event.url,
        "description": event.summary or to_plain_text(event.description or ""),
        "startDate": starts,
        "endDate": ends,
        "eventStatus": _STATUSES.get(event.status, _SCHEDULED),
        "eventAttendanceMode": _ATTENDANCE_MODES[event.attendance],
        "location": _location(event, links),
    }


def _location(event: Event, links: UrlBuilder, *, room: str | None = None) -> Json | list[Json] | None:
    online = {"@type": "VirtualLocation", "url": event.online_url or links.event_page(event.slug)}
    place = _place(event, room)
    if event.attendance == Attendance.IN_PERSON:
        return place
    return [place, online] if place and event.attendance == Attendance.HYBRID else online


def _place(event: Event, room: str | None) -> Json | None:
    parts = {
        "streetAddress": event.address,
        "addressLocality": event.city,
        "addressRegion": event.region,
        "addressCountry": event.country,
    }
    name = ", ".join(filter(None, [room, event.venue])) or event.city
    address = _without_empty_values(parts)
    if not name and not address:
        return None
    known = event.latitude is not None and event.longitude is not None
    geo = {"@type": "GeoCoordinates", "latitude": event.latitude, "longitude": event.longitude}
    address = {"@type": "PostalAddress", **address} if address else {}
    return _without_empty_values({"@type": "Place", "name": name, "address": address, "geo": geo if known else None})


def _offers(event: Event, links: UrlBuilder) -> Json:
    price = price_json(event.price_amount, event.price_currency)
    if price is None:
        return {}
    offer = {
        "@type": "Offer",
        "price": price["amount"],
        "priceCurrency": price["currency"],
        "url": event.registration_url or links.event_page(event.slug),
    }
    return {"offers": offer, "isAccessibleForFree": event.price_amount == 0}


def _person(speaker: Speaker, links: UrlBuilder) -> Json:
    person = {
        "@type": "Person",
        "name": speaker.name,
        "url": links.speaker_page(speaker.slug),
        "image": links.image(find_uploaded_path(speaker.photo_url)),
        "jobTitle": speaker.job_title,
        "affiliation": {"@type": "Organization", "name": speaker.affiliation} if speaker.affiliation else None,
    }
    return _without_empty_values(person)


def _without_empty_values(properties: Json) -> Json:
    return {name: value for name, value in properties.items() if value not in (None, "", [], {})}
