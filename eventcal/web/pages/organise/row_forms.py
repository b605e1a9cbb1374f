"""Pages with one form per row of a list; the name of each field begins with the key of its row."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.kit.refusals import DomainError, FieldError
from eventcal.web.pages.organise import layout
from eventcal.web.rendering.forms import Form, Typed, field_errors, rejected_form
from eventcal.web.rendering.page import Page
from eventcal.web.rendering.private_page import answer_page, answer_rejected, form_view

_NO_PLACES: Mapping[str, str] = MappingProxyType({})

NEW = "new"
"""The key of the row for a new item."""


@dataclass(frozen=True)
class RowForm(Form):
    """The form of a row. `field` returns the names of its fields on the page."""

    row: str = NEW

    def field(self, name: str) -> str:
        """Return the name of a field on the page."""
        return f"{self.row}-{name}"


def row_form(row: str, values: Mapping[str, object]) -> RowForm:
    """Return the form of a row with the values of an item."""
    return RowForm({f"{row}-{name}": "" if value is None else str(value) for name, value in values.items()}, {}, row)


def typed_in(row: str, typed: Typed) -> Typed:
    """Return the submitted fields of a row by their names without the row's key."""
    start = f"{row}-"
    return Typed({name.removeprefix(start): value for name, value in typed.items() if name.startswith(start)})


def row_again(
    row: str, typed: Typed, faults: Iterable[FieldError] = (), *, places: Mapping[str, str] = _NO_PLACES
) -> RowForm:
    """Return the form of a row with the submitted values, and each error at its field.

    `places` maps pointers of errors to pointers of form fields, if they differ.
    """
    placed = []
    for fault in faults:
        pointer = places.get(fault.pointer, fault.pointer)
        placed.append(FieldError(f"/{row}-{pointer[1:]}" if pointer else "", fault.detail))
    again = rejected_form(typed, placed)
    return RowForm(again.values, again.faults, row)


def sent_row() -> tuple[str, str, Typed]:
    """Return the button that was pressed (`do`), the key of its row, and the row's submitted fields.

    The row of a button such as "add-room" is "new-room".
    """
    do = request.form.get("do", "")
    row = do.replace("add", NEW, 1) if do.startswith("add") else request.form.get("row", "")
    return do, row, typed_in(row, request.form)


def handle_rows(
    slug: str,
    process: Callable[[Session, Event], str],
    *,
    render_list: Callable[[Session, Event, RowForm | None], Page],
    fields: Mapping[type[DomainError], str],
    places: Mapping[str, str] = _NO_PLACES,
) -> Response:
    """Show a list of an event, or call `process` in a unit of work for a submitted row of it (see form_view).

    On an error, show the list with the submitted values of the row. `fields` maps types of errors without field errors
    to the fields at which they are shown.
    """
    if request.method != "POST":
        with layout.reading_event(slug) as (session, event):
            return answer_page(render_list(session, event, None))

    def show_again(error: DomainError) -> Response:
        _do, row, _typed = sent_row()
        faults = field_errors(error, at=fields.get(type(error), ""))
        with layout.reading_event(slug) as (session, event):
            page = render_list(session, event, row_again(row, request.form, faults, places=places))
            return answer_rejected(page, error)

    @form_view(show_again)
    def change_row() -> str:
        with layout.changing_event(slug) as (session, event):
            return process(session, event)

    return change_row()
