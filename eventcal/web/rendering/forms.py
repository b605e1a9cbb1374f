"""Forms: what was typed, and what is wrong with it, beside its field; read by the same schemas as the API's bodies.

Browsers do not keep which picture was chosen when a form is shown again.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import wraps
from http import HTTPStatus
from inspect import unwrap
from typing import Any, ParamSpec

from flask import redirect, request
from flask_babel import gettext as _
from marshmallow import Schema, ValidationError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.kit.ids import new_secret
from eventcal.kit.refusals import Fault, Invalid, NotFound, Refusal, refuse_faults
from eventcal.media.errors import UnreadablePicture
from eventcal.media.picture import LARGEST_UPLOAD, Frame, Picture
from eventcal.web.http.errors import TooMany, faults_in, status_of
from eventcal.web.i18n import in_words, refusal_in_words
from eventcal.web.identity.current_user import current_member_id
from eventcal.web.media import own_path, put_up, read_upload
from eventcal.web.rendering.dates import short_day
from eventcal.web.request.idempotency import is_first_time

P = ParamSpec("P")
Typed = MultiDict[str, str]
Choices = list[tuple[str, str]]

# Nobody means a number of so many digits.
_MOST_DIGITS = 20
LARGEST_FORM = 4 * LARGEST_UPLOAD
"""The most bytes that a form with a picture may have: what a camera makes is told that it is too large, in its form."""

_SECRET_FIELDS = ("password", "new_password", "proof", "answer")
# Of an event that lasts longer, a day is typed and not chosen.
_MOST_DAYS = 31
_HOUR_AND_MINUTE = re.compile(r"(\d{1,2})[:.](\d{2})", re.ASCII)
# The length to which a stored value is shown beside its field.
_MOST_SHOWN = 200


@dataclass(frozen=True)
class Form:
    """A form as it is shown: what stands in each field, and the faults of each; "" has those of no field."""

    values: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """Return what stands in a field."""
        return self.values.get(name, "")

    def faults_at(self, name: str) -> Sequence[str]:
        """Return what is wrong with a field."""
        return self.faults.get(name, ())


BLANK = Form()
"""A form with nothing in it yet."""


def typed_again(typed: Typed, faults: Iterable[Fault] = (), *, secret: Sequence[str] = ()) -> Form:
    """Return the form with what was typed still there, secrets apart, and each fault beside its field."""
    found: dict[str, list[str]] = defaultdict(list)
    for fault in faults:
        # A fault belongs beside the field that its pointer begins with, if the form has that field.
        name = fault.pointer.removeprefix("/").partition("/")[0]
        found[name if name in typed else ""].append(in_words(fault.detail))
    return Form({name: value for name, value in typed.items() if name not in secret}, dict(found))


def load(schema: Schema, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Return what a form says as `schema` reads it, and every fault; with faults there are no fields."""
    try:
        return schema.load(given), []
    except ValidationError as error:
        return {}, faults_in(error.messages, location="form")


