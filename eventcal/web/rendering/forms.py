"""HTML forms, which are validated by the same schemas as API request bodies."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol, TypeVar, cast

from flask import request
from flask_babel import gettext as _
from marshmallow import ValidationError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from eventcal.events.models import Event
from eventcal.kit.errors import DomainError, FieldError, Invalid, raise_if_invalid
from eventcal.kit.ids import new_secret
from eventcal.media.errors import UnsupportedImage
from eventcal.media.images import MAX_UPLOAD_BYTES, ImageSpec, Picture
from eventcal.web.http.errors import to_field_errors
from eventcal.web.i18n import translate, translate_error
from eventcal.web.identity.current_user import current_member_id
from eventcal.web.media import decode_upload, find_uploaded_path, store_upload
from eventcal.web.rendering.dates import format_short_day
from eventcal.web.request.idempotency import claim_form_token

FormData = MultiDict[str, str]
Choices = list[tuple[str, str]]
Fields_co = TypeVar("Fields_co", covariant=True)

# Strings with at least this many digits are not converted to numbers, so that the schema rejects them.
_MOST_DIGITS = 20
# The size limit for forms exceeds the limit for images, so that an image that is too large causes a field error.
MAX_FORM_BYTES = 4 * MAX_UPLOAD_BYTES
# Forms offer a list of days only for events with at most this number of days.
_MAX_DAY_CHOICES = 31
_HOUR_AND_MINUTE = re.compile(r"(\d{1,2})[:.](\d{2})", re.ASCII)
# In error messages, stored values are truncated to this number of characters.
_MAX_SHOWN_LENGTH = 200


class _Schema(Protocol[Fields_co]):
    def load(self, data: Mapping[str, Any], /) -> Fields_co: ...


@dataclass(frozen=True)
class Form:
    """The values and errors of a form by field name. Errors that belong to no field have an empty field name."""

    values: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def errors_at(self, name: str) -> Sequence[str]:
        return self.faults.get(name, ())


EMPTY_FORM = Form()


def rejected_form(data: FormData, faults: Iterable[FieldError] = (), *, secret_fields: Sequence[str] = ()) -> Form:
    """Return a form with the submitted values, omitting `secret_fields`, and with the errors by field name."""
    errors: dict[str, list[str]] = defaultdict(list)
    for error in faults:
        # The first part of a JSON pointer is the name of the field. Errors for unknown fields are shown above the form.
        name = error.pointer.removeprefix("/").partition("/")[0]
        errors[name if name in data else ""].append(translate(error.detail))
    return Form({name: value for name, value in data.items() if name not in secret_fields}, dict(errors))


def load_with_errors(schema: _Schema[Fields_co], data: Mapping[str, Any]) -> tuple[Fields_co, list[FieldError]]:
    """Load a form with a schema. Return the fields and an empty list, or an empty dict and all field errors."""
    try:
        return schema.load(data), []
    except ValidationError as error:
        return cast("Fields_co", {}), to_field_errors(error.messages, location="form")


def validate(schema: _Schema[Fields_co], data: Mapping[str, Any]) -> Fields_co:
    fields, errors = load_with_errors(schema, data)
    raise_if_invalid(errors)
    return fields


def iter_differing_field_errors(stored: Mapping[str, str], data: FormData) -> Iterator[FieldError]:
    """For each field whose submitted value differs from the stored value, yield an error with the stored value."""
    for name, value in stored.items():
        if name in data and normalise_newlines(data[name]).strip() != normalise_newlines(value).strip():
            current = value if len(value) <= _MAX_SHOWN_LENGTH else f"{value[:_MAX_SHOWN_LENGTH]}…"
            message = _("There stands now: %(value)s", value=current) if current else _("It is empty now.")
            yield FieldError(f"/{name}", message)


def normalise_newlines(text: str) -> str:
    """Replace the CRLF line breaks that HTML forms send with LF line breaks."""
    return text.replace("\r\n", "\n")


def split_comma_list(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def done_message(messages: Mapping[str, str]) -> str | None:
    """Return the message that the query parameter `done` selects, or None."""
    return messages.get(request.args.get("done", ""))


def field_errors(error: DomainError | HTTPException, *, default_field: str = "") -> tuple[FieldError, ...]:
    """Return the field errors of an exception. An exception without field errors is attributed to `default_field`."""
    if isinstance(error, Invalid) and error.errors:
        return error.errors
    return (FieldError(f"/{default_field}" if default_field else "", translate_error(error)),)


def nonempty_form_fields(*names: str) -> dict[str, str]:
    return {name: request.form[name] for name in names if request.form.get(name)}


def next_path() -> str:
    return request.form.get("next") or request.args.get("next") or ""


def new_form_key() -> str:
    """Return a random form key, which ensures that a form is processed only once."""
    return new_secret("")


def claim_submitted_form(session: Session) -> bool:
    """Record the key of the submitted form, and return whether the form has not been processed before."""
    return claim_form_token(session, request.form.get("form_key", ""), member_id=current_member_id())


def read_picture_field(field: str, spec: ImageSpec) -> tuple[Picture | None, list[FieldError]]:
    """Return the uploaded image, if any, and the errors for the field. Raises TooManyRequests."""
    if not _has_uploaded_file(field):
        return None, []
    try:
        return decode_upload(request.files[field].stream.read(MAX_UPLOAD_BYTES + 1), spec), []
    except UnsupportedImage as error:
        return None, [FieldError(f"/{field}", translate_error(error))]


def store_picture_change(field: str, column: str, picture: Picture | None) -> dict[str, str | None]:
    """Store an uploaded image, and return the changed column with its new value, or an empty dict."""
    if picture is not None:
        return {column: store_upload(picture)}
    return {column: None} if request.form.get(f"remove_{field}") else {}


def lost_upload_errors(faults: Iterable[FieldError]) -> list[FieldError]:
    """For each valid uploaded image, return an error that asks the user to select the file again."""
    valid = {f"/{field}" for field in request.files if _has_uploaded_file(field)} - {error.pointer for error in faults}
    return [FieldError(pointer, _("Choose the picture again: nothing was saved yet.")) for pointer in sorted(valid)]


def picture_context(url: str | None) -> dict[str, str | None]:
    path = find_uploaded_path(url)
    return {"picture": path, "picture_elsewhere": url if path is None else None}


def _has_uploaded_file(field: str) -> bool:
    # Browsers send an empty file name if no file is selected.
    file = request.files.get(field)
    return file is not None and bool(file.filename)


def day_choices(event: Event, *extra_times: str | None) -> Choices:
    """Return the days of an event and the days of `extra_times` as options, or an empty list for a long event."""
    first, last = date.fromisoformat(event.first_day), date.fromisoformat(event.last_day)
    if last - first >= timedelta(days=_MAX_DAY_CHOICES):
        return []
    days = {first + timedelta(days=number) for number in range((last - first).days + 1)}
    days |= {date.fromisoformat(local[:10]) for local in extra_times if local}
    return [(day.isoformat(), format_short_day(day)) for day in sorted(days)]


def day_and_time_values(name: str, local_time: str | None, *, default_day: str) -> Mapping[str, str]:
    """Return the values of a day field and a time field, by default `default_day` and an empty time."""
    if local_time is None:
        return {name: default_day, f"{name}_time": ""}
    time = local_time[11:]
    return {name: local_time[:10], f"{name}_time": time.removesuffix(":00") if time.count(":") > 1 else time}


def parse_day_and_time(data: FormData, name: str) -> str | None:
    """Return the local time that a day field and a time field contain, or None if the time field is empty."""
    time = data.get(f"{name}_time", "").strip()
    if not time:
        return None
    match = _HOUR_AND_MINUTE.fullmatch(time)
    return f"{data.get(name, '').strip()}T{f'{match[1]:0>2}:{match[2]}' if match else time}"


def parse_int(text: str) -> int | str | None:
    """Parse a non-negative integer. Return None for an empty text, and any other text unchanged for the schema."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < _MOST_DIGITS else digits or None
