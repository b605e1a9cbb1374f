"""The form for a speaker profile, which the speaker and moderators can edit."""

from collections.abc import Callable
from typing import Any

import orjson
from flask import request
from sqlalchemy.orm import Session

from eventcal.kit.errors import FieldError, raise_if_invalid
from eventcal.media.images import ImageSpec
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import check_can_edit_speaker, update_speaker
from eventcal.web.http.conditional import check_etag, etag_of
from eventcal.web.identity.current_user import caller
from eventcal.web.rendering import forms
from eventcal.web.request.context import links, now, read_session, unit_of_work
from eventcal.web.schemas.speakers import SpeakerPatch, speaker_json

_PHOTO = "photo"
_SPEAKER = SpeakerPatch()
_LINK_NUMBERS = range(1, 11)
_LINK_PARTS = ("title", "url")
_EMPTY_LINKS = 2
_OPTIONAL_FIELDS = ("job_title", "affiliation", "bio")


def build_speaker_form(speaker: Speaker) -> forms.Form:
    values = {name: getattr(speaker, name) or "" for name in ("name", *_OPTIONAL_FIELDS)}
    for number, link in enumerate(speaker.links, start=1):
        values |= {_link_field_name(number, part): link.get(part, "") for part in _LINK_PARTS}
    return forms.Form(values)


def speaker_form_context(speaker: Speaker, form: forms.Form) -> dict[str, Any]:
    rows = sum(1 for number in _LINK_NUMBERS if any(form.value(_link_field_name(number, part)) for part in _LINK_PARTS))
    return {
        "speaker": speaker,
        "form": form,
        "version": _speaker_etag(speaker),
        "link_numbers": _LINK_NUMBERS[: max(rows, len(speaker.links)) + _EMPTY_LINKS],
        **forms.picture_context(speaker.photo_url),
    }


def save_speaker(find: Callable[[Session], Speaker]) -> None:
    """Save the submitted profile of a speaker. Raises Invalid, VersionConflict, Forbidden or TooManyRequests."""
    with read_session() as session:
        # Check the permission before decoding an uploaded image.
        check_can_edit_speaker(find(session), caller())
    fields, errors = _load_speaker_fields(request.form)
    picture, image_errors = forms.read_picture_field(_PHOTO, ImageSpec.PORTRAIT)
    raise_if_invalid([*errors, *image_errors])
    with unit_of_work() as session:
        speaker = find(session)
        check_can_edit_speaker(speaker, caller())
        check_etag(f'"{request.form.get("version", "")}"', _speaker_etag(speaker))
        fields |= forms.store_picture_change(_PHOTO, "photo_url", picture)
        update_speaker(session, speaker, fields, caller=caller(), now=now())


def _load_speaker_fields(data: forms.FormData) -> tuple[dict[str, Any], list[FieldError]]:
    optional = {name: forms.normalise_newlines(data.get(name, "")) for name in _OPTIONAL_FIELDS}
    rows = {
        number: {part: data.get(_link_field_name(number, part), "").strip() for part in _LINK_PARTS}
        for number in _LINK_NUMBERS
    }
    numbers = [number for number, row in rows.items() if any(row.values())]
    body = {
        "name": data.get("name", ""),
        **{name: value if value.strip() else None for name, value in optional.items()},
        "links": [rows[number] for number in numbers],
    }
    fields, errors = forms.load_with_errors(_SPEAKER, body)
    return fields, [_point_to_link_field(error, numbers) for error in errors]


def _point_to_link_field(error: FieldError, row_numbers: list[int]) -> FieldError:
    # Empty rows are not passed to the schema, so the index in the JSON pointer does not count empty rows.
    parts = error.pointer.split("/")
    if parts[:2] != ["", "links"] or len(parts) != 4:  # noqa: PLR2004 - a pointer such as "/links/0/url"
        return error
    return FieldError(f"/{_link_field_name(row_numbers[int(parts[2])], parts[3])}", error.detail)


def _link_field_name(number: int, part: str) -> str:
    return f"link-{number}-{part}"


def _speaker_etag(speaker: Speaker) -> str:
    return etag_of(orjson.dumps(speaker_json(speaker, links())))