def validate(schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that `schema` loads from a form. Raises Invalid with every fault."""
    fields, faults = load(schema, given)
    refuse_faults(faults)
    return fields


def stored_faults(stored: Mapping[str, str], typed: Typed) -> Iterator[Fault]:
    """Yield a fault with the stored value for each field in which something else was typed."""
    for name, value in stored.items():
        if name in typed and lines(typed[name]).strip() != lines(value).strip():
            shown = value if len(value) <= _MOST_SHOWN else f"{value[:_MOST_SHOWN]}…"
            yield Fault(f"/{name}", _("There stands now: %(value)s", value=shown) if shown else _("It is empty now."))


def lines(text: str) -> str:
    """Return what a browser sends of a text area with the line breaks that we keep (HTML: they come as CRLF)."""
    return text.replace("\r\n", "\n")


def listed(text: str) -> list[str]:
    """Return what stands between commas, each once."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def said_after(words: Mapping[str, str]) -> str | None:
    """Return what is said of what was just done, which the query names (`done`); None where it names nothing known."""
    return words.get(request.args.get("done", ""))


def faults_of(refusal: Refusal, *, at: str = "") -> tuple[Fault, ...]:
    """Return a refusal as the faults of a form: those that it names, else itself beside the field `at`."""
    if isinstance(refusal, Invalid) and refusal.faults:
        return refusal.faults
    return (Fault(f"/{at}" if at else "", refusal_in_words(refusal)),)


def form_view(
    show: Callable[..., Response],
    *,
    at: str = "",
    catch: tuple[type[Refusal], ...] = (Invalid, TooMany),
    secret: Sequence[str] = _SECRET_FIELDS,
    unsent: Sequence[str] = (),
    **where: str,
) -> Callable[[Callable[P, str | Response]], Callable[P, Response]]:
    """Redirect to the path that the view of a form returns; if it returns a response, return that.

    If it raises one of the errors in `catch` other than NotFound, call `show`, without its access mark if it is a view,
    to show the form as it was typed, with the error's status and the view's arguments. An error that names no fields is
    shown beside the field `at`.

    secret: fields that are not shown again. unsent: fields that a browser may leave out, such as check boxes.
    where: more arguments for `show`.
    """
    answer_form: Callable[..., Response] = unwrap(show)

    def decorate(view: Callable[P, str | Response]) -> Callable[P, Response]:
        @wraps(view)
        def handled(*args: P.args, **kwargs: P.kwargs) -> Response:
            try:
                result = view(*args, **kwargs)
            except NotFound:
                raise
            except catch as error:
                typed = MultiDict([*((name, "") for name in unsent), *request.form.items(multi=True)])
                form = typed_again(typed, faults_of(error, at=at), secret=secret)
                return answer_form(*args, form=form, status=status_of(type(error)), **where, **kwargs)
            return redirect(result, HTTPStatus.SEE_OTHER) if isinstance(result, str) else result

        return handled

    return decorate


def filled_in(*names: str) -> dict[str, str]:
    """Return these fields of the form that was sent, without those that were left empty."""
    return {name: request.form[name] for name in names if request.form.get(name)}


def next_page() -> str:
    """Return the page that the form that was sent, or else the query, names as the next one; or an empty string."""
    return request.form.get("next") or request.args.get("next") or ""


def new_form_key() -> str:
    """Return what a form is known by that makes a secret: it is taken once."""
    return new_secret("")


def is_taken_now(session: Session) -> bool:
    """Say whether the form that was sent has not been taken before, and note that it now is."""
    return is_first_time(session, request.form.get("form_key", ""), member_id=current_member_id())


def picture_sent(field: str, frame: Frame) -> tuple[Picture | None, list[Fault]]:
    """Return the picture that was chosen, if any, and what is wrong with it. Raises TooMany."""
    if not _is_chosen(field):
        return None, []
    try:
        return read_upload(request.files[field].stream.read(LARGEST_UPLOAD + 1), frame), []
    except UnreadablePicture as refusal:
        return None, [Fault(f"/{field}", refusal_in_words(refusal))]


def picture_change(field: str, column: str, picture: Picture | None) -> dict[str, str | None]:
    """Return what becomes of the column: the new picture, none where its removal was ticked, or no change.

    Call it inside the unit of work.
    """
    if picture is not None:
        return {column: put_up(picture)}
    return {column: None} if request.form.get(f"remove_{field}") else {}


def sent_again(field: str, faults: Iterable[Fault]) -> Form:
    """Return the form as it was sent, with its faults; what was chosen has to be chosen again, and that is said."""
    found = list(faults)
    if _is_chosen(field) and all(fault.pointer != f"/{field}" for fault in found):
        found.append(Fault(f"/{field}", _("Choose the picture again: nothing was saved yet.")))
    return typed_again(MultiDict([*request.form.items(multi=True), (field, "")]), found)


def picture_values(kept: str | None) -> dict[str, str | None]:
    """Return what a form shows of the picture that there is: ours, or the address of one elsewhere."""
    ours = own_path(kept)
    return {"picture": ours, "picture_elsewhere": kept if ours is None else None}


def _is_chosen(field: str) -> bool:
    """Return whether a file was chosen. If not, browsers send one without a name."""
    file = request.files.get(field)
    return file is not None and bool(file.filename)


def days_of(event: Event, *also: str | None) -> Choices:
    """Return the days of an event to choose from, and those of other local times; none of one that lasts long."""
    first, last = date.fromisoformat(event.first_day), date.fromisoformat(event.last_day)
    if last - first >= timedelta(days=_MOST_DAYS):
        return []
    days = {first + timedelta(days=number) for number in range((last - first).days + 1)}
    days |= {date.fromisoformat(local[:10]) for local in also if local}
    return [(day.isoformat(), short_day(day)) for day in sorted(days)]


def fields_of(name: str, local: str | None, *, day: str) -> Mapping[str, str]:
    """Return a local time as what stands in the fields for its day and its time; without one, `day` is chosen."""
    if local is None:
        return {name: day, f"{name}_time": ""}
    time = local[11:]
    return {name: local[:10], f"{name}_time": time.removesuffix(":00") if time.count(":") > 1 else time}


def read_time(typed: Typed, name: str) -> str | None:
    """Return the local time of the fields for a day and a time; without a time there is none."""
    time = typed.get(f"{name}_time", "").strip()
    if not time:
        return None
    found = _HOUR_AND_MINUTE.fullmatch(time)
    return f"{typed.get(name, '').strip()}T{f'{found[1]:0>2}:{found[2]}' if found else time}"


def whole_number(said: str) -> int | str | None:
    """Return a number that was typed, None for nothing, and else what was typed, for the schema to refuse."""
    written = said.strip()
    return int(written) if written.isascii() and written.isdigit() and len(written) < _MOST_DIGITS else written or None
